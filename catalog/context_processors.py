"""What every page knows about the catalogue."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from catalog.queries import list_navigation


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Offer the category menu, read when a template asks for it."""
    return {"navigation": SimpleLazyObject(list_navigation)}
