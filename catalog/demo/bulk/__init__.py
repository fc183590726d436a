"""A catalogue of any size, made up and written by COPY: to try the shop out as a large one."""
