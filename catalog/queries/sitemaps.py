"""The addresses of all pages that search engines should know, in files of a size that they take.

https://www.sitemaps.org/protocol.html: at most 50,000 addresses a file. Each page is listed in each
of the shop's languages; which of them are the same page, the pages themselves say in their heads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from catalog.queries.cards import FOR_SALE, FROM_PRODUCTS
from catalog.queries.links import absolute, category_url, collection_url, product_url, seller_url
from catalog.queries.rows import fetch_rows

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
MOST_ADDRESSES = 50_000
PRODUCTS_A_FILE = 10_000
"""Products of so many ids in a row are one file: a new product changes only the last one."""

Entry = tuple[str, datetime | None]
"""What tells a page from others of its kind, such as a slug, and when it changed."""


@dataclass(frozen=True, slots=True)
class Section:
    """One file of the sitemap."""

    name: str
    changed_at: datetime | None = None


def write_index() -> str:
    """Write the list of the files: those that have at least one address."""
    lines = (
        _write_element("sitemap", _section_url(section.name), section.changed_at)
        for section in list_sections()
    )
    return _write_document("sitemapindex", lines)


def write_section(name: str) -> str | None:
    """Write one file; None when there is no such one, or nothing in it."""
    make_url: Callable[[str], str]
    kind, _dash, number = name.partition("-")
    if kind == "products" and number.isascii() and number.isdigit() and len(number) < 12:
        entries, make_url = _list_products(int(number)), product_url
    elif name in _KINDS:
        make_url, list_entries = _KINDS[name]
        entries = list_entries()
    else:
        return None
    if not entries:
        return None
    codes = [code for code, _name in settings.LANGUAGES]
    most = MOST_ADDRESSES // len(codes)
    return _write_document("urlset", _write_entries(entries[:most], make_url, codes))


def list_sections() -> list[Section]:
    """List the files by the kinds of their pages, those of products by ranges of ids."""
    sections = [
        Section(name, max((at for _key, at in entries if at), default=None))
        for name, (_make_url, list_entries) in _KINDS.items()
        if (entries := list_entries())
    ]
    rows = fetch_rows(
        f"""
        SELECT p.id / {_products_a_file()}, max(p.updated_at) FROM {FROM_PRODUCTS}
        WHERE {FOR_SALE} GROUP BY 1 ORDER BY 1
        """
    )
    return sections + [Section(f"products-{number}", changed_at) for number, changed_at in rows]


def _products_a_file() -> int:
    return min(PRODUCTS_A_FILE, MOST_ADDRESSES // len(settings.LANGUAGES))


def _list_products(number: int) -> Sequence[Entry]:
    size = _products_a_file()
    rows = fetch_rows(
        f"""
        SELECT p.slug, p.updated_at FROM {FROM_PRODUCTS}
        WHERE {FOR_SALE} AND p.id >= %(start)s AND p.id < %(stop)s ORDER BY p.id
        """,
        {"start": number * size, "stop": (number + 1) * size},
    )
    return [(slug, changed_at) for slug, changed_at in rows]


def _list_pages() -> Sequence[Entry]:
    rows = fetch_rows("SELECT slug, updated_at FROM shop_page ORDER BY position, title")
    return [("", None), *((slug, changed_at) for slug, changed_at in rows)]


def _list_categories() -> Sequence[Entry]:
    return [(row[0], None) for row in fetch_rows("SELECT path FROM catalog_category ORDER BY path")]


def _list_collections() -> Sequence[Entry]:
    sql = "SELECT slug FROM catalog_collection WHERE is_public ORDER BY slug"
    return [(row[0], None) for row in fetch_rows(sql)]


def _list_sellers() -> Sequence[Entry]:
    rows = fetch_rows(
        f"""
        SELECT s.slug FROM accounts_seller s WHERE s.status = 'active'
        AND EXISTS (SELECT FROM catalog_product p WHERE p.seller_id = s.id AND {FOR_SALE})
        ORDER BY s.slug
        """
    )
    return [(row[0], None) for row in rows]


def _page_url(slug: str) -> str:
    return reverse("shop:page", args=[slug]) if slug else reverse("catalog:home")


_KINDS: Mapping[str, tuple[Callable[[str], str], Callable[[], Sequence[Entry]]]] = {
    "pages": (_page_url, _list_pages),
    "categories": (category_url, _list_categories),
    "collections": (collection_url, _list_collections),
    "sellers": (seller_url, _list_sellers),
}


def _section_url(name: str) -> str:
    return reverse("sitemap_section", args=[name])


def _write_entries(
    entries: Sequence[Entry], make_url: Callable[[str], str], codes: Sequence[str]
) -> Iterator[str]:
    for code in codes:
        with translation.override(code):
            lines = [_write_element("url", make_url(key), at) for key, at in entries]
        yield from lines


def _write_element(name: str, path: str, changed_at: datetime | None) -> str:
    changed = f"<lastmod>{changed_at.isoformat(timespec='seconds')}</lastmod>" if changed_at else ""
    return f"<{name}><loc>{escape(absolute(path))}</loc>{changed}</{name}>"


def _write_document(name: str, lines: Iterator[str]) -> str:
    body = "\n".join(lines)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<{name} xmlns="{NAMESPACE}">\n{body}\n</{name}>\n'
    )
