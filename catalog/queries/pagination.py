"""Pages of a listing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

PAGE_SIZE = 24
_PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page's number and address; a gap between far pages has neither (0 and "")."""

    number: int
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Pagination:
    page: int
    pages: int
    previous_url: str
    next_url: str
    numbers: list[PageLink]


def read_page(text: str) -> int:
    """Read a page number from an address; what is none means the first page."""
    return int(text) if _PAGE_NUMBER.fullmatch(text) else 1


def limit_sql(page: int) -> str:
    """Say in SQL which rows a page has."""
    return f"LIMIT {PAGE_SIZE:d} OFFSET {(page - 1) * PAGE_SIZE:d}"


def paginate(*, total: int, page: int, url_of: Callable[[int], str]) -> Pagination | None:
    """Lay out the links of a listing's pages; None when the page lies beyond the last one."""
    pages = max(1, -(-total // PAGE_SIZE))
    if page > pages:
        return None
    numbers: list[PageLink] = []
    shown = sorted({1, pages, *range(max(1, page - 1), min(pages, page + 1) + 1)})
    for before, number in zip([0, *shown], shown, strict=False):
        if number - before > 1:
            numbers.append(PageLink(number=0, url="", current=False))
        numbers.append(PageLink(number=number, url=url_of(number), current=number == page))
    return Pagination(
        page=page,
        pages=pages,
        previous_url=url_of(page - 1) if page > 1 else "",
        next_url=url_of(page + 1) if page < pages else "",
        numbers=numbers,
    )
