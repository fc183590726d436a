from __future__ import annotations

import io
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client

from accounts.demo import PASSWORD, NoDemoLogins, make_logins
from accounts.models import Seller, SellerMember, User
from cart.models import ShippingBand, ShippingZone
from catalog.models import (
    Category,
    ImageAsset,
    Product,
    ProductImage,
    ProductVariant,
    Review,
    StockLevel,
)
from catalog.services import stock
from shop.models import OutboxMessage, Page, TaxRate
from tests.catalog.rows import fingerprint
from tests.factories.catalog import BuyableProductFactory

pytestmark = pytest.mark.django_db


def run(**options: Any) -> str:
    output = io.StringIO()
    call_command("demo", stdout=output, **options)
    return output.getvalue()


def test_one_command_fills_the_whole_shop() -> None:
    output = run(print_logins=True)

    assert "41 products created" in output
    assert "admin@emporium.example" in output
    assert Seller.objects.count() == 3
    assert Category.objects.count() == 10
    assert Product.objects.filter(status=Product.Status.ACTIVE).count() == 41
    assert ProductVariant.objects.count() == StockLevel.objects.count() == 80
    assert ProductImage.objects.exclude(alt="").count() == 91
    assert ImageAsset.objects.count() == 99
    assert OutboxMessage.objects.filter(task="catalog.make_renditions").count() == 99
    assert Review.objects.count() == 22
    assert Product.objects.get(slug="dune-mug").rating_count == 4
    assert not OutboxMessage.objects.filter(task="catalog.send_review_notice").exists()
    assert TaxRate.objects.count() == 27
    assert ShippingZone.objects.count() == 3
    assert set(Page.objects.values_list("slug", flat=True)) == {
        "delivery",
        "returns",
        "about",
        "imprint",
        "privacy",
    }


def test_second_run_writes_no_row() -> None:
    run()
    apps = ("shop", "accounts", "catalog", "cart", "account")
    before = fingerprint(*apps)

    output = run()

    assert "41 products unchanged" in output
    assert fingerprint(*apps) == before


def test_second_run_undoes_no_sale_and_no_change_of_the_operator() -> None:
    run()
    variant = ProductVariant.objects.get(sku="HAV-MUG-SAND")
    stock.set_on_hand(variant, 60, actor=None, reason="sold")
    TaxRate.objects.filter(country="DE").update(percent=16)
    ShippingBand.objects.filter(minimum=80).delete()

    run()

    assert StockLevel.objects.get(variant=variant).on_hand == 60
    assert TaxRate.objects.get(country="DE").percent == 16
    assert not ShippingBand.objects.filter(minimum=80).exists()


def test_shop_with_products_is_left_alone_if_asked() -> None:
    BuyableProductFactory()

    output = run(if_empty=True)

    assert output == ""
    assert Product.objects.count() == 1


def test_demo_logins_can_sign_in() -> None:
    run()

    for email in ("admin", "havre-stengods", "packer", "finance", "shopper"):
        assert Client().login(username=f"{email}@emporium.example", password=PASSWORD)
    assert EmailAddress.objects.filter(verified=True, primary=True).count() == 11
    assert User.objects.get(email="admin@emporium.example").is_superuser
    assert {
        (group.name, person.email.partition("@")[0])
        for group in Group.objects.all()
        for person in group.user_set.all()
    } == {
        ("Shop owner", "owner"),
        ("Support", "support"),
        ("Catalogue", "catalogue"),
        ("Finance", "finance"),
    }
    member = SellerMember.objects.get(user__email="havre-stengods@emporium.example")
    assert (member.seller.slug, member.role, member.user.is_staff) == (
        "havre-stengods",
        SellerMember.Role.OWNER,
        True,
    )


def test_real_shop_gets_no_login_that_everybody_knows(settings: Any) -> None:
    settings.IS_PRODUCTION = True

    output = run(print_logins=True)

    assert Product.objects.count() == 41
    assert not User.objects.exists()
    assert PASSWORD not in output
    with pytest.raises(NoDemoLogins):
        make_logins([])


def test_tax_rates_agree_with_a_public_table(shared: Any) -> None:
    import json

    from shop.demo import STANDARD_RATES

    table = json.loads(shared("tax/eu-vat-rates.json").read_text("utf-8"))["items"]

    published = {country: periods[0]["rates"]["standard"] for country, periods in table.items()}
    published.pop("GB")
    assert {country: float(percent) for country, percent in STANDARD_RATES.items()} == published
