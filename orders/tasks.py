from __future__ import annotations

from celery import shared_task

from orders.emails import NoticeKind
from orders.services import best_sellers, bought_together, expiry, notices, people
from shop.tasks import KeyedTask


@shared_task(base=KeyedTask, name="orders.send_notice")
def send_notice(*, order_id: int, kind: NoticeKind, about: str = "", **_: object) -> None:
    """Write a notice about an order as a mail."""
    notices.write(order_id, kind=kind, about=about)


@shared_task(name="orders.sweep")
def sweep(**_: object) -> None:
    """Settle open payments and expire unpaid orders."""
    expiry.sweep()


@shared_task(name="orders.count_best_sellers")
def count_best_sellers(**_: object) -> None:
    """Count what sold lately, so that lists and search rank by it."""
    best_sellers.count()


@shared_task(name="orders.count_bought_together")
def count_bought_together(**_: object) -> None:
    """Count what lay together in paid orders, so that product pages recommend by it."""
    bought_together.count()


@shared_task(name="orders.forget_old")
def forget_old(**_: object) -> None:
    """Take people out of orders that were never paid or are past the law's time."""
    people.forget_old()
