"""The web process of a shop that also speaks the pseudo-language, under /ar/."""

from __future__ import annotations

from config.wsgi import application
from tests import pseudo

__all__ = ["application"]

until_the_process_ends = pseudo.spoken()
until_the_process_ends.__enter__()
