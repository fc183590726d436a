"""What tests of the back office share: orders in every state, and people who sign in."""

from __future__ import annotations

import httpx
from django.test import Client

from accounts.models import Seller, User
from catalog.models import ProductVariant
from orders.models import Order
from orders.services import payment
from payments.models import PaymentAttempt
from tests.factories.accounts import SellerMemberFactory, UserFactory
from tests.factories.orders import place_order


def sign_in(user: User) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def make_admin() -> User:
    return UserFactory(is_staff=True, is_superuser=True, name="Alex Admin")


def make_packer(seller: Seller) -> User:
    return SellerMemberFactory(seller=seller, role="packer").user


def place_paid_order(*variants: ProductVariant, quantity: int = 1) -> Order:
    """Place an order and pay for it at the simulator."""
    order = place_order(*variants, quantity=quantity)
    httpx.post(payment.start(order), data={"choice": "approve", "webhook": "never"})
    payment.check(order)
    order.refresh_from_db()
    assert order.payment_status == Order.PaymentStatus.PAID
    return order


def attempt_of(order: Order) -> PaymentAttempt:
    return PaymentAttempt.objects.get(pk=order.payments.get().attempt_id)
