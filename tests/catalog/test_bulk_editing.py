"""Many prices and shelves at once, as shop staff and sellers do it in the admin."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import transaction
from django.test import Client

from accounts.models import Seller, SellerMember, User
from catalog.admin.bulk_forms import round_price
from catalog.models import Product, ProductVariant, StockLevel, StockMovement
from catalog.services import stock
from tests.admin_forms import address, sign_in
from tests.factories.accounts import SellerFactory, SellerMemberFactory, StaffFactory, UserFactory
from tests.factories.catalog import ProductFactory, VariantFactory

pytestmark = pytest.mark.django_db

PAGE = "/admin/catalog/product/prices-and-stock/"


@pytest.fixture
def seller() -> Seller:
    return SellerFactory(name="Havre")


@pytest.fixture
def mug(seller: Seller) -> Product:
    """A mug, small for 24.00 and large for 30.00 instead of 36.00, five of each on the shelf."""
    product = ProductFactory(title="Mug", seller=seller)
    VariantFactory(product=product, sku="S", label="Small", price=Decimal("24.00"), stock=5)
    VariantFactory(
        product=product, sku="L", label="Large", price=Decimal("30.00"),
        compare_at_price=Decimal("36.00"), stock=5, position=1,
    )  # fmt: skip
    return product


def cell(sku: str, name: str) -> str:
    return f"v{ProductVariant.objects.get(sku=sku).pk}-{name}"


def open_table(browser: Client) -> dict[str, Any]:
    """Return the fields of the table with all variants, as they are sent."""
    ids = ",".join(str(pk) for pk in ProductVariant.objects.values_list("pk", flat=True))
    page = browser.get(PAGE, {"variants": ids})
    assert page.status_code == 200
    fields: dict[str, Any] = {"variants": page.context["variants"], "all-rounding": "exact"}
    for form in page.context["forms"]:
        for field in form:
            fields[field.html_name] = "" if field.value() is None else field.value()
    return fields


def read_preview(page: Any) -> dict[str, Any]:
    """Return the hidden fields that the preview sends on."""
    assert page.templates[0].name == "admin/catalog/bulk_preview.html", page.context["faults"]
    return dict(page.context["hidden"])


def run(browser: Client, **changes: Any) -> Any:
    """Type into the table, look at the preview, save."""
    fields = open_table(browser) | {name.replace("__", "-"): v for name, v in changes.items()}
    preview = browser.post(PAGE, fields | {"step": "preview"})
    return browser.post(PAGE, read_preview(preview) | {"step": "save"})


def numbers() -> dict[str, tuple[str, str | None, int]]:
    return {
        row.sku: (
            f"{row.price:.2f}",
            None if row.compare_at_price is None else f"{row.compare_at_price:.2f}",
            row.stock_level.on_hand,
        )
        for row in ProductVariant.objects.select_related("stock_level")
    }


def faults(page: Any) -> list[str]:
    assert page.templates[0].name == "admin/catalog/bulk_edit.html"
    return [text for _field, text in page.context["faults"]]


UNCHANGED = {"S": ("24.00", None, 5), "L": ("30.00", "36.00", 5)}


def test_what_is_typed_is_shown_first_and_saved_then(mug: Product) -> None:
    boss = UserFactory(is_staff=True, is_superuser=True)
    browser = sign_in(boss)
    typed = {cell("S", "price"): "25,50", cell("L", "before"): "", cell("L", "pieces"): "12"}

    preview = browser.post(
        PAGE,
        open_table(browser) | typed
        | {"all-cause": "received", "all-note": "note 4711", "step": "preview"},
    )  # fmt: skip

    assert numbers() == UNCHANGED
    html = re.sub(r"\s+", " ", preview.content.decode())
    assert '<del class="desk-soft">€24.00</del> <strong><ins>€25.50</ins></strong>' in html
    assert '<del class="desk-soft">€36.00</del> <strong><ins>–</ins></strong>' in html

    saved = browser.post(PAGE, read_preview(preview) | {"step": "save"})

    assert saved.status_code == 302
    assert numbers() == {"S": ("25.50", None, 5), "L": ("30.00", None, 12)}
    movement = StockMovement.objects.latest("pk")
    assert (movement.on_hand_change, movement.cause, movement.reason, movement.actor) == (
        7, "received", "note 4711", boss,
    )  # fmt: skip
    mug.refresh_from_db()
    assert (mug.price_from, mug.price_to) == (Decimal("25.50"), Decimal("30.00"))
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (boss, str(mug.pk))
    assert "S: €24.00, 5 pieces → €25.50, 5 pieces" in entry.get_change_message()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"price_change": "raise_percent", "price_value": "5"}, ("25.20", "31.50")),
        ({"price_change": "raise_percent", "price_value": "3,3 %"}, ("24.79", "30.99")),
        ({"price_change": "lower_percent", "price_value": "10"}, ("21.60", "27.00")),
        ({"price_change": "lower_percent", "price_value": "100"}, ("0.00", "0.00")),
        ({"price_change": "raise", "price_value": "1.5"}, ("25.50", "31.50")),
        ({"price_change": "lower", "price_value": "24"}, ("0.00", "6.00")),
        ({"price_change": "set", "price_value": "19.9"}, ("19.90", "19.90")),
        (
            {"price_change": "raise_percent", "price_value": "3", "rounding": "whole"},
            ("25.00", "31.00"),
        ),
        (
            {"price_change": "raise_percent", "price_value": "3", "rounding": "below"},
            ("24.99", "30.99"),
        ),
    ],
)
def test_all_prices_are_reckoned_at_once(
    mug: Product, change: dict[str, str], expected: tuple[str, str]
) -> None:
    answer = run(sign_in(), **{f"all__{name}": value for name, value in change.items()})

    assert answer.status_code == 302
    assert (numbers()["S"][0], numbers()["L"][0]) == expected


def test_a_sale_keeps_todays_price_beside_the_new_one(mug: Product) -> None:
    run(
        sign_in(),
        all__price_change="lower_percent",
        all__price_value="10",
        all__before_change="today",
    )

    assert numbers() == {"S": ("21.60", "24.00", 5), "L": ("27.00", "30.00", 5)}

    run(
        sign_in(),
        all__price_change="raise_percent",
        all__price_value="50",
        all__before_change="empty",
    )

    assert numbers() == {"S": ("32.40", None, 5), "L": ("40.50", None, 5)}


@pytest.mark.parametrize(
    ("change", "value", "left"), [("add", "3", 8), ("take", "5", 0), ("set", "2", 2)]
)
def test_all_shelves_are_reckoned_at_once(mug: Product, change: str, value: str, left: int) -> None:
    run(sign_in(), all__pieces_change=change, all__pieces_value=value, all__cause="damaged")

    assert [row[2] for row in numbers().values()] == [left, left]
    assert set(StockMovement.objects.order_by("-pk").values_list("cause", flat=True)[:2]) == {
        "damaged"
    }


@pytest.mark.parametrize(
    ("typed", "complaints"),
    [
        ({"S-price": "cheap"}, ["Enter a number."]),
        ({"S-price": ""}, ["This field is required."]),
        ({"S-price": "-1"}, ["Ensure this value is greater than or equal to 0."]),
        ({"S-price": "1.005"}, ["Ensure that there are no more than 2 decimal places."]),
        ({"S-pieces": "2.5"}, ["Enter a whole number."]),
        (
            {"S-before": "1000000000"},
            ["Ensure this value is less than or equal to 999999999.99."],
        ),
        ({"all-price_change": "raise"}, ["Say by how much."]),
        ({"all-price_value": "5"}, ["Choose what is to happen."]),
        ({"all-pieces_value": "5"}, ["Choose what is to happen."]),
        (
            {"all-price_change": "lower_percent", "all-price_value": "101"},
            ["A price cannot fall by more than 100 percent."],
        ),
        ({"all-price_change": "lower", "all-price_value": "25"}, ["A price cannot be below zero."]),
        (
            {"all-pieces_change": "take", "all-pieces_value": "6"},
            ["A shelf cannot hold so many pieces."] * 2,
        ),
        (
            {"all-price_change": "raise_percent", "all-price_value": "999999999"},
            [],
        ),
    ],
)
def test_mistakes_are_told_and_what_was_typed_is_kept(
    mug: Product, typed: dict[str, str], complaints: list[str]
) -> None:
    browser = sign_in()
    changes = {
        cell("S", name.partition("-")[2]) if name.startswith("S-") else name: value
        for name, value in typed.items()
    }

    page = browser.post(PAGE, open_table(browser) | changes | {"step": "preview"})

    if complaints:
        assert faults(page) == complaints
        for name, value in changes.items():
            assert f'name="{name}"' in page.content.decode()
            assert value in page.content.decode()
    else:
        assert page.status_code == 200
    assert numbers() == UNCHANGED


def test_what_somebody_else_changed_meanwhile_is_told_and_nothing_is_saved(mug: Product) -> None:
    browser = sign_in()
    typed = {cell("S", "price"): "25.00", cell("L", "price"): "31.00", cell("L", "pieces"): "9"}
    preview = browser.post(PAGE, open_table(browser) | typed | {"step": "preview"})
    ProductVariant.objects.filter(sku="S").update(price=Decimal("26.00"))

    page = browser.post(PAGE, read_preview(preview) | {"step": "save"})

    assert faults(page) == ["Now it is: €26.00, 5 pieces"]
    assert "Nothing was saved; please look again." in page.content.decode()
    assert numbers() == UNCHANGED | {"S": ("26.00", None, 5)}

    again = {
        field.html_name: "" if field.value() is None else field.value()
        for form in page.context["forms"]
        for field in form
    }
    assert again[cell("S", "price")] == "25.00"
    preview = browser.post(PAGE, again | {"variants": page.context["variants"], "step": "preview"})
    browser.post(PAGE, read_preview(preview) | {"step": "save"})
    assert numbers() == {"S": ("25.00", None, 5), "L": ("31.00", "36.00", 9)}


@pytest.mark.breaks_invariants
def test_a_piece_sold_meanwhile_stops_counting_its_shelf_but_not_its_price(mug: Product) -> None:
    browser = sign_in()
    table = open_table(browser)
    small = ProductVariant.objects.get(sku="S")
    with transaction.atomic():
        stock.allocate({small.pk: 1}, reference="E-1")
        stock.sell({small.pk: 1}, reference="E-1")

    shelf = browser.post(PAGE, table | {cell("S", "pieces"): "8", "step": "save"})
    assert faults(shelf) == ["Now it is: €24.00, 4 pieces"]
    assert StockLevel.objects.get(variant=small).on_hand == 4

    price = browser.post(PAGE, table | {cell("S", "price"): "25", "step": "save"})
    assert price.status_code == 302
    assert numbers()["S"] == ("25.00", None, 4)


@pytest.mark.breaks_invariants
def test_one_shelf_that_cannot_be_keeps_all_the_rest_from_being_saved(mug: Product) -> None:
    browser = sign_in()
    with transaction.atomic():
        stock.allocate({ProductVariant.objects.get(sku="L").pk: 3}, reference="E-1")
    table = open_table(browser)

    page = browser.post(
        PAGE, table | {cell("S", "price"): "25", cell("L", "pieces"): "2", "step": "save"}
    )

    assert "3 pieces of L are promised to orders" in page.content.decode()
    assert page.context["forms"][0]["price"].value() == "25"
    assert numbers() == UNCHANGED
    assert not LogEntry.objects.exists()


def test_sellers_change_their_own_numbers_only(mug: Product, seller: Seller) -> None:
    foreign = VariantFactory(sku="X", price=Decimal("10.00"))
    owner = sign_in(SellerMemberFactory(seller=seller, role=SellerMember.Role.OWNER).user)

    table = open_table(owner)
    forged = {"variants": f"{table['variants']},{foreign.pk}", f"v{foreign.pk}-price": "1",
              f"v{foreign.pk}-seen": "10.00||10"}  # fmt: skip
    answer = owner.post(PAGE, table | forged | {cell("S", "price"): "25", "step": "save"})

    assert str(foreign.pk) not in table["variants"].split(",")
    assert answer.status_code == 302
    foreign.refresh_from_db()
    assert foreign.price == Decimal("10.00")
    assert numbers()["S"][0] == "25.00"


def test_packers_and_staff_without_the_right_are_kept_out(mug: Product, seller: Seller) -> None:
    packer = sign_in(SellerMemberFactory(seller=seller, role=SellerMember.Role.PACKER).user)
    clerk = sign_in(StaffFactory())

    assert packer.get(PAGE, {"variants": "1"}).status_code == 403
    assert clerk.get(PAGE, {"variants": "1"}).status_code == 403


def test_staff_who_may_not_count_shelves_see_prices_only(mug: Product) -> None:
    from django.contrib.auth.models import Permission

    clerk: User = StaffFactory()
    rights = Permission.objects.filter(codename__in=["change_product", "view_product"])
    clerk.user_permissions.set(rights)
    browser = sign_in(clerk)

    table = open_table(browser)
    run(browser, **{cell("S", "price"): "25"})

    assert cell("S", "pieces") not in table
    assert numbers()["S"] == ("25.00", None, 5)


@pytest.mark.parametrize("model", ["catalog_product", "catalog_stocklevel"])
def test_the_lists_lead_to_the_table(mug: Product, model: str) -> None:
    rows = Product.objects.all() if model == "catalog_product" else StockLevel.objects.all()
    ids = sorted(ProductVariant.objects.values_list("pk", flat=True))

    answer = sign_in().post(
        address(model, "changelist"),
        {"action": "edit_numbers", "_selected_action": [row.pk for row in rows]},
    )

    assert answer.headers["Location"] == f"{PAGE}?variants={ids[0]},{ids[1]}"


@pytest.mark.parametrize("chosen", ["", "abc", "999999", "9" * 400, "1,,x", "\0"])
def test_nothing_to_edit_leads_back_to_the_list(mug: Product, chosen: str) -> None:
    answer = sign_in().get(PAGE, {"variants": chosen if chosen != "1,,x" else "0,,x"})

    assert answer.headers["Location"] == "/admin/catalog/product/"


def test_a_table_sent_back_unchanged_changes_nothing(mug: Product) -> None:
    browser = sign_in()

    page = browser.post(PAGE, open_table(browser) | {"step": "preview"})

    assert "Nothing would change." in page.content.decode()
    assert StockMovement.objects.count() == 2


@pytest.mark.parametrize(
    ("price", "rounding", "rounded"),
    [
        ("23.10", "below", "23.99"),
        ("23.99", "below", "23.99"),
        ("24.00", "below", "24.99"),
        ("0", "below", "0.00"),
        ("0.30", "below", "0.99"),
        ("23.49", "whole", "23.00"),
        ("23.50", "whole", "24.00"),
        ("23.455", "exact", "23.46"),
    ],
)
def test_prices_are_rounded_as_chosen(price: str, rounding: str, rounded: str) -> None:
    assert str(round_price(Decimal(price), rounding)) == rounded
