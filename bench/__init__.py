"""`python -m bench`: what each page costs, measured on this machine in one run."""
