"""The proof by trying: many purchases over HTTP while everything around them is broken on purpose.

`manage.py prove` is its door; docs/proving.md says what it does and what it found.
"""
