"""I20: whatever order a provider's events come in, and however often, the end is the same."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from orders.models import Order
from orders.services import payment
from payments.models import Dispute, PaymentTransaction, ProviderEvent, ReconciliationBreak, Refund
from payments.simulator.running import Simulator
from shop.models import Mail, OutboxMessage
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay, session_of
from tests.outbox import deliver_outbox
from tests.payments.events import list_events, post_event

pytestmark = pytest.mark.django_db

THE_END = {
    "order": ("placed", "partially_refunded", "unfulfilled"),
    "attempt": "captured",
    "money": Counter(
        {
            ("capture", "28.90"): 1,
            ("refund", "7.00"): 1,
            ("dispute", "21.90"): 1,
            ("dispute_won", "21.90"): 1,
            ("fee", "15.00"): 1,
        }
    ),
    "refunds": [("succeeded", "7.00", True)],
    "disputes": [("won", "21.90")],
    "timeline": Counter(
        {
            **dict.fromkeys(("placed", "paid", "refunded", "refund_imported"), 1),
            **dict.fromkeys(("dispute_opened", "dispute_closed"), 1),
            "dispute_moved": 2,
            "provider_fee": 1,
        }
    ),
    "confirmations": 1,
    "breaks": 0,
}


@pytest.mark.parametrize("is_told_meanwhile", [False, True], ids=["afterwards", "meanwhile"])
@hypothesis_settings(
    max_examples=6,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_events_of_a_purchase_lead_to_one_end_in_any_order(
    simulator: Simulator, settings: Any, is_told_meanwhile: bool, seed: int
) -> None:
    chance = Random(seed)
    OutboxMessage.objects.filter(task="payments.apply_event").delete()  # of examples before this
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    order = place_order(VariantFactory(stock=3))
    payment.start(order)
    session = session_of(order)

    pay(simulator, order)
    if is_told_meanwhile:
        tell_some(simulator, session, chance)
    simulator.begin_refund(session, amount=700, webhook="never")
    if is_told_meanwhile:
        tell_some(simulator, session, chance)
    made = simulator.open_dispute(session, amount=2190, webhook="never")
    if is_told_meanwhile:
        tell_some(simulator, session, chance)
    simulator.decide_dispute(made["id"], is_won=True, webhook="never")
    events = list_events(simulator, session)
    chance.shuffle(events)
    tell(events + chance.choices(events, k=5), chance)

    assert state_of(order) == THE_END
    unsaid = ProviderEvent.objects.filter(attempt=attempt_of(order), outcome="")
    assert list(unsaid) == []


def tell_some(simulator: Simulator, session: str, chance: Random) -> None:
    """Tell some of what has happened so far, in any order, some of it twice."""
    events = list_events(simulator, session)
    tell(chance.choices(events, k=chance.randint(0, 4)), chance)


def tell(events: list[dict[str, Any]], chance: Random) -> None:
    """Post events; tasks run between them or later, and some run again."""
    for event in events:
        assert post_event(event).status_code == 200
        if chance.random() < 0.5:
            deliver_outbox()
    if chance.random() < 0.5:
        work = OutboxMessage.objects.filter(task="payments.apply_event")
        work.update(done_at=None, unheard_runs=0)
    deliver_outbox()


def state_of(order: Order) -> dict[str, Any]:
    order.refresh_from_db()
    attempt = attempt_of(order)
    refunds = Refund.objects.filter(attempt=attempt)
    return {
        "order": (order.status, order.payment_status, order.fulfilment_status),
        "attempt": attempt.status,
        "money": Counter(
            (row.kind, f"{row.amount:.2f}")
            for row in PaymentTransaction.objects.filter(attempt=attempt)
        ),
        "refunds": [
            (each.status, f"{each.amount:.2f}", each.is_begun_elsewhere) for each in refunds
        ],
        "disputes": [
            (each.status, f"{each.amount:.2f}") for each in Dispute.objects.filter(attempt=attempt)
        ],
        "timeline": Counter(order.events.values_list("kind", flat=True)),
        "confirmations": Mail.objects.filter(
            kind="orders.confirmation", reference=order.number
        ).count(),
        "breaks": ReconciliationBreak.objects.filter(attempt=attempt).count(),
    }
