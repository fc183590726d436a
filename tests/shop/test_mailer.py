"""Mail is a row first; it is sent once, and a mail that cannot be sent says why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction

from shop.clock import now
from shop.models import Mail, OutboxMessage
from shop.services import mailer
from shop.transactions import TransactionRuleBroken
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db


class UnreachableServer(BaseEmailBackend):
    """A mail server that nobody answers at."""

    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError("nobody answers")


@pytest.fixture(autouse=True)
def _mails(settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


def queue(**changes: str) -> Mail:
    fields = {
        "kind": "orders.confirmation",
        "reference": "A1",
        "recipient": "ada@example.com",
        "subject": "Your order",
        "text": "Thank you",
        "html": "<p>Thank you</p>",
        "language": "de",
    }
    with transaction.atomic():
        mailer.queue(**(fields | changes))
    return Mail.objects.latest("id")


def test_a_mail_carries_text_html_and_its_marks(mailoutbox: list[Any], settings: Any) -> None:
    settings.SHOP_NAME, settings.SHOP_EMAIL = "Maison & Söhne, Paris", "hello@shop.example"
    mail = queue()

    deliver_outbox()

    (message,) = mailoutbox
    sent = message.message()
    assert (message.to, message.subject, message.body) == (
        ["ada@example.com"],
        "Your order",
        "Thank you",
    )
    assert [(part.content, part.mimetype) for part in message.alternatives] == [
        ("<p>Thank you</p>", "text/html")
    ]
    assert sent["Message-ID"] == f"<orders.confirmation.{mail.pk}@shop.example>"
    assert (sent["Content-Language"], sent["Auto-Submitted"]) == ("de", "auto-generated")
    assert "hello@shop.example" in sent["From"]
    mail.refresh_from_db()
    assert mail.sent_at is not None
    assert (mail.sending_at, mail.error) == (None, "")


def test_one_occasion_is_one_mail(mailoutbox: list[Any]) -> None:
    queue()
    queue(subject="Once more")

    deliver_outbox()

    assert [message.subject for message in mailoutbox] == ["Your order"]


def test_a_mail_that_was_sent_is_not_sent_again(mailoutbox: list[Any]) -> None:
    mail = queue()
    deliver_outbox()

    assert mailer.send(mail.pk) is False

    assert len(mailoutbox) == 1


def test_while_one_worker_sends_another_comes_back_later(mailoutbox: list[Any]) -> None:
    mail = queue()
    Mail.objects.update(sending_at=now() - timedelta(minutes=4))

    with pytest.raises(mailer.BeingSent):
        mailer.send(mail.pk)

    assert mailoutbox == []


def test_a_mail_in_the_hands_of_a_worker_that_died_is_sent_by_another(
    mailoutbox: list[Any],
) -> None:
    mail = queue()
    Mail.objects.update(sending_at=now() - timedelta(minutes=4))
    with pytest.raises(AssertionError, match="BeingSent"):
        deliver_outbox()
    message = OutboxMessage.objects.get()
    assert (message.done_at, message.dead_at) == (None, None)

    Mail.objects.update(sending_at=now() - timedelta(minutes=6))
    OutboxMessage.objects.update(available_at=now() - timedelta(minutes=10), error="")
    deliver_outbox()

    mail.refresh_from_db()
    assert mail.sent_at is not None
    assert len(mailoutbox) == 1


def test_a_code_that_opens_an_account_is_forgotten_once_it_was_sent(
    settings: Any, mailoutbox: list[Any]
) -> None:
    settings.HAS_MAIL_SERVER = True
    code = queue(kind="account.email.login_code", text="Your code: A1B2", html="<p>A1B2</p>")
    order = queue(text="Thank you")

    deliver_outbox()

    code.refresh_from_db()
    order.refresh_from_db()
    assert [message.body for message in mailoutbox] == ["Your code: A1B2", "Thank you"]
    assert (code.text, code.html) == ("", "")
    assert (order.text, order.html) == ("Thank you", "<p>Thank you</p>")


def test_the_mailbox_page_of_a_trial_shop_keeps_the_code(mailoutbox: list[Any]) -> None:
    code = queue(kind="account.email.login_code", text="Your code: A1B2")

    deliver_outbox()

    code.refresh_from_db()
    assert code.text == "Your code: A1B2"


def test_a_server_that_does_not_answer_leaves_the_reason_and_the_mail_waiting(
    settings: Any, mailoutbox: list[Any]
) -> None:
    mail = queue()
    settings.EMAIL_BACKEND = f"{__name__}.UnreachableServer"

    with pytest.raises(ConnectionRefusedError):
        mailer.send(mail.pk)

    mail.refresh_from_db()
    assert (mail.sent_at, mail.sending_at) == (None, None)
    assert mail.error == "ConnectionRefusedError: nobody answers"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert mailer.send(mail.pk) is True
    assert len(mailoutbox) == 1


def test_a_subject_never_breaks_into_the_headers(mailoutbox: list[Any]) -> None:
    queue(subject="Your order\r\nBcc: everybody@example.com")

    deliver_outbox()

    (message,) = mailoutbox
    assert message.subject == "Your order Bcc: everybody@example.com"
    assert message.recipients() == ["ada@example.com"]


def test_mail_is_never_sent_while_a_transaction_is_open(mailoutbox: list[Any]) -> None:
    mail = queue()

    with transaction.atomic(), pytest.raises(TransactionRuleBroken):
        mailer.send(mail.pk)

    assert mailoutbox == []
