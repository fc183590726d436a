from __future__ import annotations

from typing import Any

import pytest

from catalog.queries import list_variant_pictures
from tests.factories.catalog import BuyableProductFactory, ProductImageFactory, VariantFactory


@pytest.mark.django_db
def test_a_variant_shows_its_own_picture_or_the_first_of_its_product(
    django_assert_num_queries: Any,
) -> None:
    first = ProductImageFactory(alt="Front", position=0)
    moss = ProductImageFactory(product=first.product, alt="Moss", position=1)
    own = VariantFactory(product=first.product, image=moss)
    plain = VariantFactory(product=first.product)
    bare = BuyableProductFactory().variants.get()
    wanted = {v.pk: (v.product_id, v.image_id) for v in (own, plain, bare)}

    with django_assert_num_queries(1):
        pictures = list_variant_pictures(wanted)

    assert {pk: picture.alt for pk, picture in pictures.items()} == {
        own.pk: "Moss",
        plain.pk: "Front",
    }


@pytest.mark.django_db
def test_pictures_on_another_host_have_its_address(settings: Any) -> None:
    settings.MEDIA_URL = "https://pictures.example.com/shop"
    image = ProductImageFactory(asset__base="p/1")
    variant = VariantFactory(product=image.product)

    picture = list_variant_pictures({variant.pk: (variant.product_id, None)})[variant.pk]

    assert picture.src == "https://pictures.example.com/shop/p/1-800.jpg"


@pytest.mark.django_db
def test_largest_file_is_the_one_to_look_at_closely() -> None:
    ready = ProductImageFactory(asset__base="p/1")
    waiting = ProductImageFactory(
        asset__base="", asset__original="o/2.jpg", asset__renditions={}, asset__ready_at=None
    )
    variants = [VariantFactory(product=image.product) for image in (ready, waiting)]

    pictures = list_variant_pictures({v.pk: (v.product_id, None) for v in variants})

    assert [pictures[variant.pk].largest for variant in variants] == [
        "/media/p/1-800.webp",
        "/media/o/2.jpg",
    ]


def test_no_variants_need_no_statement(django_assert_num_queries: Any, db: None) -> None:
    with django_assert_num_queries(0):
        assert list_variant_pictures({}) == {}
