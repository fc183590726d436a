"""What sellers' own imports may bring into a shop that is not theirs alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission

from accounts.models import Seller, SellerMember, User
from catalog.models import (
    Attribute,
    AttributeValue,
    Category,
    Collection,
    ImportRun,
    Product,
    ProductVariant,
)
from catalog.services import collections, publishing
from catalog.services.import_rights import Rights
from tests.catalog.importing import run_import, upload_and_work
from tests.catalog.records import FIRST_COUNT, vase
from tests.factories.accounts import SellerFactory, UserFactory
from tests.factories.catalog import AttributeFactory, CategoryFactory

pytestmark = pytest.mark.django_db

HEADER = "Handle,Title,Category,Attributes,SKU,Price,Status\n"


def bring(text: str, *, seller: Seller, actor: User, format: str = "emporium") -> ImportRun:
    return upload_and_work(text.encode(), seller=seller, actor=actor, format=format)


def member_of(seller: Seller) -> User:
    user = UserFactory(is_staff=True)
    SellerMember.objects.create(user=user, seller=seller, role=SellerMember.Role.OWNER)
    return user


def findings(run: ImportRun) -> list[tuple[int, str, bool, str]]:
    rows = run.findings.order_by("line", "pk")
    return [(row.line, row.column, row.is_remark, row.message) for row in rows]


def test_seller_uses_categories_that_are_there_and_is_told_of_those_that_are_not() -> None:
    seller = SellerFactory()
    CategoryFactory(slug="mugs", name="Mugs", path="mugs")
    text = f"{HEADER}mug,Mug,Mugs,,M,5,\nvase,Vase,Home > Vases,,V,9,\nbowl,Bowl,,,B,7,\n"

    run = bring(text, seller=seller, actor=member_of(seller))

    assert (run.created, run.refused) == (2, 1)
    assert dict(Product.objects.values_list("slug", "category__path")) == {
        "mug": "mugs",
        "bowl": None,
    }
    assert list(Category.objects.values_list("path", flat=True)) == ["mugs"]
    assert findings(run) == [
        (
            3,
            "Category",
            False,
            "There is no category “Home > Vases” in this shop. Ask its staff to add it, or write one "
            "that is there.",
        )
    ]


def test_product_that_is_in_stays_as_it_is_when_its_new_category_is_unknown() -> None:
    seller = SellerFactory()
    publishing.save_product(vase(), seller=seller, stock_taking=FIRST_COUNT)

    run = bring(
        f"{HEADER}knop-vase,New name,Nowhere,,VASE,9,\n", seller=seller, actor=member_of(seller)
    )

    assert (run.updated, run.refused) == (0, 1)
    assert Product.objects.get().title == "Knop vase"
    assert ProductVariant.objects.get().is_active


def test_attributes_that_the_shop_does_not_have_are_left_out_and_named() -> None:
    seller = SellerFactory()
    AttributeFactory(code="material", name="Material", kind=Attribute.Kind.TEXT)
    facts = '"Material: clay\nFired at: 1200\nGlaze [text]: ash"'

    run = bring(
        f"{HEADER}mug,Mug,,{facts},M,5,\nvase,Vase,,Glaze: ash,V,9,\n",
        seller=seller,
        actor=member_of(seller),
    )

    assert (run.created, run.refused) == (2, 0)
    values = AttributeValue.objects.values_list("product__slug", "attribute__code", "text")
    assert list(values) == [("mug", "material", "clay")]
    assert list(Attribute.objects.values_list("code", flat=True)) == ["material"]
    assert findings(run) == [
        (
            2,
            "Attributes",
            True,
            "This shop has no attributes “Fired at”, “Glaze”, so they were left out. Its staff can "
            "add them; then import the file again.",
        ),
        (
            5,
            "Attributes",
            True,
            "This shop has no attribute “Glaze”, so it was left out. Its staff can add it; then "
            "import the file again.",
        ),
    ]


@pytest.mark.parametrize(
    ("format", "text", "column"),
    [
        (
            "shopify",
            "Handle,Title,Product Category,Variant Price\nmug,Mug,Home > Mugs,5\n",
            "Product Category",
        ),
        (
            "woocommerce",
            "Type,SKU,Name,Published,Regular price,Categories\nsimple,M,Mug,1,5,Home > Mugs\n",
            "Categories",
        ),
    ],
)
def test_other_formats_name_their_own_column(format: str, text: str, column: str) -> None:
    seller = SellerFactory()

    run = bring(text, seller=seller, actor=member_of(seller), format=format)

    assert [row[1] for row in findings(run)] == [column]
    assert not Product.objects.exists()
    assert not Category.objects.exists()


def test_staff_and_operators_make_what_is_missing(tmp_path: Path) -> None:
    seller = SellerFactory(slug="first")
    text = HEADER + "mug,Mug,Home > Mugs,Glaze: ash,M,5,\n"
    path = tmp_path / "mugs.csv"
    path.write_text(text.replace("mug,Mug,Home", "cup,Cup,Bar").replace("Glaze", "Foot"))
    staff = UserFactory(is_staff=True)
    staff.user_permissions.add(Permission.objects.get(codename="change_product"))

    run = bring(text, seller=seller, actor=staff)
    printed = run_import(path, "emporium", seller="first")

    assert (run.created, findings(run)) == (1, [])
    assert printed[-1].startswith("Products: 0 created, 1 updated")
    assert set(Category.objects.values_list("path", flat=True)) == {
        *("home", "home/mugs", "bar", "bar/mugs"),
    }
    assert set(Attribute.objects.values_list("code", flat=True)) == {"glaze", "foot"}


@pytest.mark.parametrize(
    ("changes", "may_add"),
    [({}, False), ({"is_superuser": True}, True)],
)
def test_somebody_who_works_for_the_seller_no_more_has_no_more_rights(
    changes: dict[str, Any], may_add: bool
) -> None:
    actor = UserFactory(is_staff=True, **changes)

    assert Rights(ImportRun(seller=SellerFactory(), actor=actor)).may_add is may_add


def test_seller_leaves_their_products_in_the_shops_collections() -> None:
    seller = SellerFactory()
    publishing.save_product(vase(), seller=seller, stock_taking=FIRST_COUNT)
    collections.save(Collection(slug="spring", name="Spring", kind="hand"), products=["knop-vase"])
    text = "Handle,Title,SKU,Price,Collections\nknop-vase,Knop vase,VASE,48,Sale | Tea\n"

    run = bring(text, seller=seller, actor=member_of(seller))

    assert (run.unchanged, findings(run)) == (1, [])
    assert list(Collection.objects.values_list("slug", flat=True)) == ["spring"]
    assert Collection.objects.get().items.count() == 1


def test_sku_of_another_seller_is_taken_and_no_more_is_said() -> None:
    seller, other = SellerFactory(), SellerFactory(name="Rival")
    secret = vase(handle="secret", title="Not yet announced")
    publishing.save_product(secret, seller=other, stock_taking=FIRST_COUNT)

    run = bring(f"{HEADER}mug,Mug,,,VASE,5,\n", seller=seller, actor=member_of(seller))

    assert (run.created, run.refused) == (0, 1)
    assert findings(run) == [
        (
            2,
            "SKU",
            False,
            "The SKU VASE is taken in this shop already; every variant needs its own.",
        )
    ]
