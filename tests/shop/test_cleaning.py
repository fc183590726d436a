"""What tests that commit leave behind is gone before the next one, and nothing is left switched off."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection

from catalog.models import ProductVariant
from orders.models import Order
from shop.models import OutboxMessage
from tests import cleaning
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_shop_with_an_order_is_emptied_and_its_triggers_wake_up_again() -> None:
    place_order(VariantFactory(stock=3, price=Decimal("24.00")))
    permissions = Permission.objects.count()

    cleaning.empty(cleaning._list_tables())

    assert not any(kind.objects.exists() for kind in (Order, ProductVariant, OutboxMessage))
    assert Permission.objects.count() == permissions > 0
    with connection.cursor() as cursor:
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("origin",)
    with pytest.raises(IntegrityError):
        ProductVariant.objects.bulk_create([ProductVariant(product_id=1, sku="no-product")])


def test_whatever_refers_to_a_table_is_named() -> None:
    found = cleaning.list_with_referring(["orders_order"])

    assert {"orders_order", "orders_orderline", "orders_orderrefundline"} <= set(found)
    assert "catalog_product" not in found
