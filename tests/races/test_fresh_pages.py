"""Two web processes, many visitors: nobody sees another's data, everybody sees the new price."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from itertools import cycle
from pathlib import Path

import httpx
import pytest
from django.conf import settings as shop_settings
from django.db import transaction

from catalog.models import Product, ProductVariant
from catalog.services import publishing, stock
from tests.admin_forms import address, sign_in, submit
from tests.factories.accounts import UserFactory
from tests.factories.catalog import BuyableProductFactory, CategoryFactory
from tests.nginx import nginx_before
from tests.processes import running_web
from tests.services import find_redis, redis

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

KEPT = {
    "PAGE_CACHE_MB": "16",
    "CHANGES_POLL_MS": "500",
    "SHOP_URL": "http://shop.example",  # The same for both: pages name it.
}
URLS = ["/products/dune-mug/", "/categories/cups/", "/", "/de/products/dune-mug/", "/search/?q=mug"]
PERSONAL = ["/cart/", "/cart/badge/", "/account/"]
WITHIN_SECONDS = 1.0


@pytest.fixture(autouse=True)
def mug() -> Product:
    mug = BuyableProductFactory(
        slug="dune-mug",
        title="Dune mug",
        description="<p>Thrown by hand.</p>",
        category=CategoryFactory(slug="cups", name="Cups"),
    )
    mug.refresh_from_db()
    finish(mug)
    return mug


def finish(product: Product) -> None:
    with transaction.atomic():
        publishing.finish(product)


@contextmanager
def two_processes(**chosen: str) -> Iterator[list[httpx.Client]]:
    """Run two web processes over one database, and give a browser for each."""
    with ExitStack() as stack:
        addresses = [
            stack.enter_context(running_web(SECRET_KEY=shop_settings.SECRET_KEY, **(KEPT | chosen)))
            for _process in range(2)
        ]
        yield [stack.enter_context(httpx.Client(base_url=each, timeout=30)) for each in addresses]


def seconds_until(browsers: list[httpx.Client], url: str, is_new: Callable[[str], bool]) -> float:
    """Return how long it takes until every process shows what is new, and keeps doing so."""
    began_at = time.monotonic()
    for browser in browsers:
        while not is_new(browser.get(url).text):
            assert time.monotonic() - began_at < 10
            time.sleep(0.01)
    took = time.monotonic() - began_at
    for _visit in range(20):
        for browser in browsers:
            assert is_new(browser.get(url).text)
    return took


def test_a_price_is_seen_everywhere_within_a_second_whoever_changed_it(mug: Product) -> None:
    with two_processes() as browsers:
        for url in URLS:
            for browser in browsers * 2:
                assert "24.00" in browser.get(url).text.replace("24,00", "24.00"), url

        ProductVariant.objects.update(price=Decimal("31.00"))
        finish(mug)
        for url in URLS:
            took = seconds_until(
                browsers, url, lambda page: re.search("31[.,]00", page) is not None
            )
            assert took < WITHIN_SECONDS, url

        page = address("catalog_product", "change", mug.pk)
        assert submit(sign_in(), page, variants__0__price="47.00").status_code == 302
        for url in URLS:
            took = seconds_until(
                browsers, url, lambda page: re.search("47[.,]00", page) is not None
            )
            assert took < WITHIN_SECONDS, url


def test_sold_out_and_back_and_other_words(mug: Product) -> None:
    variant = mug.variants.get()
    with two_processes() as browsers:
        for browser in browsers:
            assert "In stock" in browser.get("/products/dune-mug/").text
        with transaction.atomic():
            stock.allocate({variant.pk: 10}, reference="T-1")
        for url in ("/products/dune-mug/", "/categories/cups/"):
            assert seconds_until(browsers, url, lambda page: "Sold out" in page) < WITHIN_SECONDS

        with transaction.atomic():
            stock.release({variant.pk: 10}, reference="T-1")
        for url in ("/products/dune-mug/", "/categories/cups/"):
            took = seconds_until(browsers, url, lambda page: "Sold out" not in page)
            assert took < WITHIN_SECONDS

        mug.refresh_from_db()
        mug.description = "<p>Turned on a wheel.</p>"
        finish(mug)
        took = seconds_until(
            browsers, "/products/dune-mug/", lambda page: "Turned on a wheel." in page
        )
        assert took < WITHIN_SECONDS


def test_nothing_changes_unless_it_is_announced(mug: Product) -> None:
    """The control: pages are really kept, so it is the journal that lets the new price be seen."""
    with two_processes() as browsers:
        for browser in browsers:
            browser.get("/products/dune-mug/")
        ProductVariant.objects.update(price=Decimal("31.00"))
        time.sleep(1.5)

        for browser in browsers:
            assert "24.00" in browser.get("/products/dune-mug/").text
        finish(mug)


def test_a_thousand_visits_of_all_kinds_share_pages_and_nothing_else(mug: Product) -> None:
    names = [f"secret-{number}@example.com" for number in range(4)]
    signed_in = [UserFactory(email=name, name=f"Secret Person {name}") for name in names]
    with two_processes() as browsers, ExitStack() as stack:
        shops = [str(browser.base_url) for browser in browsers]

        def open_browser(**cookies: str) -> httpx.Client:
            return stack.enter_context(httpx.Client(cookies=cookies, timeout=30))

        guests = [open_browser() for _guest in range(4)]
        for guest, shop in zip(guests, cycle(shops), strict=False):
            added = guest.post(
                f"{shop}/cart/add/",
                data={"variant": mug.variants.get().pk, "quantity": 3},
                headers={"Origin": shop, "Sec-Fetch-Site": "same-origin"},
            )
            assert added.status_code == 302
        people = [
            open_browser(
                **{name: morsel.value for name, morsel in sign_in(person).cookies.items()},
                django_language="de",
            )
            for person in signed_in
        ]
        visitors = [*guests, *people, *(open_browser() for _stranger in range(4))]
        seen: dict[str, set[bytes]] = {url: set() for url in URLS}
        cookies = Counter[str]()
        lock = threading.Lock()
        chance = random.Random(4)
        visits = [
            (chance.choice(visitors), chance.choice(shops), chance.choice(URLS), False)
            for _visit in range(800)
        ]
        visits += [
            (chance.choice(visitors), chance.choice(shops), chance.choice(PERSONAL), True)
            for _visit in range(200)
        ]
        chance.shuffle(visits)

        def visit(each: tuple[httpx.Client, str, str, bool]) -> None:
            browser, shop, url, is_personal = each
            answer = browser.get(f"{shop}{url}", follow_redirects=is_personal)
            assert answer.status_code == 200, (url, answer.status_code)
            with lock:
                if is_personal:
                    assert "public" not in answer.headers.get("cache-control", ""), url
                    return
                seen[url].add(answer.content)
                cookies[url] += "set-cookie" in answer.headers

        with ThreadPoolExecutor(12) as crowd:
            list(crowd.map(visit, visits))

        assert {url: len(pages) for url, pages in seen.items()} == dict.fromkeys(URLS, 1)
        assert not +cookies
        everything = b"".join(page for pages in seen.values() for page in pages)
        assert b"csrfmiddlewaretoken" not in everything
        assert b"ecret" not in everything


def test_odd_addresses_through_a_real_server(mug: Product) -> None:
    with two_processes() as (browser, _other):
        for path in ("/%ff%fe/", "/%0a/", "/de/%ff/", "/products/%C3%A4/", "/search/?q=%ff%00"):
            for _visit in range(2):
                assert browser.get(path).status_code in {200, 404}, path


def test_with_redis_and_with_redis_killed(mug: Product) -> None:
    program = find_redis()
    if not program:
        pytest.skip("no Redis: install redis-server or valkey-server")
    with ExitStack() as going:
        url = going.enter_context(redis(program))
        with two_processes(REDIS_URL=url) as browsers:
            for url_seen in URLS:
                for browser in browsers * 2:
                    assert browser.get(url_seen).status_code == 200
            ProductVariant.objects.update(price=Decimal("31.00"))
            finish(mug)
            took = seconds_until(browsers, URLS[0], lambda page: "31.00" in page)
            assert took < WITHIN_SECONDS

            going.close()

            ProductVariant.objects.update(price=Decimal("47.00"))
            finish(mug)
            took = seconds_until(browsers, URLS[0], lambda page: "47.00" in page)
            assert took < WITHIN_SECONDS
            for url_seen in URLS:
                for browser in browsers * 2:
                    assert browser.get(url_seen).status_code == 200


def test_behind_nginx_a_change_is_seen_as_soon_and_old_pages_stand_in(
    mug: Product, tmp_path: Path
) -> None:
    url = "/products/dune-mug/"
    with ExitStack() as going, ExitStack() as web:
        shop = web.enter_context(running_web(**KEPT))
        address = going.enter_context(nginx_before(shop, tmp_path))
        browser = going.enter_context(httpx.Client(base_url=address, timeout=30))
        states = [browser.get(url).headers["x-cache"] for _visit in range(3)]
        assert states == ["MISS", "REVALIDATED", "REVALIDATED"]
        assert "x-accel-expires" not in browser.get(url).headers

        ProductVariant.objects.update(price=Decimal("31.00"))
        finish(mug)
        took = seconds_until([browser], url, lambda page: "31.00" in page)
        assert took < WITHIN_SECONDS

        web.close()
        stale = browser.get(url)
        assert (stale.status_code, stale.headers["x-cache"]) == (200, "STALE")
        assert "31.00" in stale.text
        other = browser.get("/products/other/")
        assert (other.status_code, other.headers["retry-after"]) == (503, "30")
