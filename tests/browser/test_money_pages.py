"""The back office's pages about money fit a phone and a desk, by day and by night, with long texts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.timezone import localdate
from playwright.sync_api import Page, expect

from orders.models import Order
from orders.services import cancellation, offline, payment
from payments.models import Dispute, PaymentAttempt, ReconciliationBreak, Refund
from shop.clock import now
from shop.money import Money
from tests.browser.shelves import Shelves
from tests.browser.test_shipping import sign_in
from tests.factories.accounts import StaffFactory
from tests.factories.orders import place_order

LONG = "The shopper sent four photographs and would rather have the money than another one, " * 2
NUMBER = "ch_3QabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def place(shelves: Shelves, amount: str = "") -> Order:
    """Place an order by transfer, and write down what came for it."""
    order = place_order(shelves.moss, provider="offline")
    payment.start(order)
    if amount:
        offline.book_receipt(
            order,
            amount=order.total_money if amount == "all" else Money(Decimal(amount), "EUR"),
            received_on=localdate(),
            bank_reference="SEPA-4711-" * 14,
            by=StaffFactory(),
        )
    order.refresh_from_db()
    return order


def test_every_page_about_money_fits_every_screen(
    page: Page, shelves: Shelves, settings: Any
) -> None:
    settings.SHOP_OFFLINE_PAYMENT = "transfer"
    waiting, paid, held, fallen = (
        place(shelves, amount) for amount in ("", "all", "9999.99", "all")
    )
    cancellation.cancel(fallen, by=StaffFactory(), reason=LONG[:200])
    attempt = PaymentAttempt.objects.get(pk=paid.payments.get().attempt_id)
    dispute = Dispute.objects.create(
        attempt=attempt, provider="stripe", provider_id=NUMBER, amount=1, currency="EUR",
        reason="fraudulent", status="inquiry", due_by=now(), opened_at=now(),
    )  # fmt: skip
    found = ReconciliationBreak.objects.create(
        provider="stripe", subject="charge", provider_id=NUMBER, kind="differs",
        ours=1234567, ours_currency="EUR", theirs=37, theirs_currency="EUR",
        finding=LONG, happened_at=now(), last_seen_at=now(),
    )  # fmt: skip
    orders = "/admin/orders/order"
    paths = [
        f"{orders}/{held.pk}/change/",
        f"{orders}/{held.pk}/story/",
        f"{orders}/{fallen.pk}/change/",
        f"{orders}/{paid.pk}/refund/",
        f"{orders}/{paid.pk}/cancel/",
        f"{orders}/{waiting.pk}/money-came/",
        f"{orders}/{fallen.pk}/money-sent/{Refund.objects.get().pk}/",
        "/admin/payments/dispute/",
        f"/admin/payments/dispute/{dispute.pk}/change/",
        "/admin/payments/reconciliationbreak/",
        f"/admin/payments/reconciliationbreak/{found.pk}/change/",
    ]
    sign_in(page, StaffFactory(is_superuser=True))

    too_wide = []
    for width, theme in ((390, "dark"), (1440, "light")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        for path in paths:
            answer = page.goto(path)
            assert answer is not None
            assert answer.status == 200, path
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                too_wide.append((path, width))
    assert too_wide == []


def test_a_comma_can_be_typed_and_less_than_asked_for_is_explained(
    page: Page, shelves: Shelves, settings: Any
) -> None:
    settings.SHOP_OFFLINE_PAYMENT = "transfer"
    order = place(shelves)
    sign_in(page, StaffFactory(is_superuser=True))

    page.goto(f"/admin/orders/order/{order.pk}/money-came/")
    page.get_by_label("Amount").fill("12,00")
    page.get_by_role("button", name="The money has come").click()

    expect(page.get_by_text("If the rest is still to come, wait")).to_be_visible()
    expect(page.get_by_role("textbox", name="Amount")).to_have_value("12,00")
