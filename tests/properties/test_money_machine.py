"""A shop, a provider and chance: whatever happens in whatever order, the numbers add up.

A state machine of hypothesis drives the real services on PostgreSQL against the real simulator:
shoppers, staff, the bank, the clock, lost and doubled news, crashes at failpoints, faults of the
provider. What is about money, stock and states is checked now and then; at the end of a run
everything is left to settle, then all invariants are, and the provider's books must be ours. How many runs: docs/proving.md.

What can be drawn next depends on what was drawn before and on nothing else: not on the database,
whose time is its own. So hypothesis can repeat and shorten whatever it finds.
"""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import ExitStack, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from functools import wraps
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from cart.models import Cart
from cart.queries import get_cart_view
from cart.services import carts, lines
from catalog.models import ProductVariant, StockMovement
from catalog.services import stock, summaries
from orders.models import Order, OrderLine, OrderRefund, Shipment
from orders.services import (
    cancellation,
    expiry,
    fulfilment,
    notices,
    payment,
    placement,
    refunding,
)
from payments.gateways.breaker import breaker_of
from payments.models import Dispute, PaymentAttempt, PaymentTransaction, Refund
from payments.services import listing, refunds, settlement
from payments.simulator import refunds as simulated_refunds
from payments.simulator import sessions
from payments.simulator.errors import Refusal
from payments.simulator.provider import ProviderClock
from payments.simulator.running import Simulator
from shop import changes, clock, failpoints, invariants
from shop.errors import ShopError
from shop.failpoints import POINTS, Struck
from shop.models import Mail, OutboxMessage
from shop.money import Money, total
from shop.services import relay
from shop.transactions import own_transaction
from tests import cleaning
from tests.factories.accounts import StaffFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import BERLIN, make_delivery
from tests.payments.events import post_event

RUNS = int(os.environ.get("MONEY_MACHINE_RUNS", "256"))
STEPS = int(os.environ.get("MONEY_MACHINE_STEPS", "16"))
SEED = int(os.environ.get("MONEY_MACHINE_SEED", "6"))
SHARDS = 8
"""Tests that share the runs, so that they spread over processes."""
DELIVERY = Decimal("4.90")
TOUCHED = (
    *("cart_cart", "orders_order", "payments_paymentattempt", "payments_providerevent"),
    *("catalog_stocklevel", "shop_outboxmessage", "shop_mail", "shop_change"),
)
"""Tables that a run fills; whatever refers to them goes as well."""
FIRST_COUNT = (2, 4, 30)
PRICES = ("24.00", "12.50", "7.90")
BEGINNINGS = ("nothing", "a page is open", "taken, and nobody knows", "paid", "paid", "paid")
PROVIDER_FAULTS = (
    *("timeout_before", "timeout_after", "error_500_before", "error_500_after"),
    *("cut_body", "bad_json", "status_429", "status_409"),
)
CALLS = (
    *("checkout.sessions.create", "checkout.sessions.retrieve", "checkout.sessions.expire"),
    *("refunds.create", "refunds.retrieve", "*"),
)
NOW_AND_THEN = ("I2", "I4", "I5", "I7", "I13", "I14", "I16", "I19")
FLOOR = {
    "runs with money": 0.4,
    "runs with money back": 0.1,
    "booked: capture": 0.5,
    "booked: refund": 0.05,
    "orders placed": 0.25,
    "orders expired": 0.1,
}
"""How often, of a run, it must come to these; about half of what was seen."""
CHECKED_EVERY = 3
PATIENCE = 12
"""How many rounds of an hour each everything may take to settle at the end."""

any_one = st.integers(0, 7)
pieces = st.integers(1, 3)


class Turned:
    """The clock of shop and provider, which only ever goes forward."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return timezone.now() + self.ahead


def may_break(step: Callable[..., None]) -> Callable[..., None]:
    """Let a step be refused in words, or be broken off by a crash, as in life; nothing else."""

    @wraps(step)
    def wrapper(self: MoneyMachine, **drawn: Any) -> None:
        try:
            step(self, **drawn)
        except (ShopError, Refusal):
            return
        except Struck:
            self.struck += 1

    return wrapper


def has(what: str) -> Callable[[MoneyMachine], bool]:
    """Let a step be drawn only after one that may have made something to take it with."""
    return lambda machine: what in machine.there_may_be


def may_make(*what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Note what a step may have made, whether or not it has: see `has`."""

    def mark(step: Callable[..., None]) -> Callable[..., None]:
        @wraps(step)
        def wrapper(self: MoneyMachine, **drawn: Any) -> None:
            self.there_may_be.update(what)
            step(self, **drawn)

        return wrapper

    return mark


class MoneyMachine(RuleBasedStateMachine):
    simulator: Simulator
    clock: Turned
    variants: list[int]
    staff: Any
    products: list[int]
    touched: list[str]
    client: Client
    checks: dict[str, str]
    """What finds violations, as SQL by id."""
    met: Counter[str]
    """What came up in all runs together, so that nobody takes an idle machine for a proof."""

    def __init__(self) -> None:
        super().__init__()
        self.armed = ExitStack()
        self.there_may_be: set[str] = set()
        self.struck = self.steps = 0
        self.pages: dict[str, str] = {}
        """The provider's pages that a shopper has seen, by order number, the oldest first."""
        self.told: set[str] = set()
        """The news that has arrived."""

    @initialize(
        beginning=st.sampled_from(BEGINNINGS),
        variant=any_one,
        quantity=pieces,
        name=st.none() | st.sampled_from(sorted(POINTS)),
    )
    def open_the_shop(self, beginning: str, variant: int, quantity: int, name: str | None) -> None:
        """Open it anew, mostly with a purchase under way: most steps are about one."""
        self.forget_everything()
        if name is not None:
            self.something_will_break(name=name, nth=1)
        if beginning == "nothing":
            return
        self.orders_and_goes_to_pay(variant=variant, quantity=quantity)
        if beginning == "a page is open":
            return
        self.bank_takes_the_money(which=0)
        if beginning == "paid":
            self.comes_back_from_the_provider(which=0)

    def forget_everything(self) -> None:
        cleaning.empty(self.touched)
        variants = ProductVariant.objects.in_bulk(self.variants)
        for pk, price in zip(self.variants, PRICES, strict=True):
            variants[pk].price = Decimal(price)
        ProductVariant.objects.bulk_update(variants.values(), ["price"])
        counts = dict(zip(self.variants, FIRST_COUNT, strict=True))
        own_transaction(stock.open_shelves)(counts, reason="first count")
        own_transaction(summaries.refresh)(self.products)
        changes.reset()
        self.clock.ahead = timedelta()
        breaker_of("stripe").reset()
        provider = self.simulator.provider
        provider.clock = ProviderClock()
        provider.faults.clear()
        with provider.store.transaction():
            for table in ("documents", "answers", "deliveries"):
                provider.store._run(f"DELETE FROM {table}")
        self.cart = carts.open_cart(None)

    # The shopper --------------------------------------------------------------------------------

    @rule(variant=any_one, quantity=pieces)
    @may_break
    def puts_in_the_cart(self, variant: int, quantity: int) -> None:
        variant_id = self.variants[variant % len(self.variants)]
        lines.add(self.open_cart(), variant_id=variant_id, quantity=quantity)

    @rule(place=any_one, quantity=st.integers(0, 6))
    @may_break
    def changes_a_quantity(self, place: int, quantity: int) -> None:
        if items := list(self.open_cart().items.order_by("pk")):
            lines.change(items[place % len(items)], quantity=quantity)

    @rule(variant=any_one, quantity=pieces)
    @may_make("orders", "pages")
    @may_break
    def orders_and_goes_to_pay(self, variant: int, quantity: int) -> None:
        cart = self.open_cart()
        variant_id = self.variants[variant % len(self.variants)]
        lines.add(cart, variant_id=variant_id, quantity=quantity)
        order = self.place(cart)
        self.see_page(order, payment.start(order))

    @rule(variant=any_one, webhook=st.booleans())
    @may_make("orders", "pages", "news", "payments")
    @may_break
    def buys_without_trouble(self, variant: int, webhook: bool) -> None:
        cart = self.open_cart()
        lines.add(cart, variant_id=self.variants[variant % len(self.variants)], quantity=1)
        order = self.place(cart)
        self.see_page(order, payment.start(order))
        self.simulator.approve(self.pages[order.number], webhook="never")
        if webhook:
            self.deliver(self.list_events()[-1])
            self.deliver_outbox(most=2)
        else:
            payment.check(order)

    @rule()
    @may_make("orders")
    @may_break
    def places_the_order(self) -> None:
        self.place(self.open_cart())

    @rule()
    @may_make("orders")
    @may_break
    def places_it_twice(self) -> None:
        cart, known = self.open_cart(), set(Order.objects.values_list("pk", flat=True))
        agreed = self.agree(cart)
        first = placement.place(cart, **agreed)
        again = placement.place(cart, **agreed)
        assert first.pk == again.pk
        assert Order.objects.exclude(pk__in=known).count() == 1

    @rule()
    @may_break
    def agrees_to_an_old_total(self) -> None:
        cart, orders = self.open_cart(), Order.objects.count()
        agreed = self.agree(cart)
        agreed["seen_total"] = agreed["seen_total"] + Money(Decimal("0.01"), "EUR")
        with suppress(ShopError):
            placement.place(cart, **agreed)
            raise AssertionError("an order was placed for a total that nobody saw")
        assert Order.objects.count() == orders

    @precondition(has("orders"))
    @rule(which=any_one)
    @may_make("pages")
    @may_break
    def goes_to_the_provider(self, which: int) -> None:
        if order := self.pick(Order, which):
            self.see_page(order, payment.start(order))

    @precondition(has("orders"))
    @rule(which=any_one)
    @may_make("pages")
    @may_break
    def goes_there_twice(self, which: int) -> None:
        if order := self.pick(Order, which):
            page = payment.start(order)
            self.see_page(order, page)
            assert payment.start(order) == page

    @precondition(has("orders"))
    @rule(which=any_one)
    @may_break
    def comes_back_from_the_provider(self, which: int) -> None:
        if order := self.pick(Order, which):
            payment.check(order, ended_too=True)

    @precondition(has("orders"))
    @rule(which=any_one)
    @may_break
    def gives_an_order_up(self, which: int) -> None:
        if order := self.pick(Order, which):
            self.cart = cancellation.cancel_unpaid(order, by=None)

    @precondition(has("orders"))
    @rule(which=any_one)
    @may_break
    def gives_an_order_up_into_the_open_cart(self, which: int) -> None:
        if order := self.pick(Order, which):
            self.cart = cancellation.cancel_unpaid(order, by=None, into=self.open_cart())

    # The bank -----------------------------------------------------------------------------------

    @precondition(has("pages"))
    @rule(which=any_one)
    @may_make("news", "payments")
    @may_break
    def bank_takes_the_money(self, which: int) -> None:
        if session := self.pick_page(which):
            self.simulator.approve(session, webhook="never")

    @precondition(has("pages"))
    @rule(which=any_one)
    @may_make("news", "payments")
    @may_break
    def bank_takes_the_money_after_asking(self, which: int) -> None:
        if session := self.pick_page(which):
            sessions.challenge(self.simulator.provider, session)
            self.simulator.approve(session, webhook="never", is_authenticated=True)

    @precondition(has("pages"))
    @rule(which=any_one)
    @may_make("news")
    @may_break
    def bank_declines(self, which: int) -> None:
        if session := self.pick_page(which):
            self.simulator.decline(session)

    @precondition(has("pages"))
    @rule(which=any_one)
    @may_make("news")
    @may_break
    def bank_asks_in_vain(self, which: int) -> None:
        if session := self.pick_page(which):
            sessions.challenge(self.simulator.provider, session)
            sessions.fail_challenge(self.simulator.provider, session)

    @precondition(has("pages"))
    @rule(which=any_one)
    @may_make("news")
    @may_break
    def provider_closes_the_page(self, which: int) -> None:
        if session := self.pick_page(which):
            self.simulator.expire(session)

    @precondition(has("pages"))
    @rule(which=any_one)
    @may_make("news", "payments")
    @may_break
    def bank_takes_another_amount(self, which: int) -> None:
        """Nobody has seen it happen; the money is held then."""
        session_id = self.pick_page(which)
        store = self.simulator.provider.store
        if session_id is None or self.is_known_to_be_paid(session_id):
            return
        session = self.simulator.approve(session_id, webhook="never")
        with store.transaction():
            intent = store.get("payment_intent", session["payment_intent"])
            assert intent is not None
            charge = store.get("charge", intent["latest_charge"])
            assert charge is not None
            charge["amount"] = intent["amount_received"] = intent["amount"] - 50
            store.update(intent, label="succeeded")
            store.update(charge, label="succeeded")

    @precondition(has("refunds"))
    @rule(which=any_one)
    @may_break
    def bank_gives_a_refund_back(self, which: int) -> None:
        made = self.simulator.provider.store.list_documents("refund", [], limit=100)
        if made:
            simulated_refunds.send_back(self.simulator.provider, made[which % len(made)]["id"])

    @precondition(has("payments"))
    @rule(which=any_one, part=st.sampled_from([None, 100, 700]))
    @may_make("refunds")
    @may_break
    def somebody_refunds_at_the_provider(self, which: int, part: int | None) -> None:
        if session := self.pick_page(which):
            self.simulator.begin_refund(session, amount=part, webhook="never")

    @precondition(has("payments"))
    @rule(which=any_one, is_inquiry=st.booleans())
    @may_make("disputes")
    @may_break
    def a_bank_disputes(self, which: int, is_inquiry: bool) -> None:
        if session := self.pick_page(which):
            self.simulator.open_dispute(session, is_inquiry=is_inquiry, webhook="never")

    @precondition(has("disputes"))
    @rule(is_won=st.booleans())
    @may_break
    def a_bank_decides(self, is_won: bool) -> None:
        for each in self.simulator.provider.store.list_documents("dispute", [], limit=1):
            self.simulator.decide_dispute(each["id"], is_won=is_won, webhook="never")

    # The news -----------------------------------------------------------------------------------

    @precondition(has("news"))
    @rule(which=st.integers(0, 40))
    def news_arrives(self, which: int) -> None:
        if events := self.list_events():
            self.deliver(events[which % len(events)])

    @precondition(has("news"))
    @rule(which=st.integers(0, 40))
    def news_arrives_twice(self, which: int) -> None:
        if events := self.list_events():
            self.deliver(events[which % len(events)])
            self.deliver(events[which % len(events)])

    @precondition(has("news"))
    @rule()
    def latest_news_arrives(self) -> None:
        if events := self.list_events():
            self.deliver(events[-1])

    @precondition(has("news"))
    @rule()
    def all_news_arrives_backwards(self) -> None:
        for event in reversed(self.list_events()):
            self.deliver(event)

    @precondition(has("news"))
    @rule(which=st.integers(0, 40))
    def news_is_forged(self, which: int) -> None:
        if events := self.list_events():
            with suppress(Struck):
                forged = post_event(
                    events[which % len(events)], secret="guessed", client=self.client
                )
                assert forged.status_code == 400

    # The shop's own work ------------------------------------------------------------------------

    @precondition(has("orders"))
    @rule()
    @may_break
    def sweeps(self) -> None:
        expiry.sweep()

    @precondition(has("orders"))
    @rule(which=any_one)
    @may_break
    def settles_one(self, which: int) -> None:
        if attempt := self.pick(PaymentAttempt, which):
            settlement.settle(attempt.pk)

    @precondition(has("orders"))
    @rule()
    def does_one_task(self) -> None:
        self.deliver_outbox(batch=1, most=1)

    @precondition(has("orders"))
    @rule()
    def does_all_tasks(self) -> None:
        self.deliver_outbox()

    @precondition(has("orders"))
    @rule()
    def relay_dies_with_a_lease(self) -> None:
        relay.claim(3)

    @precondition(has("news"))
    @rule()
    @may_break
    def reads_the_list_of_events(self) -> None:
        listing.list_everywhere()

    @precondition(has("refunds"))
    @rule(which=any_one)
    @may_break
    def sends_a_refund_beside_its_task(self, which: int) -> None:
        if refund := self.pick(Refund, which):
            refunds.send(refund.pk)

    @precondition(has("refunds"))
    @rule(which=any_one)
    @may_break
    def checks_a_refund(self, which: int) -> None:
        if refund := self.pick(Refund, which):
            refunds.check(refund.pk)

    # Staff --------------------------------------------------------------------------------------

    @precondition(has("payments"))
    @rule(which=any_one, restock=st.booleans())
    @may_make("refunds")
    @may_break
    def staff_cancel(self, which: int, restock: bool) -> None:
        if order := self.pick(Order, which):
            cancellation.cancel(order, by=self.staff, reason="Cracked", restock=restock)

    @precondition(has("payments"))
    @rule(which=any_one, quantity=pieces, shipping=st.booleans(), restock=st.booleans())
    @may_make("refunds")
    @may_break
    def staff_give_pieces_back(
        self, which: int, quantity: int, shipping: bool, restock: bool
    ) -> None:
        if order := self.pick(Order, which):
            line = order.lines.order_by("pk").last()
            self.give_back(line, quantity, with_shipping=shipping, restock=restock)

    @precondition(has("payments"))
    @rule(which=any_one, restock=st.booleans())
    @may_make("refunds")
    @may_break
    def two_staff_give_the_same_piece_back(self, which: int, restock: bool) -> None:
        if order := self.pick(Order, which):
            line = order.lines.order_by("pk").last()
            first = self.give_back(line, 1, restock=restock)
            assert self.give_back(line, 1, restock=restock).pk == first.pk

    @precondition(has("payments"))
    @rule(which=any_one)
    @may_make("refunds")
    @may_break
    def staff_send_money_back(self, which: int) -> None:
        if order := self.pick(Order, which):
            cancellation.send_money_back(order, by=self.staff)

    @precondition(has("orders"))
    @rule(which=any_one)
    @may_break
    def staff_ask_the_provider(self, which: int) -> None:
        if attempt := self.pick(PaymentAttempt, which):
            settlement.ask(attempt.pk)

    @precondition(has("payments"))
    @rule(which=any_one)
    @may_make("parcels")
    @may_break
    def staff_send_a_parcel(self, which: int) -> None:
        if (order := self.pick(Order, which)) and order.status == Order.Status.PLACED:
            parts = list(order.seller_orders.order_by("pk"))
            fulfilment.ship(parts[which % len(parts)], carrier="DHL", by=self.staff)

    @precondition(has("parcels"))
    @rule(which=any_one)
    @may_break
    def a_parcel_arrives(self, which: int) -> None:
        if shipment := self.pick(Shipment, which):
            fulfilment.mark_delivered(shipment, by=self.staff)

    @precondition(has("payments"))
    @rule(which=any_one)
    @may_break
    def staff_confirm_again(self, which: int) -> None:
        if order := self.pick(Order, which):
            notices.send_confirmation_again(order, by=self.staff)

    @rule(variant=any_one, count=st.integers(0, 8))
    @may_break
    def staff_count_a_shelf(self, variant: int, count: int) -> None:
        stock.set_on_hand(self.variant(variant), count, actor=self.staff, reason="counted")

    @rule(variant=any_one, count=pieces)
    @may_break
    def a_piece_breaks(self, variant: int, count: int) -> None:
        adjust = own_transaction(stock.adjust)
        adjust(self.variant(variant), count, cause=StockMovement.Cause.DAMAGED, actor=self.staff)

    @rule(variant=any_one, price=st.sampled_from(["0.90", "24.00", "29.90", "80.00"]))
    def a_price_changes(self, variant: int, price: str) -> None:
        changed = self.variant(variant)
        changed.price = Decimal(price)
        changed.save(update_fields=["price"])
        own_transaction(summaries.refresh)([changed.product_id])

    # What goes wrong ----------------------------------------------------------------------------

    @rule(name=st.sampled_from(sorted(POINTS)), nth=st.sampled_from([1, 1, 1, 2]))
    def something_will_break(self, name: str, nth: int) -> None:
        self.armed.close()
        self.armed.enter_context(failpoints.armed(name, "raise", nth=nth))

    @rule(kind=st.sampled_from(PROVIDER_FAULTS), call=st.sampled_from(CALLS), times=pieces)
    def provider_will_fail(self, kind: str, call: str, times: int) -> None:
        self.simulator.add_fault(call, kind, times=times, seconds=0)

    @rule()
    def provider_is_well_again(self) -> None:
        self.simulator.provider.faults.clear()

    @rule(minutes=st.sampled_from([1, 6, 20, 50, 200, 1500]))
    def time_passes(self, minutes: int) -> None:
        self.clock.ahead += timedelta(minutes=minutes)
        sessions.expire_all_overdue(self.simulator.provider)

    # What holds ---------------------------------------------------------------------------------

    @invariant()
    def money_and_stock_add_up(self) -> None:
        """Check after every third step what is about money, stock and states; all at the end."""
        self.steps += 1
        if self.steps % CHECKED_EVERY:
            return
        assert self.find_violations(NOW_AND_THEN) == []

    def find_violations(self, ids: Iterable[str]) -> list[str]:
        """Ask for all violations at once, in a statement that is planned once.

        Below Django's cursor, because its own is planned anew each time.
        """
        assert connection.connection is not None
        with psycopg.Cursor(connection.connection) as cursor:
            cursor.execute(" UNION ALL ".join(self.checks[each] for each in ids), prepare=True)
            return [f"{id} {detail}" for id, detail in cursor.fetchall()]

    def teardown(self) -> None:
        self.armed.close()
        if not hasattr(self, "cart"):
            return
        self.simulator.provider.faults.clear()
        self.let_it_settle()
        self.compare_with_the_provider()
        self.count_what_was_met()

    def count_what_was_met(self) -> None:
        kinds = Counter(PaymentTransaction.objects.values_list("kind", flat=True))
        met = {
            "runs": 1,
            "runs with money": kinds["capture"] > 0,
            "runs with money back": kinds["refund"] > 0,
            **{f"orders {status}": count for status, count in count_by_status(Order).items()},
            **{f"payments {status}": n for status, n in count_by_status(PaymentAttempt).items()},
            **{f"refunds {status}": count for status, count in count_by_status(Refund).items()},
            **{f"booked: {kind}": count for kind, count in kinds.items()},
            "paid late, sent": Order.objects.filter(events__kind="paid_late").count(),
            "paid late, money back": Mail.objects.filter(kind="orders.refunded_late").count(),
            "disputes": Dispute.objects.count(),
            "struck": self.struck,
        }
        self.met.update({what: int(count) for what, count in met.items()})

    def let_it_settle(self) -> None:
        """Let hours pass until nothing waits; the provider's news arrives, too."""
        for _hour in range(PATIENCE):
            for event in self.list_events():
                if event["id"] not in self.told:
                    self.deliver(event)
            self.deliver_outbox()
            expiry.sweep()
            self.deliver_outbox()
            is_quiet = not (
                OutboxMessage.objects.filter(done_at=None).exists()
                or Order.objects.filter(status="pending", payments__attempt__status__in=OPEN)
                or Refund.objects.filter(status="pending").exists()
            )
            if is_quiet:
                assert self.find_violations(self.checks) == []
                return
            self.time_passes(minutes=61)
        waiting = list(OutboxMessage.objects.filter(done_at=None).values_list("task", "error"))
        raise AssertionError(f"it never came to rest: {waiting} {list(Order.objects.values())}")

    def compare_with_the_provider(self) -> None:
        store = self.simulator.provider.store
        charges = store.list_documents("charge", [], limit=10_000)
        made = store.list_documents("refund", [], limit=10_000)

        assert list_money("capture") == {
            each["id"]: Decimal(each["amount"]) / 100
            for each in charges
            if each["status"] == "succeeded"
        }
        assert {
            each.provider_id: each.amount for each in Refund.objects.filter(status="succeeded")
        } == {
            each["id"]: Decimal(each["amount"]) / 100
            for each in made
            if each["status"] == "succeeded"
        }
        for order in Order.objects.exclude(paid_at=None):
            told = Mail.objects.filter(kind="orders.confirmation", reference=order.number)
            assert told.count() == 1

    # Hands --------------------------------------------------------------------------------------

    def open_cart(self) -> Cart:
        self.cart.refresh_from_db()
        if not self.cart.is_open:
            self.cart = carts.open_cart(None)
        return self.cart

    def agree(self, cart: Cart) -> dict[str, Any]:
        """Return what a shopper who sees the review page of now agrees to."""
        view = get_cart_view(cart.pk)
        goods = total((line.total for line in view.lines), "EUR")
        return {
            "email": "ada@example.com",
            "address": BERLIN,
            "delivery_code": "standard",
            "submit_key": cart.submit_key,
            "seen_total": goods + Money(DELIVERY, "EUR"),
            "seen_lines": view.fingerprint,
            "language": "en",
        }

    def place(self, cart: Cart) -> Order:
        order = placement.place(cart, **self.agree(cart))
        # The database's clock was not turned.
        Order.objects.filter(pk=order.pk).update(created_at=clock.now())
        return order

    def give_back(self, line: OrderLine, quantity: int, **how: Any) -> OrderRefund:
        """Give pieces of a line back, as from a form that was opened when it stood like this."""
        return refunding.refund(
            line.order,
            by=self.staff,
            lines={line.pk: quantity},
            reason="Cracked",
            submit_key=f"{line.pk}-{line.refunded_quantity}",
            **how,
        )

    def see_page(self, order: Order, address: str) -> None:
        self.pages[order.number] = address.rpartition("/")[2]

    def pick_page(self, which: int) -> str | None:
        pages = list(dict.fromkeys(reversed(self.pages.values())))
        return pages[which % len(pages)] if pages else None

    def is_known_to_be_paid(self, session_id: str) -> bool:
        session = self.simulator.provider.store.get("checkout.session", session_id)
        return session is None or session["status"] != "open"

    def pick(self, model: Any, which: int) -> Any:
        found = list(model.objects.order_by("-pk")[:4])
        return found[which % len(found)] if found else None

    def variant(self, which: int) -> ProductVariant:
        return ProductVariant.objects.get(pk=self.variants[which % len(self.variants)])

    def list_events(self) -> list[dict[str, Any]]:
        return self.simulator.provider.store.list_documents(
            "event", [], limit=100, oldest_first=True
        )

    def deliver(self, event: dict[str, Any]) -> None:
        try:
            assert post_event(event, client=self.client).status_code == 200
        except Struck:
            self.struck += 1
        else:
            self.told.add(event["id"])

    def deliver_outbox(self, *, batch: int = 100, most: int = 30) -> None:
        """Run what is due by the turned clock; what the database's clock would still hold back, too."""
        for _round in range(most):
            if not self.turn_the_outbox():
                return
            try:
                if not relay.relay_once(relay.run_here, batch=batch):
                    return
            except Struck:
                self.struck += 1
                return

    def turn_the_outbox(self) -> bool:
        """Make due for the database what is due for us; say whether there is anything."""
        now, past = clock.now(), timezone.now() - timedelta(seconds=1)
        with connection.cursor() as cursor:
            cursor.execute(TURN_THE_OUTBOX, {"now": now, "past": past})
            return cursor.rowcount > 0


OPEN = ("created", "started", "processing")
TURN_THE_OUTBOX = """
UPDATE shop_outboxmessage
SET available_at = least(available_at, %(past)s), leased_until = least(leased_until, %(past)s)
WHERE done_at IS NULL AND dead_at IS NULL AND available_at <= %(now)s
  AND (leased_until IS NULL OR leased_until <= %(now)s)
"""


def count_by_status(model: Any) -> Counter[str]:
    return Counter(model.objects.values_list("status", flat=True))


def list_money(kind: str) -> dict[str, Decimal]:
    rows = PaymentTransaction.objects.filter(kind=kind)
    return dict(rows.values_list("provider_id", "amount"))


def read_checks() -> dict[str, str]:
    """Take the SQL of each invariant down as it is run."""
    checks: dict[str, str] = {}
    for each in invariants.list_invariants():
        taken: list[str] = []

        def take(execute: Any, sql: str, *rest: Any, taken: list[str] = taken) -> Any:
            taken.append(sql)
            return execute(sql, *rest)

        with connection.execute_wrapper(take):
            assert list(each.find_violations()) == []
        checks[each.id] = " UNION ALL ".join(
            f"SELECT '{each.id}', found.detail::text FROM ({sql}) AS found (detail)"
            for sql in taken
        )
    return checks


@pytest.fixture
def machine(
    simulator: Simulator, transactional_db: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> type[MoneyMachine]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)  # It breaks on purpose.
    turned = Turned()
    monkeypatch.setattr(clock, "timezone", SimpleNamespace(now=turned.now))
    monkeypatch.setattr(breaker_of("stripe"), "_clock", lambda: turned.now().timestamp())
    make_delivery(price=str(DELIVERY))

    class Machine(MoneyMachine):
        pass

    made = [VariantFactory(price=Decimal(price), stock=None) for price in PRICES]
    Machine.simulator, Machine.clock, Machine.staff = simulator, turned, StaffFactory()
    Machine.variants = [variant.pk for variant in made]
    Machine.products = [variant.product_id for variant in made]
    Machine.touched = cleaning.list_with_referring(TOUCHED)
    Machine.client = Client(enforce_csrf_checks=True)
    Machine.checks = read_checks()
    Machine.met = Counter()
    return Machine


@pytest.mark.parametrize("shard", range(SHARDS))
def test_whatever_happens_the_money_adds_up(machine: type[MoneyMachine], shard: int) -> None:
    runs = len(range(shard, RUNS, SHARDS))
    if not runs:
        pytest.skip(f"{RUNS} runs are fewer than {SHARDS} shards")
    run_state_machine_as_test(seed(SEED * SHARDS + shard)(machine), settings=how_often(runs))

    print(f"met with seed {SEED}, shard {shard}: {dict(sorted(machine.met.items()))}")
    if runs >= 30:
        too_few = {
            what: (machine.met[what], least)
            for what, least in FLOOR.items()
            if machine.met[what] < least * runs
        }
        assert not too_few


@pytest.mark.breaks_invariants
@pytest.mark.parametrize(
    ("module", "name", "broken_rule"),
    [
        (stock, "sell", "I1"),  # I14 or I16: what is paid stays on the shelf.
        (refunds, "_book", "I7"),  # Money that went back is written down nowhere.
    ],
)
def test_control_a_shop_that_is_broken_is_found_out(
    machine: type[MoneyMachine],
    monkeypatch: pytest.MonkeyPatch,
    module: Any,
    name: str,
    broken_rule: str,
) -> None:
    monkeypatch.setattr(module, name, lambda *args, **kwargs: None)

    with pytest.raises(BaseException, match=broken_rule) as found:
        run_state_machine_as_test(
            seed(SEED)(machine), settings=settings(how_often(200), phases=[Phase.generate])
        )

    assert isinstance(found.value, AssertionError | BaseExceptionGroup)


def how_often(runs: int) -> Any:
    return settings(
        max_examples=runs,
        stateful_step_count=STEPS,
        deadline=None,
        print_blob=True,
        phases=[Phase.generate, Phase.shrink],  # To explain a find takes longer than to find it.
        database=None,
        suppress_health_check=list(HealthCheck),
    )
