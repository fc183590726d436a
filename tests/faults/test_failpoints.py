"""Whatever point the shop breaks at, and however: it mends, and the numbers add up.

Every declared point is tried with every way to break, so that a new one is tried by itself. The
processes are real: web and relay are killed with -9 and started again by a supervisor.
"""

from __future__ import annotations

import ast
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings

from catalog.models import ProductVariant
from orders.errors import ActionNotAllowed
from orders.models import Order
from orders.services import cancellation, expiry
from payments import gateways
from payments.models import PaymentTransaction
from payments.simulator.running import running_simulator
from shop import failpoints
from shop.failpoints import ACTIONS, POINTS, Action, Struck, failpoint
from shop.models import Mail
from tests.factories.catalog import BuyableProductFactory
from tests.factories.orders import make_delivery
from tests.faults import crashing
from tests.faults.crashing import (
    CrashingShop,
    let_expire,
    mails_about,
    running_crashing_shop,
    shelf_of,
    staff,
)
from tests.processes import MANAGE, environment

APPS = ("shop", "accounts", "catalog", "cart", "payments", "orders")
STOCK = 5
ALL_APPS = [each.name for each in apps.get_app_configs()]
"""Named, so that emptying the tables between two cases does not make all permissions anew."""


# The registry and the code --------------------------------------------------------------------


def list_points_in_code() -> list[str]:
    names = []
    for app in APPS:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
                if is_call and node.func.id == "failpoint":
                    assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}"
                    names.append(node.args[0].value)
    return names


def test_every_point_in_the_code_is_declared_and_stands_in_one_place() -> None:
    assert sorted(list_points_in_code()) == sorted(POINTS)


def test_the_documentation_lists_exactly_the_declared_points() -> None:
    page = (settings.BASE_DIR / "docs" / "proving.md").read_text("utf-8")

    rows = dict(re.findall(r"^\| `([a-z_]+\.[a-z_.]+)` \| (.+?) \|$", page, re.MULTILINE))

    assert {name: meaning[0].lower() + meaning[1:] for name, meaning in rows.items()} == POINTS


def test_a_point_strikes_once_at_the_hit_that_was_chosen() -> None:
    with failpoints.armed("shop.mailer.sent", "raise", nth=2):
        failpoint("shop.mailer.sent")
        failpoint("shop.mailer.claimed")
        with pytest.raises(Struck):
            failpoint("shop.mailer.sent")
        failpoint("shop.mailer.sent")


def test_of_several_processes_one_is_struck(tmp_path: Path) -> None:
    failpoints.arm(tmp_path, "shop.mailer.sent", "raise", nth=2)
    failpoints.watch(tmp_path)
    try:
        failpoint("shop.mailer.sent")
        assert failpoints.is_waiting(tmp_path, "shop.mailer.sent")
        with pytest.raises(Struck):
            failpoint("shop.mailer.sent")
        assert not failpoints.is_waiting(tmp_path, "shop.mailer.sent")
        failpoint("shop.mailer.sent")
    finally:
        failpoints.watch(None)


def test_nothing_is_armed_in_production(settings: Any, tmp_path: Path) -> None:
    settings.EMPORIUM_MODE = "production"

    with pytest.raises(failpoints.FailpointsForbidden):
        failpoints.arm(tmp_path, "shop.mailer.sent", "kill")
    with (
        pytest.raises(failpoints.FailpointsForbidden),
        failpoints.armed("shop.mailer.sent", "raise"),
    ):
        pass
    with pytest.raises(failpoints.FailpointsForbidden):
        failpoints.watch(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_point_that_nobody_armed_costs_less_than_a_microsecond() -> None:
    began = time.process_time()
    for _hit in range(100_000):
        failpoint("orders.placement.committed")

    assert (time.process_time() - began) / 100_000 < 1e-6


# The stories ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def _processes(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CrashingShop]:
    """One set of processes for all cases: what is killed is started again, the rest stays."""
    with (
        django_db_blocker.unblock(),
        running_simulator() as simulator,
        running_crashing_shop(simulator, tmp_path_factory.mktemp("crashing")) as shop,
    ):
        yield shop


@pytest.fixture
def shop(transactional_db: None, _processes: CrashingShop, settings: Any) -> CrashingShop:
    settings.STRIPE_API_BASE = _processes.simulator.url
    settings.STRIPE_SECRET_KEY = "sk_test_simulator"
    gateways.get_gateway.cache_clear()
    make_delivery()
    staff()
    return _processes


def buy(shop: CrashingShop, variant: ProductVariant, name: str, action: Action) -> None:
    """A purchase: one order, one charge, one mail, one piece less."""
    shop.arm(name, action)
    purchase = shop.buy(variant)

    assert purchase.outcome == "paid", purchase
    shop.wait_until(Order.objects.filter(number=purchase.order, status="placed").exists, "placed")
    shop.settle_down()
    order = Order.objects.get(lines__variant=variant)
    assert (order.number, order.payment_status) == (purchase.order, "paid")
    assert list_money(order) == [("capture", order.total)]
    assert shelf_of(variant) == (STOCK - 1, 0)
    assert Mail.objects.filter(reference__startswith=order.number).count() == 1
    assert_told(shop, order, "orders.confirmation", name, action)


def be_refunded(shop: CrashingShop, variant: ProductVariant, name: str, action: Action) -> None:
    """A paid order that staff cancel: the money goes back once, the piece to the shelf."""
    purchase = shop.buy(variant)
    shop.wait_until(Order.objects.filter(number=purchase.order, status="placed").exists, "placed")
    shop.settle_down()
    order = Order.objects.get(number=purchase.order)
    if name.startswith("orders.cancellation"):
        cancel_as_staff(order, name, action)
    else:
        shop.arm(name, action)
        cancellation.cancel(order, by=staff(), reason="Cracked")
    shop.wait_until(Order.objects.filter(pk=order.pk, payment_status="refunded").exists, "refunded")
    shop.settle_down()

    assert list_money(order) == [("capture", order.total), ("refund", order.total)]
    assert list_refunds_at_provider(shop, order) == [order.total]
    assert shelf_of(variant) == (STOCK, 0)
    assert_told(shop, order, "orders.cancelled", name, action)


def cancel_as_staff(order: Order, name: str, action: Action) -> None:
    """Cancel in this process, or in one of its own that is killed on the way; then once more."""
    if action == "kill":
        program = (
            "import django; django.setup()\n"
            "from accounts.models import User\n"
            "from orders.models import Order\n"
            "from orders.services import cancellation\n"
            "from shop import failpoints\n"
            f"with failpoints.armed({name!r}, 'kill'):\n"
            f"    order = Order.objects.get(pk={order.pk})\n"
            "    cancellation.cancel(order, by=User.objects.get(email='staff@example.com'),"
            " reason='Cracked')\n"
        )
        command = [MANAGE[0], "-c", program]
        at = environment(DJANGO_SETTINGS_MODULE="config.settings")
        killed = subprocess.run(command, cwd=settings.BASE_DIR, env=at, check=False)
        assert killed.returncode == -9
    else:
        with failpoints.armed(name, action, seconds=crashing.NAP):
            try:
                cancellation.cancel(order, by=staff(), reason="Cracked")
            except Struck:
                assert action == "raise"
    try:
        cancellation.cancel(order, by=staff(), reason="Cracked")
    except ActionNotAllowed:
        assert action == "sleep", "it was cancelled the first time"


def run_out_of_time(shop: CrashingShop, variant: ProductVariant, name: str, action: Action) -> None:
    """An order that nobody pays: its piece is free again, and nothing was charged."""
    purchase = shop.buy(variant, ending="leave")
    order = Order.objects.get(number=purchase.order)
    shop.arm(name, action)
    let_expire(order)
    # The relay sweeps as well, each minute: one of the two is struck.
    at = environment(FAILPOINTS=str(shop.failpoints), SIMULATOR_URL=shop.simulator.url)
    subprocess.run([*MANAGE, "sweep", "--skip-checks"], cwd=settings.BASE_DIR, env=at, check=False)
    expiry.sweep()

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("expired", "voided")
    assert list_money(order) == []
    assert shelf_of(variant) == (STOCK, 0)


def give_up(shop: CrashingShop, variant: ProductVariant, name: str, action: Action) -> None:
    """A shopper who gives an unpaid order up, and presses the button until it works."""
    shop.arm(name, action)
    purchase = shop.buy(variant, ending="give_up")

    order = Order.objects.get(number=purchase.order)
    assert (order.status, order.payment_status) == ("cancelled", "voided")
    assert list_money(order) == []
    assert shelf_of(variant) == (STOCK, 0)


STORIES: dict[str, Callable[[CrashingShop, ProductVariant, str, Action], None]] = {
    "payments.refunds.": be_refunded,
    "orders.cancellation.refunding": be_refunded,
    "orders.cancellation.": give_up,
    "orders.expiry.": run_out_of_time,
    "": buy,
}
"""Which story leads to a point, by the start of its name; any other is met by buying something."""


@pytest.mark.django_db(transaction=True, available_apps=ALL_APPS)
@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("name", POINTS)
def test_the_shop_mends_wherever_it_breaks(shop: CrashingShop, name: str, action: Action) -> None:
    product = BuyableProductFactory(variant__stock=STOCK)
    variant = product.variants.get()
    story = next(told for start, told in STORIES.items() if name.startswith(start))

    story(shop, variant, name, action)

    assert not failpoints.is_waiting(shop.failpoints, name), f"{story.__name__} never came here"
    shop.household.wait_until_ready()


def list_money(order: Order) -> list[tuple[str, Any]]:
    """Return what moved at the provider for an order, as our books have it."""
    moved = PaymentTransaction.objects.filter(attempt__in=order.payments.values("attempt"))
    return list(moved.order_by("pk").values_list("kind", "amount"))


def list_refunds_at_provider(shop: CrashingShop, order: Order) -> list[Any]:
    attempt = order.payments.get().attempt
    rows = shop.simulator.provider.store.list_documents("refund", [], limit=1000)
    units = [row["amount"] for row in rows if row["payment_intent"] == attempt.provider_payment_id]
    return [type(order.total)(each) / 100 for each in units]


def assert_told(shop: CrashingShop, order: Order, kind: str, name: str, action: Action) -> None:
    """The mail reached the mail server once.

    Only where its sender broke before it could note so, the same mail (by its Message-ID) is there
    twice: docs/outbox.md says why.
    """
    is_sent_again = name == "shop.mailer.sent" and action != "sleep"
    assert mails_about(order, shop.postbox)[kind] == (2 if is_sent_again else 1)
