from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from shop.models import Page
from shop.prepared import Prepared

pytestmark = pytest.mark.django_db


@pytest.fixture
def pages() -> list[Page]:
    return [
        Page.objects.create(title=f"Title {number}", slug=f"page-{number}", body="Words")
        for number in (1, 2)
    ]


def test_gives_what_the_query_gives(pages: list[Page]) -> None:
    by_slug = Prepared(lambda slug: Page.objects.filter(slug=slug))

    assert [by_slug.get(page.slug) for page in pages] == pages
    assert by_slug.get("page-2").__dict__.keys() == Page.objects.get(slug="page-2").__dict__.keys()
    assert by_slug.first("nothing") is None
    with pytest.raises(Page.DoesNotExist):
        by_slug.get("nothing")


def test_rows_come_as_the_query_asks_for_them(pages: list[Page]) -> None:
    rows = Prepared(
        lambda slug: Page.objects.filter(slug=slug, is_in_footer=True).values_list("title", "slug")
    )
    flat = Prepared(lambda pk: Page.objects.filter(pk=pk).values_list("title", flat=True))

    assert rows.list("page-1") == [("Title 1", "page-1")]
    assert flat.list(pages[1].pk) == ["Title 2"]


def test_the_query_is_written_once(pages: list[Page]) -> None:
    written = []

    def build(slug: Any) -> Any:
        written.append(slug)
        return Page.objects.filter(slug=slug)

    by_slug = Prepared(build)
    for page in pages:
        by_slug.get(page.slug)

    assert len(written) == 1


@pytest.mark.django_db(transaction=True)
def test_a_row_is_locked_in_a_transaction_only() -> None:
    lock = Prepared(lambda pk: Page.objects.select_for_update().filter(pk=pk))

    with pytest.raises(Exception, match="transaction"):
        lock.first(1)
    assert not connection.in_atomic_block
