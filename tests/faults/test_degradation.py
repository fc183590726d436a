"""What goes on when something the shop depends on does not: docs/degradation.md, a test per cell.

Real processes, with a proxy before each service. Each cell does what a person does, and compares how
long the pages took with the same pages when all was well, moments before in the same run.
"""

from __future__ import annotations

import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from allauth.account.models import EmailAddress
from django.core.files.storage import storages
from django.core.management import call_command
from django.db import transaction

from accounts.models import User
from cart.models import CartItem
from catalog.models import ImageAsset, Product, ProductVariant
from catalog.services import media, publishing
from orders.models import Order
from payments.gateways import paypal_client
from payments.gateways.stripe import CONNECT_SECONDS, READ_SECONDS
from shop import invariants
from shop.cache import PAUSE_SECONDS
from shop.clock import now
from shop.models import KeptValue, Mail, OutboxMessage, Tally
from tests.admin_forms import collect
from tests.admin_forms import sign_in as sign_in_here
from tests.factories.accounts import UserFactory
from tests.factories.catalog import (
    BuyableProductFactory,
    ImageAssetFactory,
    ProductImageFactory,
)
from tests.factories.orders import make_delivery
from tests.faults.degraded_shop import BUCKET, DegradedShop, Timer, Visitor, photograph
from tests.faults.degraded_shop import running_degraded_shop as running
from tests.forms import read_form
from tests.processes import wait_until
from tests.services import find_redis
from tests.tcp_proxy import Line

pytestmark = pytest.mark.django_db(transaction=True)

MOST_ADDED_SECONDS = 0.25
SECONDS_TO_NOTICE = 1.0
"""How long the one visitor waits on whom the shop finds out that its cache is gone."""
TIMES = 3
PROVIDERS = ("stripe", "paypal")
"""A provider that joins needs its proxy in `degraded_shop.py`."""
SERVICES = ("cache", "broker", "pictures", *PROVIDERS, "mail")
LINES = (Line.REFUSED, Line.SILENT)
PROVIDER_SECONDS = {
    "stripe": CONNECT_SECONDS + READ_SECONDS + 1,
    "paypal": paypal_client.CONNECT_SECONDS + paypal_client.READ_SECONDS + 1,
}
NO_ANSWER = {
    "stripe": "The payment provider does not answer. Nothing was charged; please try again.",
    "paypal": "The payment provider does not answer. "
    "Please look at your order before you pay again.",
}
LOGIN_LIMIT = 5
"""Wrong passwords for one address in five minutes: allauth's own."""


@dataclass
class Row:
    """A service that is down, and what was there before it went."""

    shop: DegradedShop
    service: str
    line: Line
    buyer: Visitor
    number: str
    waiting: Visitor
    bought_by_waiting: str = ""
    bought: list[str] = field(default_factory=list)
    unpaid: list[tuple[Visitor, str]] = field(default_factory=list)

    @property
    def is_provider(self) -> bool:
        return self.service in PROVIDERS


@pytest.fixture
def _django_db_helper() -> None:
    """Keep the rows from cell to cell, instead of pytest-django's clean slate after each test."""


@pytest.fixture(scope="module")
def shop(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DegradedShop]:
    """One set of processes for all cells: their database is emptied when all of them are done."""
    if find_redis() is None:
        pytest.skip("no Redis program of our own to cut off: install redis-server")
    with django_db_blocker.unblock():
        make_delivery()
        mug = BuyableProductFactory(slug="dune-mug", title="Dune mug", variant__stock=900)
        ProductImageFactory(product=mug, asset=ImageAssetFactory())
        with transaction.atomic():
            publishing.finish(mug)  # So that the search finds it.
        for email in ("ada@example.com", "eve@example.com"):
            user = UserFactory(email=email)
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
        boss = UserFactory(email="boss@example.com", is_staff=True, is_superuser=True)
        EmailAddress.objects.create(user=boss, email=boss.email, verified=True, primary=True)
        try:
            with running(tmp_path_factory.mktemp("shop")) as shop:
                yield shop
        finally:
            call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=False)


@pytest.fixture(scope="module")
def boss(shop: DegradedShop) -> Visitor:
    visitor = shop.visitor()
    visitor.sign_in("boss@example.com")
    return visitor


@pytest.fixture(scope="module")
def well(shop: DegradedShop, boss: Visitor) -> Timer:
    """How long each page takes while nothing is broken."""
    timer = Timer()
    for _time in range(TIMES + 1):
        for name, walk in WALKS.items():
            if name != "seller admin":
                walk(shop.visitor(), timer)
        manage(boss, timer)
    for seconds in timer.seconds.values():
        del seconds[0]  # What a process reads once.
    return timer


@pytest.fixture(
    scope="module",
    params=[
        pytest.param((service, line), id=f"{service}-{line.value}")
        for service in SERVICES
        for line in LINES
    ],
)
def row(request: pytest.FixtureRequest, shop: DegradedShop, well: Timer) -> Iterator[Row]:
    service, line = request.param
    buyer = shop.visitor()
    number = buy(buyer, Timer())
    waiting = shop.visitor()
    waiting.add(variant().pk)
    waiting.get("cart", "/cart/")
    shop.proxies[service].turn(line)
    yield Row(shop, service, line, buyer, number, waiting)
    shop.mend()


@pytest.fixture(autouse=True)
def _nobody_tried_before(shop: DegradedShop) -> None:
    """Forget how often the one address of all cells tried something: counts outlive every outage."""
    Tally.objects.all().delete()
    KeptValue.objects.all().delete()


# What people do, each a walk through some pages --------------------------------------------------


def browse(visitor: Visitor, timer: Timer) -> None:
    visitor.timer = timer
    for name, address in (("home", "/"), ("product", "/products/dune-mug/")):
        assert "Dune mug" in visitor.get(name, address).text
    # Nobody has looked for this before, so no cache can have the page.
    found = visitor.get("search", f"/search/?q=dune+mug&page=1&visit={time.monotonic_ns()}").text
    assert 'href="/products/dune-mug/"' in found


def fill(visitor: Visitor, timer: Timer) -> None:
    visitor.timer = timer
    visitor.add(variant().pk)
    assert "Dune mug" in visitor.get("cart", "/cart/").text
    visitor.add(variant().pk)
    visitor.get("badge", "/cart/badge/")
    assert CartItem.objects.latest("id").quantity == 2


def sign_in(visitor: Visitor, timer: Timer) -> None:
    visitor.timer = timer
    visitor.sign_in("ada@example.com")
    assert "ada@example.com" in visitor.get("account", "/account/").text


def buy(visitor: Visitor, timer: Timer, *, webhook: str = "now") -> str:
    """Buy a mug and come back from the provider; return the order's number."""
    visitor.timer = timer
    visitor.add(variant().pk)
    return order_what_is_in_the_cart(visitor, webhook=webhook)


def order_what_is_in_the_cart(
    visitor: Visitor, *, webhook: str = "now", method: str = "stripe"
) -> str:
    place = visitor.place(method=method)
    assert place.startswith(visitor.shop.simulator.url), place
    number = latest_number()
    visitor.approve(place, webhook=webhook)
    assert "Thank you for your order" in visitor.come_back(number)
    return number


def manage(visitor: Visitor, timer: Timer) -> None:
    """Give the mug a new price, and see it in the shop."""
    visitor.timer = timer
    visitor.get("orders in the admin", "/admin/orders/order/")
    price = f"{20 + time.monotonic_ns() % 700 / 100:.2f}"
    save_mug(visitor, {"variants-0-price": price})
    assert ProductVariant.objects.get().price == Product.objects.get().price_from
    wait_until(
        lambda: price in visitor.http.get("/products/dune-mug/").text,
        "the price is seen",
        seconds=5,
    )


WALKS: dict[str, Callable[[Visitor, Timer], object]] = {
    "browse": browse,
    "cart": fill,
    "sign-in": sign_in,
    "pay": buy,
    "seller admin": manage,
}


def save_mug(
    visitor: Visitor, changes: dict[str, str], *, status: int = 302, **files: bytes
) -> httpx.Response:
    """Save the mug's page in the admin: what stands on it, with some fields changed."""
    address = f"/admin/catalog/product/{Product.objects.get().pk}/change/"
    page = sign_in_here(User.objects.get(email="boss@example.com")).get(address)
    values: dict[str, Any] = {}
    collect(page.context["adminform"].form, values)
    for formset in page.context["inline_admin_formsets"]:
        collect(formset.formset.management_form, values)
        for form in formset.formset.initial_forms:
            collect(form, values)
    shown = visitor.get("product in the admin", address).text
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', shown)
    assert token
    typed = {
        name: value if isinstance(value, list) else str(value)
        for name, value in values.items()
        if value is not None
    } | changes
    form = {"csrfmiddlewaretoken": token[1], **typed}
    sent = {name: (f"{name}.jpg", content, "image/jpeg") for name, content in files.items()}
    more = {"files": sent} if sent else {}
    return visitor.post("save", address, form, status=status, **more)


def variant() -> ProductVariant:
    return ProductVariant.objects.get()


def latest_number() -> str:
    return Order.objects.latest("id").number


def assert_as_quick(row: Row, walk: Callable[[Visitor, Timer], object], well: Timer) -> None:
    """Walk some times, and compare medians and the worst with those of a shop that is well.

    How much a page's time varied then is what this machine's other work does to it. What seems late
    is compared once more with the same pages of this very moment: the line is mended for so long.
    """
    late = find_late(repeat(row, walk), well)
    if late:
        row.shop.mend()
        well_now = repeat(row, walk)
        row.shop.proxies[row.service].turn(row.line)
        late = find_late(repeat(row, walk), well_now)
    assert not late, late


def repeat(row: Row, walk: Callable[[Visitor, Timer], object]) -> Timer:
    timer = Timer()
    for _time in range(TIMES):
        walk(row.shop.visitor(), timer)
    return timer


def find_late(timer: Timer, well: Timer) -> list[str]:
    return [found for name in timer.seconds if (found := compare(name, timer, well))]


def compare(name: str, timer: Timer, well: Timer) -> str:
    seconds, usual = timer.seconds[name], well.median(name)
    noise = max(well.seconds[name]) - usual
    added, worst = timer.median(name) - usual - noise, max(seconds) - usual - noise
    if added <= MOST_ADDED_SECONDS and worst <= SECONDS_TO_NOTICE:
        return ""
    return f"{name}: {seconds} instead of {well.seconds[name]}"


# The cells -----------------------------------------------------------------------------------------


def test_browse_and_search(row: Row, well: Timer) -> None:
    assert_as_quick(row, browse, well)
    page = row.shop.visitor().get("product", "/products/dune-mug/").text
    picture = re.search(r"<img[^>]*pictures/[^>]*>", page)
    assert picture
    if row.service == "pictures":
        # Its place is kept and its words are there, whether or not it comes.
        assert re.search(r'width="\d+"', picture[0])
        assert re.search(r'height="\d+"', picture[0])
        assert "alt=" in picture[0]


def test_cart(row: Row, well: Timer) -> None:
    assert_as_quick(row, fill, well)


def test_sign_in(row: Row, well: Timer) -> None:
    assert_as_quick(row, sign_in, well)
    if row.service == "cache":
        assert "Too many failed" in guess(row.shop.visitor())


def guess(visitor: Visitor) -> str:
    """Try wrong passwords until the limit, then the right one; return what the page says."""
    page = visitor.get("sign-in page", "/accounts/login/")
    wrong = {"login": "eve@example.com", "password": "a guess"}
    for _time in range(LOGIN_LIMIT):
        page = visitor.post("guess", "/accounts/login/", read(page) | wrong, status=200)
    right = read(page) | {"login": "eve@example.com", "password": "a long enough password"}
    return visitor.post("guess", "/accounts/login/", right, status=200).text


def read(page: httpx.Response) -> dict[str, str]:
    return read_form(page, "/accounts/login/")


def test_pay(row: Row, well: Timer) -> None:
    """A provider that is away says so; the other one takes the money as ever."""
    if row.is_provider:
        visitor = row.shop.visitor()
        number = order_without_provider(visitor, row.service)
        row.unpaid.append((visitor, number))
    if row.service == "stripe":
        visitor = row.shop.visitor()
        visitor.add(variant().pk)
        row.bought.append(order_what_is_in_the_cart(visitor, method="paypal"))
        return
    assert_as_quick(row, lambda visitor, timer: row.bought.append(buy(visitor, timer)), well)
    # A cart that was filled before is ordered now; its order must be there afterwards.
    row.bought_by_waiting = order_what_is_in_the_cart(row.waiting)
    row.bought.append(row.bought_by_waiting)


def order_without_provider(visitor: Visitor, provider: str) -> str:
    """Order while the provider is away: the order stands, and offers to be paid later."""
    visitor.add(variant().pk)
    began = time.monotonic()
    place = visitor.place(method=provider)
    assert time.monotonic() - began < PROVIDER_SECONDS[provider]
    number = latest_number()
    assert place == f"/orders/{number}/"
    page = visitor.get("order", place).text
    assert NO_ANSWER[provider] in page
    assert f'action="/orders/{number}/pay/"' in page
    assert Order.objects.get(number=number).status == "pending"
    return number


def test_order_status(row: Row, well: Timer) -> None:
    def look(_visitor: Visitor, timer: Timer) -> None:
        row.buyer.timer = timer
        page = row.buyer.get("order", f"/orders/{row.number}/").text
        assert "Thank you for your order" in page

    assert_as_quick(row, look, well)


def test_seller_admin(row: Row, boss: Visitor, well: Timer) -> None:
    assert_as_quick(row, lambda _visitor, timer: manage(boss, timer), well)
    if row.service == "pictures":
        count = ImageAsset.objects.count()
        page = save_mug(boss, more_pictures(), status=200, **new_picture())
        assert (
            "The picture could not be stored just now. Please try again in a minute." in page.text
        )
        assert ImageAsset.objects.count() == count


def more_pictures() -> dict[str, str]:
    """Fill in the row of one more picture."""
    count = Product.objects.get().images.count()
    return {
        "images-TOTAL_FORMS": str(count + 1),
        f"images-{count}-alt": "A mug",
        f"images-{count}-position": str(count),
    }


def new_picture() -> dict[str, bytes]:
    count = Product.objects.get().images.count()
    return {f"images-{count}-upload": photograph(time.monotonic_ns() % 250)}


def test_background(row: Row) -> None:
    BACKGROUND[row.service](row)


def with_cache_away(row: Row) -> None:
    """Mails leave as ever."""
    number = buy(row.shop.visitor(), Timer())
    row.bought.append(number)
    wait_until(lambda: confirmations(row.shop, number), "the mail leaves", seconds=10)


def with_broker_away(row: Row) -> None:
    """All waits, and nothing counts as a failure."""
    number = buy(row.shop.visitor(), Timer())
    row.bought.append(number)
    waiting = notice_of(number)
    wait_until(
        lambda: row.line is Line.SILENT or waiting.filter(error__startswith="no broker").exists(),
        "the relay finds no broker",
        seconds=10,
    )
    assert waiting.get().attempts == 0
    assert waiting.get().done_at is None
    assert confirmations(row.shop, number) == 0


def with_pictures_away(row: Row) -> None:
    """A picture waits to be rendered; mails do not wait behind it."""
    asset = add_picture_beside_the_line(row.shop)
    number = buy(row.shop.visitor(), Timer())
    row.bought.append(number)
    wait_until(lambda: confirmations(row.shop, number), "the mail leaves", seconds=10)
    assert ImageAsset.objects.get(pk=asset.pk).ready_at is None


def add_picture_beside_the_line(shop: DegradedShop) -> ImageAsset:
    """Take a picture in as the web process did a moment before the line broke."""
    options = {
        **shop.bucket, "region_name": "us-east-1", "access_key": "test", "secret_key": "test",
        "bucket_name": BUCKET, "addressing_style": "path",
    }  # fmt: skip
    direct = storages.create_storage(
        {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(media, "default_storage", direct)
        return media.add_image(io_of(photograph(time.monotonic_ns() % 250)))


def io_of(content: bytes) -> Any:
    return io.BytesIO(content)


def with_stripe_away(row: Row) -> None:
    """A webhook is stored and waits for its turn; other mails leave."""
    visitor = row.shop.visitor()
    page = visitor.get("reset page", "/accounts/password/reset/")
    form = read_form(page, "/accounts/password/reset/") | {"email": "ada@example.com"}
    had = len(row.shop.sink.mails)
    visitor.post("reset", "/accounts/password/reset/", form)
    wait_until(lambda: len(row.shop.sink.mails) > had, "the mail leaves", seconds=20)


def with_paypal_away(row: Row) -> None:
    """A card's webhook is worked on, and its mail leaves."""
    visitor = row.shop.visitor()
    visitor.add(variant().pk)
    place = visitor.place()
    number = latest_number()
    row.bought.append(number)
    visitor.approve(place, webhook="now")
    wait_until(lambda: confirmations(row.shop, number), "the mail leaves", seconds=25)


def with_mail_away(row: Row) -> None:
    """A payment is booked though the mails before it cannot leave."""
    visitor = row.shop.visitor()
    visitor.add(variant().pk)
    place = visitor.place()
    number = latest_number()
    row.bought.append(number)
    visitor.approve(place, webhook="now")
    paid = Order.objects.filter(number=number, payment_status="paid")
    wait_until(paid.exists, "the webhook's task books the payment", seconds=25)
    wait_until(
        lambda: Mail.objects.filter(kind="orders.confirmation", reference=number).exists(),
        "the mail is written",
        seconds=25,
    )
    assert Mail.objects.get(kind="orders.confirmation", reference=number).sent_at is None


BACKGROUND: dict[str, Callable[[Row], None]] = {
    "cache": with_cache_away,
    "broker": with_broker_away,
    "pictures": with_pictures_away,
    "stripe": with_stripe_away,
    "paypal": with_paypal_away,
    "mail": with_mail_away,
}


def notice_of(number: str) -> Any:
    order = Order.objects.get(number=number)
    return OutboxMessage.objects.filter(key=f"notice:{order.pk}:confirmation:")


def confirmations(shop: DegradedShop, number: str) -> int:
    """Count them by their Message-ID: a line cut before the server's answer came makes a copy."""
    about_it = [mail for mail in shop.sink.mails if f"Your order {number} " in mail["Subject"]]
    return len({mail["Message-ID"] for mail in about_it})


def test_nothing_is_lost_afterwards(row: Row, boss: Visitor) -> None:
    """The line is mended: what waited is done once, what was begun can be finished."""
    row.shop.mend()
    for visitor, number in row.unpaid:
        page = visitor.get("order", f"/orders/{number}/")
        pay = f"/orders/{number}/pay/"
        place = visitor.post("pay", pay, read_form(page, pay)).headers["location"]
        visitor.approve(place, webhook="now")
        assert "Thank you for your order" in visitor.come_back(number)
        row.bought.append(number)
    if row.service == "pictures":
        save_mug(boss, more_pictures(), **new_picture())

    row.shop.simulator.wait_for_deliveries(within=30)
    bring_forward()
    # What a worker took from a line that fell silent comes back when its lease has run out.
    with suppress(TimeoutError):
        wait_until(all_is_done, "all that waited is done", seconds=240)
    waiting = OutboxMessage.objects.filter(done_at=None)
    assert [(each.task, each.attempts, each.error[:300]) for each in waiting] == []

    if row.service == "cache":
        time.sleep(PAUSE_SECONDS)  # Then Redis is believed again, whatever it still has.
    for visitor in (row.buyer, row.waiting):
        number = row.number if visitor is row.buyer else row.bought_by_waiting
        if number:
            assert "Thank you for your order" in visitor.get("order", f"/orders/{number}/").text

    for number in (row.number, *row.bought):
        assert confirmations(row.shop, number) == 1, number
        assert Order.objects.get(number=number).payment_status == "paid"
    assert not ImageAsset.objects.filter(ready_at=None).exists()
    assert not OutboxMessage.objects.exclude(dead_at=None).exists()
    assert invariants.find_violations() == []


def bring_forward() -> None:
    """Let the pauses after failures be over: they are a few seconds here, an hour at most."""
    OutboxMessage.objects.filter(done_at=None, leased_until=None).update(available_at=now())


def all_is_done() -> bool:
    bring_forward()
    return not OutboxMessage.objects.filter(done_at=None).exists()
