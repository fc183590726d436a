"""Addresses of catalogue pages. A listing writes dozens, so each pattern is resolved only once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlencode, urljoin

from django.conf import settings
from django.urls import reverse
from django.utils.translation import get_language

_PLACE = "placeholder"


@dataclass(frozen=True, slots=True)
class Crumb:
    """A link with its words: a step of the way back up, or a suggestion where to go on."""

    label: str
    url: str


def product_url(slug: str, *, sku: str = "") -> str:
    """Address a product, or one of its variants."""
    url = f"{_base('product', get_language())}{quote(slug)}/"
    return f"{url}?variant={quote(sku, safe='')}" if sku else url


def reviews_url(slug: str, *, stars: int = 0, page: int = 1) -> str:
    """Address all reviews of a product, or those with so many stars."""
    asked = {"stars": stars, "page": page if page > 1 else 0}
    query = urlencode({name: value for name, value in asked.items() if value})
    return f"{product_url(slug)}reviews/{'?' if query else ''}{query}"


def review_url(slug: str, review_id: int) -> str:
    """Address one review among those of its product."""
    return f"{reviews_url(slug)}#review-{review_id}"


def write_review_url(slug: str, *, key: str = "") -> str:
    """Address the form for a review; the key is a guest's."""
    url = f"{product_url(slug)}reviews/write/"
    return f"{url}?key={quote(key, safe='')}" if key else url


def category_url(path: str) -> str:
    """Address a category by the slugs from the root."""
    return f"{_base('category', get_language())}{quote(path)}/"


def collection_url(slug: str) -> str:
    """Address a collection."""
    return f"{_base('collection', get_language())}{quote(slug)}/"


def seller_url(slug: str) -> str:
    """Address a seller's page."""
    return f"{_base('seller', get_language())}{quote(slug)}/"


def absolute(path: str) -> str:
    """Return an address as the whole world knows it."""
    if path.startswith("/"):
        return f"{settings.SHOP_URL}{path}"
    return urljoin(f"{settings.SHOP_URL}/", path)


@lru_cache(maxsize=64)
def _base(name: str, language: str | None) -> str:
    """Return what stands before the slug; the language decides the prefix of the path."""
    return reverse(f"catalog:{name}", args=[_PLACE]).removesuffix(f"{_PLACE}/")
