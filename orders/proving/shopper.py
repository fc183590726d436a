"""A shopper who buys over HTTP and tries again what did not work, as people do."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from random import Random
from typing import Literal, get_args
from urllib.parse import parse_qs, urlsplit

from orders.proving.browser import Browser, NoAnswer, Page, ask_json, read_form

ADDRESS = {
    "email": "ada@example.com",
    "name": "Ada Lovelace",
    "street": "Unter den Linden 1",
    "postcode": "10117",
    "city": "Berlin",
    "country": "DE",
    "shipping_method": "standard",
}
PATIENCE_SECONDS = 180.0
PAUSE_SECONDS = 0.8

PROVIDERS = ("stripe", "paypal")
BY_PAYPAL = 1 / 3
"""The share of shoppers who choose PayPal at first."""

Ending = Literal["pay", "declined", "switch", "leave", "give_up"]
ENDINGS: tuple[Ending, ...] = get_args(Ending)
Outcome = Literal["paid", "sold_out", "unpaid", "stuck"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What a shopper wants and how they behave; `wanted` is pieces by variant id.

    `webhook` is when the provider tells the shop, as the simulator's control door has it. Who ends
    with `switch` turns back at the first provider and pays with the other one.
    """

    wanted: dict[int, int]
    provider: str = "stripe"
    webhook: str = "now"
    delay: float = 1.0
    comes_back: bool = True
    submits_twice: bool = False
    ending: Ending = "pay"


@dataclass(slots=True)
class Purchase:
    """What came of a plan; `paid_at` is when the shopper agreed to pay, in Unix time.

    `provider` is where the shopper was sent last, `session` the page there.
    """

    number: int
    plan: Plan
    outcome: Outcome = "stuck"
    order: str = ""
    provider: str = ""
    session: str = ""
    paid_at: float = 0.0
    tries_again: int = 0
    reason: str = ""


class Stuck(Exception):
    """The shopper has lost patience; the text says at what."""


def draw_plan(random: Random, variants: list[int]) -> Plan:
    """Draw what a shopper wants; the first variants are the ones that everybody wants."""
    count = 2 if random.random() < 0.2 and len(variants) > 1 else 1
    wanted: dict[int, int] = {}
    while len(wanted) < count:
        variant = variants[min(int(random.expovariate(3.0) * len(variants)), len(variants) - 1)]
        wanted[variant] = random.choice((1, 1, 1, 2))
    return Plan(
        wanted=wanted,
        provider=PROVIDERS[random.random() < BY_PAYPAL],
        webhook=random.choices(("now", "late", "twice", "never"), (60, 15, 15, 10))[0],
        delay=random.uniform(0.5, 5.0),
        comes_back=random.random() < 0.7,
        submits_twice=random.random() < 0.1,
        ending=random.choices(ENDINGS, (80, 6, 7, 4, 3))[0],
    )


@dataclass
class Shopper:
    """One person with one browser, who makes one purchase."""

    shop: str
    provider: str
    purchase: Purchase
    patience: float = PATIENCE_SECONDS
    browser: Browser = field(init=False)

    def __post_init__(self) -> None:
        self.browser = Browser(self.shop)
        self._deadline = time.monotonic() + self.patience

    def buy(self) -> Purchase:
        """Go all the way; what came of it stands in the purchase, whatever happens."""
        try:
            self.purchase.outcome = self._buy()
        except Stuck as refusal:
            self.purchase.outcome, self.purchase.reason = "stuck", str(refusal)
        return self.purchase

    def _buy(self) -> Outcome:
        for variant, pieces in self.purchase.plan.wanted.items():
            self._post("/cart/add/", {"variant": str(variant), "quantity": str(pieces)})
        if not self._order():
            return "sold_out"
        return self._finish()

    def _order(self) -> bool:
        """Check out; False when something was sold out meanwhile. Leaves us at the provider."""
        while True:
            page = self._get("/checkout/")
            if page.status == 302:
                if self._is_at_order(page):
                    return self._go_to_provider(page)
                return False
            fields = (read_form(page, "/checkout/") or {}) | ADDRESS
            fields |= {"action": "place", "payment_method": self.purchase.plan.provider}
            if self.purchase.plan.submits_twice:
                twin = threading.Thread(target=self._submit_beside, args=(dict(fields),))
                twin.start()
                answer = self._post("/checkout/", fields)
                twin.join()
            else:
                answer = self._post("/checkout/", fields)
            if answer.status == 302:
                if urlsplit(answer.location).path.rstrip("/").endswith("/cart"):
                    return False
                return self._go_to_provider(answer)
            self._try_again(f"the checkout answered {answer.status}")

    def _submit_beside(self, fields: dict[str, str]) -> None:
        twin = Browser(self.shop, dict(self.browser.cookies))
        try:
            twin.post("/checkout/", fields)
        except NoAnswer:
            return

    def _go_to_provider(self, page: Page, method: str = "") -> bool:
        """Follow the shop to the provider's page, asking again until there is one.

        `method` is another way to pay than the one that was chosen before.
        """
        while not page.location.startswith(self.provider):
            self.purchase.order = self._number_in(page.location) or self.purchase.order
            if not self.purchase.order:
                raise Stuck(f"the shop led to {page.location!r}")
            order_page = self._get(f"/orders/{self.purchase.order}/")
            form = read_form(order_page, f"/orders/{self.purchase.order}/pay/")
            if form is None:
                self._try_again(f"order {self.purchase.order} offers no payment")
                continue
            choice = {"method": method} if method else {}
            page = self._post(f"/orders/{self.purchase.order}/pay/", form | choice)
            if not page.location.startswith(self.provider):
                self._try_again("the provider's page cannot be had")
        parts = urlsplit(page.location)
        token = parse_qs(parts.query).get("token")
        self.purchase.provider = "paypal" if token else "stripe"
        self.purchase.session = token[0] if token else parts.path.rpartition("/")[2]
        return True

    def _finish(self) -> Outcome:
        plan = self.purchase.plan
        if plan.ending in ("leave", "give_up"):
            self._control("cancel", {})
            if plan.ending == "give_up":
                self._give_up()
            return "unpaid"
        if plan.ending == "declined":
            self._be_declined()
        elif plan.ending == "switch":
            self._control("cancel", {})
            self._pay_again(next(each for each in PROVIDERS if each != self.purchase.provider))
        self._control("approve", {"webhook": plan.webhook, "delay": plan.delay})
        self.purchase.paid_at = time.time()
        if plan.comes_back:
            self._get(f"/orders/{self.purchase.order}/returned/")
        return "paid"

    def _be_declined(self) -> None:
        """Meet a bank that says no; with PayPal the shop learns it when it takes the money."""
        if self.purchase.provider == "stripe":
            self._control("decline", {})
            return
        self._control("approve", {"outcome": "declined", "webhook": self.purchase.plan.webhook})
        self._get(f"/orders/{self.purchase.order}/returned/")
        self._pay_again("stripe")

    def _pay_again(self, method: str) -> None:
        """Ask for another provider's page until the shop leads to one."""
        while True:
            self._go_to_provider(Page(0, "", ""), method)
            if self.purchase.provider == method:
                return
            self._try_again(f"the shop leads to {self.purchase.provider}, not to {method}")

    def _give_up(self) -> None:
        number = self.purchase.order
        page = self._get(f"/orders/{number}/")
        form = read_form(page, f"/orders/{number}/cancel/")
        if form is not None:
            self._post(f"/orders/{number}/cancel/", form)

    def _control(self, deed: str, wishes: dict[str, object]) -> None:
        pages = "sessions" if self.purchase.provider == "stripe" else "paypal/orders"
        address = f"/_control/{pages}/{self.purchase.session}/{deed}"
        while True:
            try:
                status, answer = ask_json(self.provider, "POST", address, wishes)
            except NoAnswer as error:
                self._try_again(f"the provider: {error}")
                continue
            if status != 200:
                raise Stuck(f"the provider refused to {deed}: {str(answer)[:120]}")
            session = answer.get("session") or {"success_url": answer["redirect_to"]}
            self.purchase.order = self._number_in(session["success_url"])
            return

    def _get(self, address: str) -> Page:
        while True:
            try:
                page = self.browser.get(address)
            except NoAnswer as error:
                self._try_again(f"{address}: {error}")
                continue
            if not page.has_failed:
                return page
            self._try_again(f"{address} answered {page.status}")

    def _post(self, address: str, fields: dict[str, str]) -> Page:
        while True:
            try:
                page = self.browser.post(address, fields)
            except NoAnswer as error:
                self._try_again(f"{address}: {error}")
                continue
            if not page.has_failed:
                return page
            self._try_again(f"{address} answered {page.status}")

    def _try_again(self, reason: str) -> None:
        self.purchase.tries_again += 1
        if time.monotonic() > self._deadline:
            raise Stuck(reason)
        time.sleep(PAUSE_SECONDS)

    def _is_at_order(self, page: Page) -> bool:
        return bool(self._number_in(page.location))

    @staticmethod
    def _number_in(address: str) -> str:
        parts = urlsplit(address).path.strip("/").split("/")
        return parts[parts.index("orders") + 1] if "orders" in parts else ""
