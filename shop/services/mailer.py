"""Mail: a row first, the sending later, once."""

from __future__ import annotations

import logging
from datetime import timedelta
from email.utils import formataddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models import Q

from shop.clock import now
from shop.emails import RenderedMail
from shop.failpoints import failpoint
from shop.models import Mail, OutboxMessage
from shop.services import outbox, relay
from shop.transactions import inside_transaction, no_transaction, own_transaction

logger = logging.getLogger(__name__)

SENDING_TIMEOUT = timedelta(minutes=5)


class BeingSent(relay.NotYet):
    """Another worker is sending this mail, or died while it did."""


@inside_transaction
def queue(
    *,
    kind: str,
    reference: str,
    recipient: str,
    subject: str,
    text: str,
    html: str = "",
    language: str = "",
    unsubscribe_url: str = "",
) -> None:
    """Write a mail that the relay will have sent; one per kind and reference, however often."""
    mail, is_new = Mail.objects.get_or_create(
        kind=kind,
        reference=reference,
        defaults={
            "recipient": recipient,
            "subject": " ".join(subject.split())[:300],
            "text": text,
            "html": html,
            "language": language or settings.LANGUAGE_CODE,
            "unsubscribe_url": unsubscribe_url,
        },
    )
    if is_new:
        outbox.enqueue("shop.send_mail", key=f"mail:{mail.pk}", mail_id=mail.pk)


@inside_transaction
def queue_rendered(
    mail: RenderedMail,
    *,
    kind: str,
    reference: str,
    recipient: str,
    language: str = "",
    unsubscribe_url: str = "",
) -> None:
    """Queue a rendered mail, as `queue` does."""
    queue(
        kind=kind,
        reference=reference,
        recipient=recipient,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        language=language,
        unsubscribe_url=unsubscribe_url,
    )


@no_transaction
def send(mail_id: int) -> bool:
    """Send a mail unless it was sent or is being sent; say whether this call sent it.

    Raises what the mail transport raises; the row then keeps the reason. Raises `BeingSent` while
    another worker has the mail in hand: whether that one succeeds is not known yet.
    """
    mail = _claim(mail_id)
    if mail is None:
        if Mail.objects.filter(pk=mail_id, sent_at=None).exclude(recipient="").exists():
            raise BeingSent(f"mail {mail_id} is in the hands of another worker")
        return False
    message = EmailMultiAlternatives(
        subject=mail.subject,
        body=mail.text,
        from_email=formataddr((settings.SHOP_NAME, settings.SHOP_EMAIL)),
        to=[mail.recipient],
        headers={
            "Message-ID": f"<{mail.kind}.{mail.pk}@{settings.SHOP_EMAIL.rpartition('@')[2]}>",
            "Content-Language": mail.language,
            "Auto-Submitted": "auto-generated",
            **_unsubscribe_headers(mail),
        },
    )
    if mail.html:
        message.attach_alternative(mail.html, "text/html")
    failpoint("shop.mailer.claimed")
    try:
        message.send()
    except Exception as error:
        _record_failure(mail_id, error=f"{type(error).__name__}: {error}")
        raise
    failpoint("shop.mailer.sent")
    _record_sent(mail)
    failpoint("shop.mailer.recorded")
    return True


def _unsubscribe_headers(mail: Mail) -> dict[str, str]:
    """Let mail programs offer their own button, which posts there (RFC 8058)."""
    if not mail.unsubscribe_url:
        return {}
    return {
        "List-Unsubscribe": f"<{mail.unsubscribe_url}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


@own_transaction
def _claim(mail_id: int) -> Mail | None:
    """Take a mail for sending by a conditional UPDATE; an older claim counts for five minutes.

    One that was emptied because its person was erased goes to nobody.
    """
    is_free = Q(sending_at=None) | Q(sending_at__lt=now() - SENDING_TIMEOUT)
    waiting = Mail.objects.filter(is_free, pk=mail_id, sent_at=None).exclude(recipient="")
    taken = waiting.update(sending_at=now())
    return Mail.objects.get(pk=mail_id) if taken else None


@own_transaction
def _record_sent(mail: Mail) -> None:
    """Close a mail. A code or link that opens an account has done its work and is forgotten."""
    done = {"sent_at": now(), "sending_at": None, "error": ""}
    if mail.opens_an_account and settings.HAS_MAIL_SERVER:
        done |= {"text": "", "html": ""}
    if mail.is_the_last:
        done |= {"recipient": "", "subject": "", "text": "", "html": ""}
    Mail.objects.filter(pk=mail.pk).update(**done)


@own_transaction
def _record_failure(mail_id: int, *, error: str) -> None:
    Mail.objects.filter(pk=mail_id).update(sending_at=None, error=error[:2000])


@no_transaction
def try_again(mail_id: int) -> bool:
    """Put a mail that was given up back in line, as staff ask for in the admin."""
    message = OutboxMessage.objects.filter(key=f"mail:{mail_id}").first()
    return message is not None and relay.revive(message.pk)
