from __future__ import annotations

from celery import shared_task

from cart.services import people


@shared_task(name="cart.forget_old")
def forget_old(**_: object) -> None:
    """Delete carts that nobody came back to."""
    people.forget_old()
