"""Side effects are decided with the change, once per key."""

from __future__ import annotations

import pytest
from django.db import connection, transaction

from shop.models import OutboxMessage
from shop.services import outbox
from shop.transactions import TransactionRuleBroken


@pytest.mark.django_db
def test_a_message_says_what_to_run_with_what() -> None:
    with transaction.atomic():
        outbox.enqueue("shop.send_mail", key="mail:7", mail_id=7)

    message = OutboxMessage.objects.get()
    assert (message.key, message.task, message.payload) == (
        "mail:7",
        "shop.send_mail",
        {"mail_id": 7},
    )
    assert (message.attempts, message.done_at, message.dead_at) == (0, None, None)


@pytest.mark.django_db
def test_a_key_that_was_used_before_does_nothing() -> None:
    with transaction.atomic():
        outbox.enqueue("shop.send_mail", key="mail:7", mail_id=7)
        outbox.enqueue("shop.send_mail", key="mail:7", mail_id=8)

    assert OutboxMessage.objects.get().payload == {"mail_id": 7}


@pytest.mark.django_db
def test_a_change_that_is_rolled_back_has_no_side_effect() -> None:
    with transaction.atomic():
        outbox.enqueue("shop.send_mail", key="mail:7", mail_id=7)
        transaction.set_rollback(True)

    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_side_effect_outside_a_transaction_is_refused() -> None:
    with pytest.raises(TransactionRuleBroken):
        outbox.enqueue("shop.send_mail", key="mail:7", mail_id=7)

    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db
def test_a_delayed_message_waits() -> None:
    with transaction.atomic():
        outbox.enqueue("shop.send_mail", key="mail:7", delay=60, mail_id=7)

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT round(extract(epoch FROM available_at - now())) FROM shop_outboxmessage"
        )
        assert cursor.fetchone() == (60,)
