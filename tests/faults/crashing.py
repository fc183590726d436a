"""A shop of real processes whose failpoints a test arms, and the stories that lead to each point."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

from django.conf import settings
from django.db.models import F

from accounts.models import User
from catalog.models import ProductVariant, StockLevel
from orders.models import Order
from orders.proving import processes
from orders.proving.browser import ask_json
from orders.proving.postbox import Postbox, running_postbox
from orders.proving.processes import Household
from orders.proving.shopper import Plan, Purchase, Shopper
from orders.proving.staff import Staff, sign_in
from payments.models import PaymentAttempt
from payments.simulator.running import Simulator
from shop import failpoints
from shop.clock import now
from shop.failpoints import Action
from shop.models import Mail, OutboxMessage
from tests.processes import environment

QUIET_WITHIN = 60
NAP = 0.3


@dataclass
class CrashingShop:
    web: str
    household: Household
    simulator: Simulator
    postbox: Postbox
    failpoints: Path

    def buy(self, variant: ProductVariant, *, pieces: int = 1, **behaviour: object) -> Purchase:
        """Buy something as a shopper who tries again what fails."""
        plan = Plan({variant.pk: pieces}, **{"comes_back": False, **behaviour})  # type: ignore[arg-type]
        shopper = Shopper(self.web, self.simulator.url, Purchase(0, plan), patience=45)
        return shopper.buy()

    def control(self, deed: str) -> None:
        """Let something happen at the provider, by its control door."""
        status, answer = ask_json(self.simulator.url, "POST", f"/_control/{deed}", {})
        assert status == 200, answer

    def staff(self) -> Staff:
        """Let somebody sign in to the admin who presses a button until it works."""
        return Staff(self.web, sign_in(staff().email), Random(1), 0)

    def arm(self, name: str, action: Action) -> None:
        failpoints.arm(self.failpoints, name, action, seconds=NAP)

    def wait_until(self, condition: Callable[[], object], what: str) -> None:
        """Wait for a condition, and let nobody wait for a pause of minutes meanwhile."""
        deadline = time.monotonic() + QUIET_WITHIN
        while not condition():
            if time.monotonic() > deadline:
                raise TimeoutError(f"it never came to be that {what}: {describe_waiting()}")
            end_pauses()
            time.sleep(0.05)

    def settle_down(self) -> None:
        """Wait until nothing is left to be done and every process is up again."""
        self.household.wait_until_ready()
        self.wait_until(
            lambda: not OutboxMessage.objects.filter(done_at=None).exists(), "the outbox is empty"
        )


@contextmanager
def running_crashing_shop(simulator: Simulator, folder: Path) -> Iterator[CrashingShop]:
    """Run web and relay, killed and mended at will, against a simulator and a mail server."""
    armed = folder / "failpoints"
    armed.mkdir()
    port = processes.free_port()
    with running_postbox() as postbox:
        at = environment(
            PORT=str(port),
            SHOP_URL=f"http://127.0.0.1:{port}",
            SIMULATOR_URL=simulator.url,
            EMAIL_URL=postbox.url,
            FAILPOINTS=str(armed),
            SHOP_OFFLINE_PAYMENT="transfer",
            SECRET_KEY=settings.SECRET_KEY,
            LOG_LEVEL="CRITICAL",
        )
        with processes.running(
            [
                processes.web(at, port=port, log=folder / "web.log", workers=1),
                processes.relay(at, log=folder / "relay.log"),
            ]
        ) as household:
            web = f"http://127.0.0.1:{port}"
            simulator.webhook_url = f"{web}/payments/webhooks/stripe/"
            simulator.paypal_webhook_url = f"{web}/payments/webhooks/paypal/"
            yield CrashingShop(web, household, simulator, postbox, armed)
            simulator.webhook_url = simulator.paypal_webhook_url = None


def end_pauses() -> None:
    """Let leases, pauses between tries and a dead worker's mails be over: time passes, for them.

    With one relay nothing is taken from anybody: it looks for rows between its tasks only.
    """
    OutboxMessage.objects.filter(done_at=None).update(leased_until=None, available_at=now())
    Mail.objects.filter(sent_at=None).update(sending_at=F("sending_at") - timedelta(minutes=10))


def describe_waiting() -> list[tuple[object, ...]]:
    return list(OutboxMessage.objects.filter(done_at=None).values_list("task", "attempts", "error"))


def let_expire(order: Order) -> None:
    """Let the time to pay an order be over."""
    Order.objects.filter(pk=order.pk).update(expires_at=now() - timedelta(minutes=1))
    PaymentAttempt.objects.filter(pk__in=order.payments.values("attempt")).update(
        expires_at=now() - timedelta(minutes=1)
    )


def shelf_of(variant: ProductVariant) -> tuple[int, int]:
    level = StockLevel.objects.get(variant=variant)
    return level.on_hand, level.allocated


def mails_about(order: Order, postbox: Postbox) -> Counter[str]:
    """Return how often each mail about an order reached the mail server, by kind."""
    counts: Counter[str] = Counter()
    for mail in Mail.objects.filter(reference__startswith=order.number):
        counts[mail.kind] += sum(
            times
            for message_id, times in postbox.taken.items()
            if message_id.startswith(f"{mail.kind}.{mail.pk}@")
        )
    return counts


def staff() -> User:
    user, _is_new = User.objects.get_or_create(
        email="staff@example.com",
        defaults={"name": "Staff", "is_staff": True, "is_superuser": True},
    )
    return user
