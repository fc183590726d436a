"""`manage.py prove` on a small scale: real processes are killed, and nothing is wrong at the end."""

from __future__ import annotations

import os
import re
import subprocess
import time
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import User
from orders.models import LedgerEntry
from orders.proving import books
from orders.proving.balancer import running_balancer
from orders.proving.books import ProviderBooks
from orders.proving.browser import Browser, NoAnswer
from orders.proving.processes import free_port
from orders.proving.shopper import ENDINGS, Plan, Purchase, draw_plan
from orders.services import payment, refunding
from payments import gateways
from payments.models import PaymentTransaction, Refund
from payments.services import settlement
from payments.simulator.running import Simulator, running_simulator
from shop.models import Mail
from shop.money import Money
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import attempt_of, pay, session_of
from tests.outbox import deliver_outbox
from tests.processes import MANAGE

LONGEST_SECONDS = 560


def run_prove(*options: str, **chosen: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **chosen}
    return subprocess.run(
        [*MANAGE, "prove", *options],
        cwd=settings.BASE_DIR,
        env=environment,
        capture_output=True,
        text=True,
        timeout=LONGEST_SECONDS,
        check=False,
    )


def read_table(text: str) -> dict[str, int]:
    rows = re.findall(r"^  +(.+?) {2,}([\d,]+)$", text, re.MULTILINE)
    return {label.strip(): int(value.replace(",", "")) for label, value in rows}


def test_sixty_purchases_under_faults_end_without_a_violation() -> None:
    done = run_prove(
        *("--purchases", "60", "--shoppers", "6", "--seed", str(int(time.time()) % 100_000)),
        *("--hurry", "--without-redis"),
    )

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-3000:]
    table = read_table(done.stdout)
    assert table["tried"] == 60
    assert table["paid at the provider"] > 10
    assert table["together"] > 0, "no fault was injected"
    assert "Nothing is wrong." in done.stdout
    zeros = done.stdout.split("WHAT MUST BE ZERO")[1].split("FAULTS")[0]
    assert set(read_table(zeros).values()) == {0}


def test_it_refuses_to_run_in_production(settings: Any) -> None:
    settings.IS_PRODUCTION = True

    with pytest.raises(CommandError, match="does not run in production"):
        call_command("prove")


def test_the_same_seed_draws_the_same_shoppers() -> None:
    first, again = ([draw_plan(Random(f"7:{n}"), [1, 2, 3]) for n in range(200)] for _ in range(2))

    assert first == again
    assert {plan.ending for plan in first} == set(ENDINGS)
    assert {plan.provider for plan in first} == {"stripe", "paypal"}


# The judge is judged: what it would have to find is put in by hand.


@pytest.fixture
def paid(simulator: Simulator, db: None, settings: Any) -> tuple[Purchase, dict[int, int]]:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    variant = VariantFactory(stock=3)
    order = place_order(variant)

    payment.start(order)
    pay(simulator, order)
    settlement.settle(attempt_of(order).pk)
    deliver_outbox()
    purchase = Purchase(1, Plan({variant.pk: 1}), outcome="paid", order=order.number)
    return purchase, {variant.pk: 3}


def their_books() -> ProviderBooks:
    captures = PaymentTransaction.objects.filter(kind="capture").select_related("attempt")
    refunds = Refund.objects.filter(status="succeeded")
    return ProviderBooks(
        charges={each.provider_id: Money(each.amount, each.currency) for each in captures},
        refunds={each.provider_id: each.money for each in refunds},
        references={each.provider_id: each.attempt.reference for each in captures},
        of={each.provider_id: "stripe" for each in (*captures, *refunds)},
    )


def judge(purchase: Purchase, pieces: dict[int, int], provider: ProviderBooks) -> list[str]:
    mails = {"the confirmation": 1}
    return books.judge(provider, [purchase], pieces=pieces, mails=mails).violations


def test_the_judge_finds_nothing_in_an_honest_sale(
    paid: tuple[Purchase, dict[int, int]],
) -> None:
    assert judge(*paid, their_books()) == []


def test_the_judge_finds_a_charge_that_we_never_booked(
    paid: tuple[Purchase, dict[int, int]],
) -> None:
    provider = their_books()
    provider.charges["ch_other"] = Money(Decimal("28.90"), "EUR")
    provider.references["ch_other"] = "pay_nobody_knows"
    provider.of["ch_other"] = "stripe"
    ours = LedgerEntry.objects.get(account="provider:stripe").amount

    assert judge(*paid, provider) == [
        "capture ch_other: the provider says 28.90 EUR, we say nothing",
        f"stripe holds 57.80, the ledger says {ours}",
        "charge ch_other has no order",
    ]


def test_the_judge_finds_a_second_charge_of_an_order(
    paid: tuple[Purchase, dict[int, int]],
) -> None:
    provider = their_books()
    (reference,) = provider.references.values()
    provider.charges["ch_again"] = Money(Decimal("28.90"), "EUR")
    provider.references["ch_again"] = reference
    provider.of["ch_again"] = "stripe"

    assert f"order {paid[0].order} keeps 2 payments" in judge(*paid, provider)


def test_the_judge_finds_a_piece_that_is_missing(paid: tuple[Purchase, dict[int, int]]) -> None:
    purchase, pieces = paid
    (variant,) = pieces

    assert judge(purchase, {variant: 4}, their_books()) == [
        f"variant {variant}: 4 at first, 1 sold, 2 left, 0 promised to nobody"
    ]


def test_the_judge_finds_an_order_that_was_lost(paid: tuple[Purchase, dict[int, int]]) -> None:
    purchase, pieces = paid
    purchase.order = "ABCDEFGH"

    assert judge(purchase, pieces, their_books()) == [
        "order ABCDEFGH was paid and is not there",
        "order ABCDEFGH was seen by a shopper and is gone",
    ]


def test_the_judge_finds_a_mail_that_never_came(paid: tuple[Purchase, dict[int, int]]) -> None:
    purchase, pieces = paid

    found = books.judge(their_books(), [purchase], pieces=pieces, mails={})

    assert found.violations == ["1 mails written, 0 arrived"]


@pytest.mark.django_db
def test_the_judge_reads_the_books_of_both_providers(tmp_path: Path, settings: Any) -> None:
    variant, state = VariantFactory(stock=4), tmp_path / "provider.sqlite3"
    with running_simulator(state=str(state)) as simulator:
        settings.STRIPE_API_BASE = settings.PAYPAL_API_BASE = simulator.url
        settings.STRIPE_SECRET_KEY = "sk_test_simulator"
        gateways.get_gateway.cache_clear()
        by_card, by_paypal = place_order(variant), place_order(variant, provider="paypal")
        payment.start(by_card)
        pay(simulator, by_card)
        payment.start(by_paypal)
        simulator.approve_order(session_of(by_paypal), webhook="never")
        approved = attempt_of(by_paypal).reference
        assert books.read_provider(state).approved == {approved}
        for order in (by_card, by_paypal):
            settlement.settle(attempt_of(order).pk)
        line = by_paypal.lines.get()
        staff = User.objects.create(email="staff@example.com", name="Staff")
        chosen = {"restock": True, "reason": "Cracked", "submit_key": "form-1", "by": staff}
        refunding.refund(by_paypal, lines={line.pk: 1}, **chosen)
        deliver_outbox()

    provider = books.read_provider(state)
    bought = [
        Purchase(n, Plan({variant.pk: 1}), outcome="paid", order=order.number)
        for n, order in enumerate((by_card, by_paypal))
    ]
    mails = {str(mail.pk): 1 for mail in Mail.objects.all()}
    verdict = books.judge(provider, bought, pieces={variant.pk: 4}, mails=mails)
    assert verdict.violations == []
    assert (verdict.paid_by, verdict.refunds_of_pieces) == ({"stripe": 1, "paypal": 1}, 1)
    assert (verdict.taken, verdict.sent_back) == (by_card.total * 2, line.gross)
    assert (provider.approved, verdict.sold) == (set(), 1)

    (refund,) = provider.refunds
    del provider.refunds[refund]
    found = books.judge(provider, bought, pieces={variant.pk: 4}, mails=mails).violations
    assert f"refund {refund}: the provider says nothing, we say {line.gross:.2f} EUR" in found
    assert any(each.startswith("paypal holds ") for each in found)


# The balancer ---------------------------------------------------------------------------------


class Named(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(str(self.server.server_address[1]).encode())

    def log_message(self, *_words: object) -> None:
        return


def test_visitors_are_led_to_the_process_that_is_there() -> None:
    servers = {name: HTTPServer(("127.0.0.1", 0), Named) for name in ("web-1", "web-2")}
    for server in servers.values():
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    ports = {name: server.server_address[1] for name, server in servers.items()}
    present = ["web-1", "web-2"]
    balancer = free_port()

    def visit() -> int:
        return int(Browser(f"http://127.0.0.1:{balancer}").get("/").text)

    with running_balancer(balancer, ports, lambda: present):
        assert {visit() for _visit in range(4)} == set(ports.values())
        servers["web-1"].shutdown()
        servers["web-1"].server_close()
        assert {visit() for _visit in range(4)} == {ports["web-2"]}, "the other is tried"
        present.clear()
        with pytest.raises(NoAnswer):
            visit()
    servers["web-2"].shutdown()
    servers["web-2"].server_close()
