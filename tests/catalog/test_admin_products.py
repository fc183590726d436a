from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.models import Seller, SellerMember
from catalog.models import ImageAsset, Product, ProductVariant, StockMovement
from catalog.records import AttributeRecord
from catalog.services import publishing
from tests.admin_forms import address, errors, sign_in, submit
from tests.catalog.pictures import picture
from tests.catalog.records import FIRST_COUNT, mug, vase
from tests.factories.accounts import SellerFactory, SellerMemberFactory
from tests.factories.catalog import CategoryFactory, TaxClassFactory

pytestmark = pytest.mark.django_db

ADD = "/admin/catalog/product/add/"


@pytest.fixture
def seller() -> Seller:
    return SellerFactory(slug="havre", name="Havre")


@pytest.fixture
def owner(seller: Seller) -> Client:
    member = SellerMemberFactory(seller=seller, role=SellerMember.Role.OWNER)
    return sign_in(member.user)


def change_page(product: Product) -> str:
    return address("catalog_product", "change", product.pk)


def save(record: Any, seller: Seller) -> Product:
    return publishing.save_product(record, seller=seller, stock_taking=FIRST_COUNT).product


def test_seller_puts_a_product_with_picture_and_options_on_sale(
    owner: Client, seller: Seller
) -> None:
    first = submit(
        owner,
        ADD,
        title="Dune mug",
        slug="dune-mug",
        status="active",
        seller=seller.pk,
        tax_class=TaxClassFactory().pk,
        tags="mug,tea",
        description="<p onclick='x()'>Fine<script>alert(1)</script></p>",
        images__TOTAL_FORMS=1,
        images__0__upload=SimpleUploadedFile("IMG_1.jpg", picture().getvalue()),
        images__0__alt="A mug",
        images__0__position=0,
        options__TOTAL_FORMS=1,
        options__0__name="Glaze",
        options__0__choices="Moss #7B7F63\nDark ink",
        options__0__position=0,
        _continue="1",
    )
    assert first.status_code == 302, errors(first)
    product = Product.objects.get()
    moss, ink = product.options.get().values.all()

    second = submit(
        owner,
        change_page(product),
        variants__TOTAL_FORMS=1,
        variants__0__sku="MUG-MOSS",
        variants__0__price="24.00",
        variants__0__weight_grams="330",
        variants__0__is_active="on",
        variants__0__tracks_stock="on",
        variants__0__position="0",
        variants__0__option_values=[moss.pk],
    )

    assert second.status_code == 302, errors(second)
    product.refresh_from_db()
    assert product.description == "<p>Fine</p>"
    assert product.published_at
    assert product.tags == ["mug", "tea"]
    assert product.price_from == Decimal("24.00")
    assert (moss.label, moss.swatch, ink.label, ink.swatch) == ("Moss", "#7b7f63", "Dark ink", "")
    variant = ProductVariant.objects.get()
    assert (variant.label, variant.stock_level.on_hand) == ("Moss", 0)
    assert product.images.get().asset == ImageAsset.objects.get()
    assert product.search


def test_saving_a_product_untouched_changes_nothing_that_matters(
    owner: Client, seller: Seller
) -> None:
    facts = (AttributeRecord("Capacity", ("0.9 l",)), AttributeRecord("Vegan", ("Yes",)))
    product = save(mug(attributes=facts, tags=("tea", "cup")), seller)
    columns = ("slug", "status", "tags", "price_from", "price_to", "is_available", "search")
    before = Product.objects.values_list(*columns).get()
    labels = list(product.variants.values_list("sku", "label", "position"))
    stated = list(product.attribute_values.values_list("facet", "number", "boolean"))

    answer = submit(owner, change_page(product))

    assert answer.status_code == 302, errors(answer)
    assert Product.objects.values_list(*columns).get() == before
    assert list(product.variants.values_list("sku", "label", "position")) == labels
    assert list(product.attribute_values.values_list("facet", "number", "boolean")) == stated


def test_new_label_of_an_option_reaches_carts_through_the_variants(
    owner: Client, seller: Seller
) -> None:
    product = save(mug(), seller)
    publishing.save_product(vase(), seller=seller, stock_taking=FIRST_COUNT)
    value = product.options.get().values.get(label="Ink")

    answer = submit(owner, change_page(product), options__0__choices="Moss #7b7f63\nInk #3f444b")

    assert answer.status_code == 302, errors(answer)
    value.refresh_from_db()
    assert value.swatch == "#3f444b"
    assert list(product.variants.values_list("label", flat=True)) == ["Moss", "Ink"]


def test_file_that_is_no_picture_is_named_and_the_product_stays(
    owner: Client, seller: Seller
) -> None:
    product = save(vase(), seller)

    answer = submit(
        owner,
        change_page(product),
        title="Other",
        images__TOTAL_FORMS=1,
        images__0__upload=SimpleUploadedFile("photo.jpg", b"<svg onload=alert(1)>"),
        images__0__position=0,
    )

    assert errors(answer) == [
        "This file is not a picture. JPEG, PNG, WebP, AVIF and GIF are welcome."
    ]
    assert Product.objects.get().title == "Knop vase"
    assert not ImageAsset.objects.exists()


def test_two_variants_with_the_same_options_are_refused(owner: Client, seller: Seller) -> None:
    product = save(mug(), seller)
    moss = product.options.get().values.get(label="Moss")

    answer = submit(owner, change_page(product), variants__1__option_values=[moss.pk])

    assert errors(answer) == ["Another variant has the same options."]


def test_fact_that_does_not_fit_its_kind_is_refused_in_words(owner: Client, seller: Seller) -> None:
    product = save(vase(attributes=(AttributeRecord("Capacity", ("320 ml",)),)), seller)

    answer = submit(owner, change_page(product), attribute_values__0__value="large")

    assert errors(answer) == ["Write a number, such as 12.5 ml."]


def test_seller_sees_and_changes_only_own_products(owner: Client) -> None:
    foreign = save(vase(), SellerFactory())
    page = change_page(foreign)

    listed = owner.get(address("catalog_product", "changelist"))
    opened = owner.get(page)
    posted = owner.post(page, {"title": "Mine now"})
    history = owner.get(address("catalog_product", "history", foreign.pk))
    deleted = owner.post(address("catalog_product", "delete", foreign.pk), {"post": "yes"})

    assert "Knop vase" not in listed.content.decode()
    assert opened.status_code == posted.status_code == history.status_code == 302
    assert deleted.status_code in {302, 403}
    assert Product.objects.get().title == "Knop vase"


def test_product_whose_stock_was_ever_counted_keeps_its_ledger() -> None:
    product = save(vase(), SellerFactory())

    answer = sign_in().post(address("catalog_product", "delete", product.pk), {"post": "yes"})

    assert answer.status_code == 200
    assert Product.objects.filter(pk=product.pk).exists()
    assert StockMovement.objects.exists()


def test_seller_cannot_sell_in_another_sellers_name(owner: Client) -> None:
    other = SellerFactory()

    answer = submit(
        owner,
        ADD,
        title="Fake",
        slug="fake",
        status="active",
        seller=other.pk,
        tax_class=TaxClassFactory().pk,
    )

    assert "Select a valid choice" in errors(answer)[0]
    assert not Product.objects.exists()


def test_packer_reads_and_changes_nothing(seller: Seller) -> None:
    packer = sign_in(SellerMemberFactory(seller=seller, role=SellerMember.Role.PACKER).user)
    product = save(mug(attributes=(AttributeRecord("Capacity", ("320 ml",)),)), seller)

    read = packer.get(change_page(product))
    posted = packer.post(change_page(product), {"title": "Other"})

    assert read.status_code == 200
    assert posted.status_code == 403
    assert packer.get(ADD).status_code == 403
    assert Product.objects.get().title == "Dune mug"


def test_seller_looks_categories_up_and_leaves_them_alone(owner: Client) -> None:
    category = CategoryFactory(slug="vases", name="Vases")
    lookup = {"app_label": "catalog", "model_name": "product", "field_name": "category"}

    found = owner.get("/admin/autocomplete/", lookup | {"term": "vas"}).json()
    page = address("catalog_category", "change", category.pk)

    assert [row["id"] for row in found["results"]] == [str(category.pk)]
    assert owner.post(page, {"name": "Mine"}).status_code == 403
    assert owner.get("/admin/catalog/category/add/").status_code == 403


def test_staff_without_rights_or_seller_sees_no_product() -> None:
    from tests.factories.accounts import StaffFactory

    browser = sign_in(StaffFactory())

    assert browser.get(address("catalog_product", "changelist")).status_code == 403


def test_packer_of_one_shop_who_manages_another_changes_only_that(seller: Seller) -> None:
    member = SellerMemberFactory(seller=seller, role=SellerMember.Role.PACKER)
    managed = SellerMemberFactory(user=member.user, role=SellerMember.Role.MANAGER).seller
    browser = sign_in(member.user)
    packed, own = save(vase(), seller), save(mug(), managed)

    refused = browser.post(change_page(packed), {"title": "Other"})
    saved = submit(browser, change_page(own), title="Better mug")

    assert refused.status_code == 403
    assert saved.status_code == 302, errors(saved)
    assert Product.objects.get(pk=own.pk).title == "Better mug"
