from __future__ import annotations

from typing import Any

import pytest

from catalog.queries import list_navigation
from catalog.services import categories
from tests.factories.catalog import CategoryFactory

pytestmark = pytest.mark.django_db


def test_two_upper_levels_in_order() -> None:
    table = CategoryFactory(name="Table", slug="table", position=2)
    CategoryFactory(name="Bath", slug="bath", position=1)
    cups = CategoryFactory(name="Cups", slug="cups", parent=table)
    CategoryFactory(name="Espresso", slug="espresso", parent=cups)

    bath, table_item = list_navigation()

    assert (bath.label, bath.url, bath.children) == ("Bath", "/categories/bath/", ())
    assert [(item.label, item.url) for item in table_item.children] == [
        ("Cups", "/categories/table/cups/")
    ]


def test_menu_is_read_once(django_assert_num_queries: Any) -> None:
    CategoryFactory()
    list_navigation()

    with django_assert_num_queries(0):
        list_navigation()


def test_menu_follows_the_tree() -> None:
    category = CategoryFactory(name="Cups")
    assert [item.label for item in list_navigation()] == ["Cups"]

    category.name = "Mugs"
    categories.place(category)

    assert [item.label for item in list_navigation()] == ["Mugs"]
