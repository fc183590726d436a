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
from orders.models import Order, OrderRefund
from orders.proving.staff import ORDERS
from orders.services import cancellation, expiry, payment
from payments import gateways
from payments.models import PaymentTransaction, Refund
from payments.simulator.running import running_simulator
from shop import failpoints
from shop.failpoints import ACTIONS, POINTS, Action, Struck, failpoint
from shop.models import Mail
from tests.factories.catalog import BuyableProductFactory
from tests.factories.orders import make_delivery, place_order
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
    settings.SHOP_OFFLINE_PAYMENT = "transfer"
    gateways.get_gateway.cache_clear()
    make_delivery()
    staff()
    return _processes


def buy(shop: CrashingShop, variant: ProductVariant, name: str, action: Action) -> None:
    """A purchase: one order, one charge, one mail, one piece less."""
    shop.arm(name, action)
    purchase = shop.buy(variant)

    assert purchase.outcome == "paid", purchase
    order = assert_sold_once(shop, variant, purchase.order)
    assert Mail.objects.filter(reference__startswith=order.number).count() == 1
    assert_told(shop, order, "orders.confirmation", name, action)


def be_refunded(shop: CrashingShop, variant: ProductVariant, name: str, action: Action) -> None:
    """A paid order that staff cancel: the money goes back once, the piece to the shelf."""
    order = sell(shop, variant)
    shop.arm(name, action)
    assert shop.staff().cancel(order.pk)
    shop.wait_until(Order.objects.filter(pk=order.pk, payment_status="refunded").exists, "refunded")
    shop.settle_down()

    assert list_money(order) == [("capture", order.total), ("refund", order.total)]
    assert list_refunds_at_provider(shop, order) == [order.total]
    assert shelf_of(variant) == (STOCK, 0)
    assert_told(shop, order, "orders.cancelled", name, action)


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


def change_the_way_to_pay(
    shop: CrashingShop, variant: ProductVariant, name: str, action: Action
) -> None:
    """Somebody turns back at one provider and pays with the other: charged once, by that one."""
    shop.arm(name, action)
    purchase = shop.buy(variant, ending="switch")

    assert purchase.outcome == "paid", purchase
    assert_sold_once(shop, variant, purchase.order)
    providers = Order.objects.get().payments.values_list("attempt__provider", "attempt__status")
    assert dict(providers) == {"stripe": "expired", "paypal": "captured"}


def pay_with_paypal(shop: CrashingShop, variant: ProductVariant, name: str, action: Action) -> None:
    """What was approved is taken once, by whoever hears of it first."""
    shop.arm(name, action)
    purchase = shop.buy(variant, provider="paypal", comes_back=True)

    assert purchase.outcome == "paid", purchase
    assert_sold_once(shop, variant, purchase.order)


def give_a_piece_back(
    shop: CrashingShop, variant: ProductVariant, name: str, action: Action
) -> None:
    """Of two pieces one comes back: its money goes once, whatever staff press meanwhile."""
    order = sell(shop, variant, pieces=2)
    shop.arm(name, action)
    assert shop.staff().give_back(order.pk)
    shop.wait_until(
        OrderRefund.objects.get().payments.filter(refund__status="succeeded").exists, "sent"
    )
    shop.settle_down()

    (capture, (kind, amount)) = list_money(order)
    assert (capture, kind) == (("capture", order.total), "refund")
    assert list_refunds_at_provider(shop, order) == [amount]
    given_back = OrderRefund.objects.get()
    assert given_back.amount == amount
    restocked = sum(line.restocked for line in given_back.lines.all())
    assert shelf_of(variant) == (STOCK - 2 + restocked, 0)
    assert order.lines.get().refunded_quantity == 1
    assert_told(shop, order, "orders.refunded", name, action)


def have_a_refund_undone(
    shop: CrashingShop, variant: ProductVariant, name: str, action: Action
) -> None:
    """The bank sends a refund back: the piece counts as sold again, once."""
    order = sell(shop, variant)
    assert shop.staff().give_back(order.pk)
    shop.wait_until(Refund.objects.filter(status="succeeded").exists, "sent")
    shop.settle_down()
    shop.arm(name, action)
    refund = Refund.objects.get()
    shop.control(f"refunds/{refund.provider_id}/fail")
    shop.wait_until(OrderRefund.objects.exclude(failed_at=None).exists, "undone")
    shop.settle_down()

    assert [kind for kind, _amount in list_money(order)] == ["capture", "refund", "reversal"]
    line = order.lines.get()
    assert (line.refunded_quantity, line.order.payment_status) == (0, "paid")


def be_refunded_at_last(
    shop: CrashingShop, variant: ProductVariant, name: str, action: Action
) -> None:
    """A refund that failed is sent once more by staff: the money goes back once in the end."""
    order = sell(shop, variant)
    cancellation.cancel(order, by=staff(), reason="Cracked")
    shop.wait_until(Refund.objects.filter(status="succeeded").exists, "sent")
    shop.settle_down()
    shop.control(f"refunds/{Refund.objects.get().provider_id}/fail")
    shop.wait_until(Refund.objects.filter(status="failed").exists, "failed")
    shop.settle_down()
    shop.arm(name, action)
    assert shop.staff().fill_in(
        f"{ORDERS}{order.pk}/send-back/", page=f"{ORDERS}{order.pk}/change/"
    )
    shop.wait_until(Order.objects.filter(pk=order.pk, payment_status="refunded").exists, "refunded")
    shop.settle_down()

    kinds = [kind for kind, _amount in list_money(order)]
    assert kinds == ["capture", "refund", "reversal", "refund"]


def pay_by_transfer(shop: CrashingShop, variant: ProductVariant, name: str, action: Action) -> None:
    """Money that staff saw come and go without a provider is written down once each way."""
    order = place_order(variant, provider="offline")
    payment.start(order)
    shop.arm(name, action)
    came, is_paid = f"{ORDERS}{order.pk}/money-came/", Order.objects.filter(status="placed").exists
    shop.wait_until(lambda: shop.staff().fill_in(came) and is_paid(), "placed")
    cancellation.cancel(order, by=staff(), reason="Cracked")
    refund = Refund.objects.get()
    shop.staff().fill_in(f"{ORDERS}{order.pk}/money-sent/{refund.pk}/")
    shop.wait_until(Order.objects.filter(payment_status="refunded").exists, "refunded")
    shop.settle_down()

    assert list_money(order) == [("capture", order.total), ("refund", order.total)]
    assert shelf_of(variant) == (STOCK, 0)


def be_sent(shop: CrashingShop, variant: ProductVariant, name: str, action: Action) -> None:
    """A parcel leaves once and arrives once, and the shopper is told of each once."""
    order = sell(shop, variant)
    part = order.seller_orders.get()
    shop.arm(name, action)
    at_part = f"/admin/orders/sellerorder/{part.pk}/"
    assert shop.staff().fill_in(f"{at_part}ship/", carrier="DHL")
    deliver = f"{at_part}parcels/{part.shipments.get().pk}/deliver/"
    assert shop.staff().fill_in(deliver, page=f"{at_part}change/")
    shop.settle_down()

    order.refresh_from_db()
    assert (order.status, order.fulfilment_status) == ("completed", "delivered")
    for kind in ("orders.shipped", "orders.delivered"):
        assert_told(shop, order, kind, name, action)


STORIES: dict[str, Callable[[CrashingShop, ProductVariant, str, Action], None]] = {
    "payments.refunds.": be_refunded,
    "payments.settlement.capturing": pay_with_paypal,
    "orders.payment.": change_the_way_to_pay,
    "orders.refunding.undone": have_a_refund_undone,
    "orders.refunding.": give_a_piece_back,
    "orders.offline.": pay_by_transfer,
    "orders.fulfilment.": be_sent,
    "orders.cancellation.sent_again": be_refunded_at_last,
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


def sell(shop: CrashingShop, variant: ProductVariant, *, pieces: int = 1) -> Order:
    """Let something be bought and paid before anything breaks."""
    purchase = shop.buy(variant, pieces=pieces)
    shop.wait_until(Order.objects.filter(number=purchase.order, status="placed").exists, "placed")
    shop.settle_down()
    return Order.objects.get(number=purchase.order)


def assert_sold_once(shop: CrashingShop, variant: ProductVariant, number: str) -> Order:
    """One order, one charge, one piece less."""
    shop.wait_until(Order.objects.filter(number=number, status="placed").exists, "placed")
    shop.settle_down()
    order = Order.objects.get(lines__variant=variant)
    assert (order.number, order.payment_status) == (number, "paid")
    assert list_money(order) == [("capture", order.total)]
    assert shelf_of(variant) == (STOCK - 1, 0)
    return order


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
