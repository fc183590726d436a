from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import factory
from django.db import transaction
from django.utils.text import slugify
from factory.django import DjangoModelFactory

from catalog.models import (
    Attribute,
    AttributeValue,
    Category,
    Collection,
    ImageAsset,
    Option,
    OptionValue,
    Product,
    ProductImage,
    ProductVariant,
    Review,
)
from catalog.services import reviews, stock, summaries
from shop.models import TaxClass
from tests.factories.accounts import SellerFactory, StaffFactory

PUBLISHED_AT = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)


class TaxClassFactory(DjangoModelFactory[TaxClass]):
    class Meta:
        model = TaxClass
        django_get_or_create = ("code",)

    code = "standard"
    name = "Standard"


class CategoryFactory(DjangoModelFactory[Category]):
    class Meta:
        model = Category

    slug = factory.Sequence(lambda n: f"category-{n}")
    name = factory.Sequence(lambda n: f"Category {n}")
    path = factory.LazyAttribute(
        lambda category: (
            f"{category.parent.path}/{category.slug}"
            if getattr(category, "parent", None)
            else category.slug
        )
    )


class CollectionFactory(DjangoModelFactory[Collection]):
    """A collection by rule, of everything unless told otherwise."""

    class Meta:
        model = Collection

    slug = factory.Sequence(lambda n: f"collection-{n}")
    name = factory.Sequence(lambda n: f"Collection {n}")
    kind = Collection.Kind.RULE


class ImageAssetFactory(DjangoModelFactory[ImageAsset]):
    """A picture whose renditions are made; no file is behind it."""

    class Meta:
        model = ImageAsset

    base = factory.Sequence(lambda n: f"pictures/{n:04}")
    original = factory.LazyAttribute(lambda asset: f"originals/{asset.base[-4:]}.jpg")
    width = 800
    height = 1000
    checksum = factory.Sequence(lambda n: f"{n:064}")
    renditions = factory.LazyFunction(
        lambda: {"avif": [400, 800], "webp": [400, 800], "jpeg": [400, 800]}
    )
    ready_at = PUBLISHED_AT


class ProductFactory(DjangoModelFactory[Product]):
    """An active product without a variant, which no page shows yet."""

    class Meta:
        model = Product

    slug = factory.Sequence(lambda n: f"product-{n}")
    title = factory.Sequence(lambda n: f"Product {n}")
    status = Product.Status.ACTIVE
    published_at = PUBLISHED_AT
    seller = factory.SubFactory(SellerFactory)
    tax_class = factory.SubFactory(TaxClassFactory)


class ProductImageFactory(DjangoModelFactory[ProductImage]):
    class Meta:
        model = ProductImage

    product = factory.SubFactory(ProductFactory)
    asset = factory.SubFactory(ImageAssetFactory)
    alt = "A photograph"


class OptionFactory(DjangoModelFactory[Option]):
    class Meta:
        model = Option

    product = factory.SubFactory(ProductFactory)
    name = "Glaze"


class OptionValueFactory(DjangoModelFactory[OptionValue]):
    class Meta:
        model = OptionValue

    option = factory.SubFactory(OptionFactory)
    label = factory.Sequence(lambda n: f"Value {n}")


class VariantFactory(DjangoModelFactory[ProductVariant]):
    """A variant with pieces on the shelf: `VariantFactory(stock=3, values=[moss, large])`."""

    class Meta:
        model = ProductVariant
        skip_postgeneration_save = True

    product = factory.SubFactory(ProductFactory)
    sku = factory.Sequence(lambda n: f"SKU-{n}")
    price = Decimal("24.00")

    @factory.post_generation
    def values(self, create: bool, extracted: Iterable[OptionValue] | None, **_: Any) -> None:
        if extracted:
            self.option_values.set(extracted)  # type: ignore[attr-defined]

    @factory.post_generation
    def stock(self, create: bool, extracted: int | None, **_: Any) -> None:
        """Count the shelf, 10 pieces unless told otherwise, so that the ledger balances."""
        with transaction.atomic():
            if self.tracks_stock:  # type: ignore[attr-defined]
                pieces = 10 if extracted is None else extracted
                stock.count(self, pieces, reason="first count")  # type: ignore[arg-type]
            summaries.refresh([self.product_id])  # type: ignore[attr-defined]


class BuyableProductFactory(ProductFactory):
    """A product with one variant: `BuyableProductFactory(variant__price=Decimal("18.00"))`."""

    class Meta:
        model = Product
        skip_postgeneration_save = True

    variant = factory.RelatedFactory(VariantFactory, factory_related_name="product")


class AttributeFactory(DjangoModelFactory[Attribute]):
    class Meta:
        model = Attribute
        django_get_or_create = ("code",)

    code = "colour"
    name = factory.LazyAttribute(lambda attribute: attribute.code.capitalize())


class AttributeValueFactory(DjangoModelFactory[AttributeValue]):
    """A fact in words: `AttributeValueFactory(product=mug, text="Moss")`."""

    class Meta:
        model = AttributeValue

    product = factory.SubFactory(ProductFactory)
    attribute = factory.SubFactory(AttributeFactory)
    text = "Moss"
    facet = factory.LazyAttribute(lambda value: slugify(value.text))


class ReviewFactory(DjangoModelFactory[Review]):
    """A published review; the product's rating follows: `ReviewFactory(product=mug, stars=5)`."""

    class Meta:
        model = Review
        skip_postgeneration_save = True

    product = factory.SubFactory(BuyableProductFactory)
    email = factory.Sequence(lambda n: f"reader-{n}@example.com")
    language = "en"
    name = "Ada"
    stars = 4
    title = "Sits well in the hand"
    text = "Every morning."

    @factory.post_generation
    def published(self, create: bool, extracted: bool | None, **_: Any) -> None:
        if extracted is not False:
            with transaction.atomic():
                reviews.publish(self.pk, by=StaffFactory())  # type: ignore[attr-defined]
            self.refresh_from_db()  # type: ignore[attr-defined]
