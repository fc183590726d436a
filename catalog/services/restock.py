"""Back in stock: somebody asks, confirms by mail, and is told once.

Nothing that the asking page says depends on whether an address is known, and an address gets few
questions a day, whoever types it.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from django.db.models import F, Q
from django.utils.translation import gettext as _

from accounts.models import Seller
from accounts.services import notifications
from catalog import emails
from catalog.access import make_restock_key
from catalog.errors import RestockRefused
from catalog.models import Product, RestockRequest
from catalog.queries.restock import find_wanted
from shop.clock import now
from shop.emails import RenderedMail
from shop.services import mailer, outbox
from shop.transactions import inside_transaction, no_transaction, own_transaction

ASKED_AGAIN_AFTER = timedelta(days=1)
MOST_QUESTIONS_A_DAY = 5
UNCONFIRMED_KEPT = timedelta(days=7)
TOLD_KEPT = timedelta(days=30)
MOST_AT_ONCE = 2000
WAITING = Q(confirmed_at__isnull=False, told_at=None)
"""Somebody who has confirmed and was not told yet."""
FOR_SALE = Q(
    variant__is_active=True,
    variant__product__status=Product.Status.ACTIVE,
    variant__product__seller__status=Seller.Status.ACTIVE,
)
IN_STOCK = Q(variant__tracks_stock=False) | Q(
    variant__stock_level__on_hand__gt=F("variant__stock_level__allocated")
)


@own_transaction
def ask(variant_id: int, *, email: str, language: str) -> None:
    """Ask whoever reads this address to confirm; who was asked lately is not asked again.

    Raises `RestockRefused` when the variant is no longer sold, or there already.
    """
    variant = find_wanted(variant_id)
    if variant is None:
        raise RestockRefused(_("This is no longer for sale."))
    if variant.in_stock:
        raise RestockRefused(_("It is in stock again: you can have it right away."))
    email = email.lower()
    asked = RestockRequest.objects.filter(email=email, asked_at__gt=now() - ASKED_AGAIN_AFTER)
    if asked.filter(confirmed_at=None).count() >= MOST_QUESTIONS_A_DAY:
        return
    request, is_new = RestockRequest.objects.get_or_create(
        variant_id=variant_id, email=email, told_at=None,
        defaults={"language": language, "asked_at": now()},
    )  # fmt: skip
    if not is_new:
        if request.confirmed_at or request.asked_at > now() - ASKED_AGAIN_AFTER:
            return
        request.asked_at = now()
        request.save(update_fields=["asked_at"])
    outbox.enqueue(
        "catalog.ask_to_confirm_restock",
        key=f"restock:{request.pk}:{request.asked_at:%Y%m%d%H%M%S%f}",
        request_id=request.pk,
    )


@own_transaction
def write_question(request_id: int) -> None:
    """Write the mail that asks for the confirmation; not for a request that is over."""
    request = RestockRequest.objects.filter(pk=request_id, confirmed_at=None).first()
    variant = find_wanted(request.variant_id) if request else None
    if request is None or variant is None:
        return
    with emails.in_language(request.language):
        mail = emails.ask_to_confirm_restock(variant, key=make_restock_key(request.pk))
    _queue(mail, request, kind="restock_question", reference=f"{request.asked_at:%Y%m%d%H%M%S}")


@own_transaction
def confirm(request_id: int) -> RestockRequest | None:
    """Take somebody at their word, once; None when the request is gone.

    Whoever wanted no such mails before wants this one. What came back meanwhile is told at once.
    """
    request = RestockRequest.objects.select_for_update().filter(pk=request_id).first()
    if request is not None and request.confirmed_at is None:
        request.confirmed_at = now()
        request.save(update_fields=["confirmed_at"])
        notifications.allow(request.email, "restock")
        _enqueue_if_in_stock([request.variant_id])
    return request


@own_transaction
def forget(request_id: int) -> None:
    """Take a request back: nothing of it is kept."""
    RestockRequest.objects.filter(pk=request_id).delete()


@inside_transaction
def notice(variant_ids: Collection[int]) -> None:
    """Decide to tell whoever waits for variants that have just come back; the stock calls this."""
    if variant_ids:
        _enqueue_if_in_stock(variant_ids)


@no_transaction
def tell(variant_id: int) -> int:
    """Write to those who wait for a variant, who asked first is told first; return how many.

    Each in a transaction of their own, while there is something left to be had.
    """
    count = 0
    while count < MOST_AT_ONCE and _tell_next(variant_id):
        count += 1
    return count


@no_transaction
def sweep() -> int:
    """Tell of what came back unseen, such as a product that is sold again; forget what is over."""
    waiting = RestockRequest.objects.filter(WAITING, FOR_SALE, IN_STOCK).order_by("variant_id")
    count = sum(tell(variant) for variant in set(waiting.values_list("variant_id", flat=True)))
    _prune()
    return count


@own_transaction
def _tell_next(variant_id: int) -> bool:
    request = (
        RestockRequest.objects.select_for_update(of=["self"], skip_locked=True)
        .filter(WAITING, variant=variant_id)
        .order_by("pk")
        .first()
    )
    variant = find_wanted(variant_id) if request else None
    if request is None or variant is None or not variant.in_stock:
        return False
    request.told_at = now()
    request.save(update_fields=["told_at"])
    choice = notifications.find_choice(request.email, "restock", language=request.language)
    if not choice.is_wanted:
        return True
    with emails.in_language(request.language):
        mail = emails.tell_of_restock(variant, unsubscribe_url=choice.unsubscribe_url)
    _queue(mail, request, kind="restocked", unsubscribe_url=choice.unsubscribe_url)
    return True


@own_transaction
def _prune() -> None:
    is_old = Q(confirmed_at=None, asked_at__lt=now() - UNCONFIRMED_KEPT)
    RestockRequest.objects.filter(is_old | Q(told_at__lt=now() - TOLD_KEPT)).delete()


def _enqueue_if_in_stock(variant_ids: Collection[int]) -> None:
    found = RestockRequest.objects.filter(WAITING, IN_STOCK, variant__in=list(variant_ids))
    for variant_id in sorted(set(found.values_list("variant_id", flat=True))):
        outbox.enqueue(
            "catalog.tell_restocked",
            key=f"restocked:{variant_id}:{now():%Y%m%d%H%M%S%f}",
            variant_id=variant_id,
        )


def _queue(
    mail: RenderedMail,
    request: RestockRequest,
    *,
    kind: str,
    reference: str = "",
    unsubscribe_url: str = "",
) -> None:
    mailer.queue_rendered(
        mail,
        kind=f"catalog.{kind}",
        reference=f"{request.pk}:{reference}" if reference else str(request.pk),
        recipient=request.email,
        language=request.language,
        unsubscribe_url=unsubscribe_url,
    )
