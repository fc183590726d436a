"""Choosing among many variants: what is sold out, what is not made, and where each choice leads."""

from __future__ import annotations

from itertools import product as combine
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from catalog.models import Product
from catalog.queries.variants import MANY_CHOICES
from tests.factories.catalog import (
    BuyableProductFactory,
    OptionFactory,
    OptionValueFactory,
    ProductFactory,
    VariantFactory,
)

pytestmark = pytest.mark.django_db

Axes = dict[str, list[str]]
SHIRT: Axes = {"Size": ["S", "M"], "Colour": ["Sand", "Ink"], "Cloth": ["Linen", "Wool"]}


def make(axes: Axes, **stocks: int) -> Product:
    """Make every combination but those with a stock below zero; SKUs join the labels: "S-Ink-Wool"."""
    product = ProductFactory(slug="shirt")
    values = {
        (name, label): OptionValueFactory(option=option, label=label, position=place)
        for position, (name, labels) in enumerate(axes.items())
        for option in [OptionFactory(product=product, name=name, position=position)]
        for place, label in enumerate(labels)
    }
    for labels in combine(*axes.values()):
        stock = stocks.get("_".join(labels), 10)
        if stock >= 0:
            chosen = [values[pair] for pair in zip(axes, labels, strict=True)]
            VariantFactory(
                product=product, sku="-".join(labels), label=" / ".join(labels), values=chosen,
                stock=stock,
            )  # fmt: skip
    return product


def ask(client: Client, sku: str = "") -> Any:
    return client.get("/products/shirt/", {"variant": sku}).context["product"]


def choice(page: Any, name: str, label: str) -> Any:
    [axis] = [axis for axis in page.options if axis.name == name]
    [found] = [value for value in axis.values if value.label == label]
    return found


def test_a_choice_keeps_all_others_where_that_is_made(client: Client) -> None:
    make(SHIRT)

    page = ask(client, "M-Ink-Wool")

    assert {
        (axis.name, value.label): value.sku for axis in page.options for value in axis.values
    } == {
        ("Size", "S"): "S-Ink-Wool",
        ("Size", "M"): "M-Ink-Wool",
        ("Colour", "Sand"): "M-Sand-Wool",
        ("Colour", "Ink"): "M-Ink-Wool",
        ("Cloth", "Linen"): "M-Ink-Linen",
        ("Cloth", "Wool"): "M-Ink-Wool",
    }
    assert [page.has_sold_out, page.has_unmade] == [False, False]


def test_what_is_sold_out_with_the_other_choices_is_told_and_can_still_be_looked_at(
    client: Client,
) -> None:
    make(SHIRT, S_Ink_Wool=0)

    ink = choice(ask(client, "S-Sand-Wool"), "Colour", "Ink")
    in_linen = choice(ask(client, "S-Sand-Linen"), "Colour", "Ink")

    assert (ink.sku, ink.available, ink.missing) == ("S-Ink-Wool", False, "")
    assert (in_linen.sku, in_linen.available) == ("S-Ink-Linen", True)


def test_what_is_not_made_with_the_other_choices_leads_to_the_nearest_that_can_be_had(
    client: Client,
) -> None:
    make(SHIRT, S_Ink_Wool=-1, M_Ink_Wool=0)

    ink = choice(ask(client, "S-Sand-Wool"), "Colour", "Ink")

    assert (ink.sku, ink.available, ink.missing) == ("S-Ink-Linen", True, "Wool")


def test_what_is_sold_out_in_every_way_is_sold_out(client: Client) -> None:
    make(SHIRT, S_Ink_Wool=-1, M_Ink_Wool=0, S_Ink_Linen=0, M_Ink_Linen=0)

    page = ask(client, "S-Sand-Wool")

    assert choice(page, "Colour", "Ink").available is False
    assert [page.has_sold_out, page.has_unmade] == [True, False]


def test_the_page_explains_its_marks_only_where_there_are_some(client: Client) -> None:
    product = make(SHIRT, S_Ink_Wool=-1, M_Ink_Wool=0)

    with_marks = client.get("/products/shirt/?variant=S-Sand-Wool").content.decode()
    sold_out = client.get("/products/shirt/?variant=M-Sand-Wool").content.decode()
    without = client.get("/products/shirt/?variant=M-Sand-Linen").content.decode()

    assert "Dashed: not made in this combination." in with_marks
    assert "(not made in Wool)" in with_marks
    assert "Crossed out: sold out." in sold_out
    assert "(sold out)" in sold_out
    assert "option__legend" not in without
    assert product.variants.count() == 7


def test_a_very_long_axis_is_a_field_that_sends_a_variant(client: Client) -> None:
    labels = [f"No. {number}" for number in range(MANY_CHOICES)]
    make({"Number": labels, "Size": ["S", "M"]}, **{"No. 3_M": 0, "No. 4_M": -1})

    page = client.get("/products/shirt/?variant=No.+2-M").content.decode()

    number, size = ask(client, "No. 2-M").options
    assert [number.is_long, size.is_long] == [True, False]
    assert '<form class="option" action="/products/shirt/"' in page
    assert '<option value="No. 2-M" selected>No. 2</option>' in page
    assert '<option value="No. 3-M">No. 3 (sold out)</option>' in page
    assert '<option value="No. 4-S">No. 4 (not made in M)</option>' in page


def test_labels_in_any_script_get_ids_of_their_own(client: Client) -> None:
    make({"Größe": ["½", "¼", "小", "大"]})

    page = client.get("/products/shirt/").content.decode()

    ids = [part.partition('"')[0] for part in page.split('id="option-')[1:]]
    assert len(ids) == len(set(ids)) == 4


def test_a_hundred_variants_cost_no_more_statements_than_one(client: Client) -> None:
    make({"Size": list("ABCDEFGHIJ"), "Colour": list("abcdefghij")})
    one = BuyableProductFactory()
    spent = []
    for path in (f"/products/{one.slug}/", "/products/shirt/"):
        client.get(path)
        with CaptureQueriesContext(connection) as statements:
            page = client.get(path).context["product"]
        spent.append(len(statements))

    assert [len(axis.values) for axis in page.options] == [10, 10]
    assert spent[0] == spent[1]
