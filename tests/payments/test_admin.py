"""Payments can be looked at in the admin, and never typed."""

from __future__ import annotations

import httpx
import pytest
from django.test import Client

from orders.services import cancellation, payment
from payments.models import PaymentAttempt, ProviderEvent, Refund
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.outbox import deliver_outbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("simulator")]


@pytest.fixture
def staff() -> Client:
    client = Client()
    admin = UserFactory(is_staff=True, is_superuser=True)
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def refund() -> Refund:
    order = place_order(VariantFactory())
    httpx.post(payment.start(order), data={"choice": "approve", "webhook": "never"})
    payment.check(order)
    admin = UserFactory(is_staff=True, is_superuser=True)
    order.refresh_from_db()
    cancellation.cancel(order, by=admin, reason="Changed their mind")
    deliver_outbox()
    return Refund.objects.get()


def test_every_payments_page_answers_and_none_can_be_changed(staff: Client, refund: Refund) -> None:
    event = ProviderEvent.objects.create(
        provider="stripe",
        event_id="evt_1",
        type="charge.refunded",
        payload={"note": "<b>bold</b>"},
        attempt=refund.attempt,
    )
    rows = {"paymentattempt": refund.attempt_id, "refund": refund.pk, "providerevent": event.pk}

    for model, pk in rows.items():
        base = f"/admin/payments/{model}/"
        views = ["", f"{pk}/change/", f"{pk}/history/", "?q=x", "?q=%00", "?status__exact=x"]
        for view in views:
            assert staff.get(base + view, follow=True).status_code == 200, base + view
        assert staff.get(f"{base}{pk}/delete/").status_code == 403
        assert staff.get(f"{base}add/").status_code == 403
        assert staff.post(f"{base}{pk}/change/", {"status": "captured"}).status_code == 403


def test_an_attempt_shows_its_money_and_what_came_back(staff: Client, refund: Refund) -> None:
    page = staff.get(f"/admin/payments/paymentattempt/{refund.attempt_id}/change/")

    text = page.content.decode()
    assert "€28.90" in text
    assert "Changed their mind" in text
    assert PaymentAttempt.objects.get().provider_payment_id in text


def test_what_a_provider_told_is_shown_as_text(staff: Client) -> None:
    event = ProviderEvent.objects.create(
        provider="stripe", event_id="evt_1", type="x", payload={"note": "<script>1</script>"}
    )

    text = staff.get(f"/admin/payments/providerevent/{event.pk}/change/").content.decode()

    assert "&lt;script&gt;1&lt;/script&gt;" in text
    assert "<script>1</script>" not in text
