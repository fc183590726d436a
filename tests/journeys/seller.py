"""What a seller does to the shop while somebody else is buying."""

from __future__ import annotations

from decimal import Decimal

from django.db import transaction

from catalog.models import Product, ProductVariant
from catalog.services import summaries


def reprice(price: str) -> None:
    """Give everything in the shop another price."""
    ProductVariant.objects.update(price=Decimal(price))
    _refresh()


def hide_variant(variant: ProductVariant) -> None:
    ProductVariant.objects.filter(pk=variant.pk).update(is_active=False)
    _refresh()


def hide_product(variant: ProductVariant) -> None:
    Product.objects.filter(pk=variant.product_id).update(status=Product.Status.DRAFT)
    _refresh()


def _refresh() -> None:
    with transaction.atomic():
        summaries.refresh(list(Product.objects.values_list("pk", flat=True)))
