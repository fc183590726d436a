"""Pages of a listing."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

PAGE_SIZE = 24
MOST_TOGETHER = 5
"""So many pages at most are shown below each other when somebody asks for more again and again."""
_PAGE_NUMBER = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class PageLink:
    """A page's number and address; a gap between far pages has neither (0 and "")."""

    number: int
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Pagination:
    """`more_url` shows the next page below those that are shown already, from `first` on."""

    page: int
    pages: int
    previous_url: str
    next_url: str
    numbers: list[PageLink]
    first: int
    more_url: str


def read_page(text: str) -> int:
    """Read a page number from an address; what is none means the first page."""
    return int(text) if _PAGE_NUMBER.fullmatch(text) else 1


def read_first(text: str, page: int) -> int:
    """Read from which page on the pages before are shown too; usually from none."""
    first = int(text) if _PAGE_NUMBER.fullmatch(text) else page
    return first if 0 <= page - first < MOST_TOGETHER else page


def paginate(
    *,
    total: int,
    page: int,
    first: int,
    url_of: Callable[[int, int], str],
    size: int = PAGE_SIZE,
) -> Pagination | None:
    """Lay out the links of a listing's pages; None when the page lies beyond the last one.

    `url_of` is given a page, and the first one to be shown with it.
    """
    pages = max(1, -(-total // size))
    if page > pages:
        return None
    numbers: list[PageLink] = []
    shown = sorted({1, pages, *range(max(1, page - 1), min(pages, page + 1) + 1)})
    for before, number in zip([0, *shown], shown, strict=False):
        if number - before > 1:
            numbers.append(PageLink(number=0, url="", current=False))
        numbers.append(PageLink(number=number, url=url_of(number, number), current=number == page))
    return Pagination(
        page=page,
        pages=pages,
        previous_url=url_of(first - 1, first - 1) if first > 1 else "",
        next_url=url_of(page + 1, page + 1) if page < pages else "",
        numbers=numbers,
        first=first,
        more_url=url_of(page + 1, first)
        if page < pages and page + 1 - first < MOST_TOGETHER
        else "",
    )
