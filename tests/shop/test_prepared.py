from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection

from shop.models import OutboxMessage, Page
from shop.prepared import Prepared, insert, insert_all, update

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


def test_a_row_is_written_as_save_would(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1):
        row = insert(OutboxMessage(task="shop.nothing", key="once", payload={"of": ["it", 1]}))
    saved = OutboxMessage.objects.create(task="shop.nothing", key="twice", payload={"of": [1]})

    read = OutboxMessage.objects.get(pk=row.pk)
    assert read.payload == {"of": ["it", 1]}
    assert {name: getattr(row, name) for name in vars(read) if name != "_state"} == {
        name: value for name, value in vars(read).items() if name != "_state"
    }
    assert not row._state.adding
    assert (read.attempts, read.done_at) == (saved.attempts, saved.done_at)


def test_rows_of_one_statement_keep_their_order(django_assert_num_queries: Any) -> None:
    rows = [Page(title=f"Title {number}", slug=f"page-{number}", body="") for number in range(5)]

    with django_assert_num_queries(1):
        insert_all(rows)

    assert [Page.objects.get(pk=row.pk).slug for row in rows] == [row.slug for row in rows]
    assert insert_all([]) == []


def test_only_the_fields_that_are_named_are_written(pages: list[Page]) -> None:
    page = pages[0]
    page.title, page.body = "New", "New"

    update(page, "title")
    assert list(Page.objects.filter(pk=page.pk).values_list("title", "body")) == [("New", "Words")]
    update(page)
    assert Page.objects.get(pk=page.pk).body == "New"
    assert Page.objects.get(pk=pages[1].pk).body == "Words"


def test_a_row_that_is_gone_is_not_updated_in_silence(pages: list[Page]) -> None:
    Page.objects.filter(pk=pages[0].pk).delete()

    with pytest.raises(DatabaseError, match="not in the database"):
        update(pages[0])
