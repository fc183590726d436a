"""What the page cache wants to know of a page that it asks Django for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from shop.notes import Visit


@dataclass(slots=True)
class Asking:
    """Travels with the request, in its environ; the view of a public page fills it in."""

    KEY: ClassVar[str] = "emporium.asking"

    sources: frozenset[str] | None = None
    visits: tuple[Visit, ...] = ()
