"""Every way of changing what pages show tells the journal, and nothing else does."""

from __future__ import annotations

from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.db import transaction

from accounts.services.sellers import save_seller
from catalog.models import Attribute, Category, ImageAsset, Product, ProductVariant
from catalog.services import categories, media, publishing, stock, summaries
from catalog.services.publishing import StockTaking
from shop.models import Change
from shop.services import content
from tests.admin_forms import address, sign_in, submit
from tests.catalog.pictures import picture
from tests.catalog.records import mug as mug_record
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import (
    AttributeFactory,
    BuyableProductFactory,
    CategoryFactory,
    ProductImageFactory,
    VariantFactory,
)

pytestmark = pytest.mark.django_db


def told() -> set[str]:
    """Return what was announced since the last time, less what concerns the search alone."""
    subjects = set(Change.objects.values_list("subject", flat=True))
    Change.objects.all().delete()
    return {each for each in subjects if not each.startswith(("words:", "vocabulary"))}


@pytest.fixture
def mug() -> Product:
    mug = BuyableProductFactory(title="Mug", category=CategoryFactory())
    mug.refresh_from_db()
    told()
    return mug


class TestSummaries:
    def test_only_rows_that_change_are_told_in_one_statement(
        self, mug: Product, django_assert_num_queries: Any
    ) -> None:
        bowl = BuyableProductFactory()
        mug.variants.update(price=Decimal("31.00"))
        told()

        with django_assert_num_queries(3):  # Lock, refresh, announce.
            assert summaries.refresh([mug.pk, bowl.pk]) == 1
        assert told() == {f"product:{mug.pk}"}

        with django_assert_num_queries(2):
            assert summaries.refresh([mug.pk, bowl.pk]) == 0
        assert told() == set()


class TestStock:
    def test_pieces_are_told_once_they_are_few(self, mug: Product) -> None:
        variant = mug.variants.get()
        for quantity, expected in [
            (4, set()),
            (1, {f"pieces:{mug.pk}"}),
            (5, {f"pieces:{mug.pk}", f"product:{mug.pk}"}),
        ]:
            stock.allocate({variant.pk: quantity}, reference="T-1")
            assert told() == expected

        stock.sell({variant.pk: 10}, reference="T-1")
        assert told() == set()
        stock.take_back({variant.pk: 10}, reference="T-1")
        assert told() == {f"pieces:{mug.pk}", f"product:{mug.pk}"}

    def test_release_is_told_where_few_were_left(self, mug: Product) -> None:
        variant = mug.variants.get()
        stock.allocate({variant.pk: 5}, reference="T-1")
        told()
        stock.release({variant.pk: 1}, reference="T-1")
        assert told() == {f"pieces:{mug.pk}"}
        stock.release({variant.pk: 4}, reference="T-1")
        assert told() == set()

    def test_counting_the_shelf_is_told(self, mug: Product) -> None:
        variant = mug.variants.get()
        stock.set_on_hand(variant, 0, actor=None, reason="Broken")
        assert told() == {f"pieces:{mug.pk}", f"product:{mug.pk}"}

        stock.set_on_hand(variant, 0, actor=None, reason="Again")
        assert told() == set()

    def test_a_variant_sold_out_beside_others_is_told(self, mug: Product) -> None:
        second = VariantFactory(product=mug, stock=1)
        told()
        stock.allocate({second.pk: 1}, reference="T-1")
        assert told() == {f"pieces:{mug.pk}"}
        stock.release({second.pk: 1}, reference="T-1")


class TestServices:
    def test_a_product_saved_again_without_a_change_is_not_told(self) -> None:
        seller, taking = SellerFactory(), StockTaking(reason="Import")
        saved = publishing.save_product(mug_record(), seller=seller, stock_taking=taking)
        subject = f"product:{saved.product.pk}"
        assert subject in told()

        publishing.save_product(mug_record(), seller=seller, stock_taking=taking)
        assert told() == set()

        publishing.save_product(mug_record(title="Cup"), seller=seller, stock_taking=taking)
        assert told() == {subject}

    def test_a_seller(self) -> None:
        seller = save_seller("havre", name="Havre", country="FR")
        assert told() == {f"seller:{seller.pk}"}
        save_seller("havre", name="Havre", country="FR")
        assert told() == set()
        save_seller("havre", name="Le Havre", country="FR")
        assert told() == {f"seller:{seller.pk}"}

    def test_a_picture_that_is_ready(self, mug: Product) -> None:
        asset = media.add_image(BytesIO(picture("PNG").getvalue()))
        ProductImageFactory(product=mug, asset=asset)
        told()
        media.make_renditions(asset.pk)
        assert told() == {f"product:{mug.pk}"}

        assert not media.make_renditions(asset.pk)
        assert told() == set()

    def test_a_category_s_picture_that_is_ready(self) -> None:
        asset = media.add_image(BytesIO(picture("PNG").getvalue()))
        CategoryFactory(image=ImageAsset.objects.get(pk=asset.pk))
        media.make_renditions(asset.pk)
        assert told() == {"categories"}

    def test_categories(self) -> None:
        categories.save(Category(name="Cups", slug="cups"))
        assert told() == {"categories"}

    def test_content_pages(self) -> None:
        page = content.save_page(content.Page(slug="imprint", title="Imprint", body=""))
        assert told() == {"pages"}
        content.delete_pages([page])
        assert told() == {"pages"}


class TestAdmin:
    def test_a_product(self, mug: Product) -> None:
        page = address("catalog_product", "change", mug.pk)
        assert submit(sign_in(), page, description="<p>New.</p>").status_code == 302
        assert f"product:{mug.pk}" in told()

        assert submit(sign_in(), page, variants__0__price="31.00").status_code == 302
        assert ProductVariant.objects.get().price == 31
        assert f"product:{mug.pk}" in told()

    def test_a_product_deleted_from_the_list(self) -> None:
        draft = Product.objects.create(
            title="Draft",
            slug="draft",
            seller=SellerFactory(),
            tax_class=BuyableProductFactory().tax_class,
        )
        told()
        delete("catalog_product", draft)
        assert not Product.objects.filter(pk=draft.pk).exists()
        assert told() == {f"product:{draft.pk}"}

    def test_a_category(self) -> None:
        category = CategoryFactory()
        page = address("catalog_category", "change", category.pk)
        assert submit(sign_in(), page, name="Mugs").status_code == 302
        assert told() == {"categories"}
        delete("catalog_category", category)
        assert told() == {"categories"}

    def test_an_attribute(self) -> None:
        attribute = AttributeFactory()
        page = address("catalog_attribute", "change", attribute.pk)
        assert submit(sign_in(), page, name="Tone").status_code == 302
        assert told() == {"attributes"}
        delete("catalog_attribute", attribute)
        assert not Attribute.objects.exists()
        assert told() == {"attributes"}

    def test_a_seller(self) -> None:
        seller = SellerFactory()
        page = address("accounts_seller", "change", seller.pk)
        assert submit(sign_in(), page, tagline="By hand").status_code == 302
        assert told() == {f"seller:{seller.pk}"}

    def test_a_content_page(self) -> None:
        with transaction.atomic():
            page = content.save_page(content.Page(slug="imprint", title="Imprint", body=""))
        told()
        delete("shop_page", page)
        assert told() == {"pages"}

    def test_one_row_deleted_from_its_own_page(self) -> None:
        category = CategoryFactory()
        answer = sign_in().post(address("catalog_category", "delete", category.pk), {"post": "yes"})
        assert answer.status_code == 302
        assert told() == {"categories"}


def delete(model: str, row: Any) -> None:
    """Tick a row in its list, choose to delete it, and confirm."""
    answer = sign_in().post(
        address(model, "changelist"),
        {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"},
    )
    assert answer.status_code == 302, answer.status_code
