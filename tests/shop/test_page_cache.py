"""Finished pages answer for Django: the same bytes, nobody's data, and never a stale price."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.http import HttpResponse
from django.test import RequestFactory

from accounts.services.sellers import save_seller
from catalog.models import Category, Product, ProductVariant
from catalog.services import categories, indexing, publishing, stock
from shop import changes, maintenance, notes
from shop.clock import now
from shop.models import Page as ContentPage
from shop.page_cache import shared, store
from shop.page_cache.asking import Asking
from shop.page_cache.page import LONGEST_ADDRESS, Page, choose_encoding
from shop.page_cache.store import PageStore
from shop.page_cache.wsgi import PageCache, keep_pages
from shop.services import content
from shop.views.caching import public_page
from tests.factories.catalog import BuyableProductFactory, CategoryFactory, VariantFactory
from tests.journal import look_until_the_horizon_passes

SHOP = "http://testserver"
MEGABYTE = 2**20


@pytest.fixture(autouse=True)
def _watchers_of_one_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page cache watches for as long as its process lives."""
    monkeypatch.setattr(changes, "_watchers", list(changes._watchers))


@pytest.fixture(autouse=True)
def _connections_stay_open() -> Iterator[None]:
    """Each request would close the connection that holds the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


class Counting:
    """Django, and how often it was asked."""

    def __init__(self) -> None:
        self.handler = WSGIHandler()
        self.asked: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        self.asked.append(environ["PATH_INFO"])
        return self.handler(environ, start_response)


class Shop:
    """A web process in miniature: the page cache before Django, and browsers that visit it."""

    def __init__(self, *, limit: int = 8 * MEGABYTE, is_shared: bool = False) -> None:
        self.django = Counting()
        self.cache = PageCache(self.django, limit=limit, is_shared=is_shared)

    def visit(self, url: str, **headers: str) -> httpx.Response:
        return self.browser().get(url, headers=named(headers))

    def browser(self, **headers: str) -> httpx.Client:
        transport = httpx.WSGITransport(app=self.cache)
        return httpx.Client(transport=transport, base_url=SHOP, headers=named(headers))

    @property
    def renders(self) -> int:
        return len(self.django.asked)


def named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def mug(db: None) -> Product:
    mug = BuyableProductFactory(
        slug="dune-mug",
        title="Dune mug",
        description="<p>Thrown by hand.</p>",
        seller__slug="havre",
        category=CategoryFactory(slug="cups", name="Cups"),
    )
    with transaction.atomic():
        indexing.reindex([mug.pk])
    mug.refresh_from_db()
    return mug


PAGES = [
    *("/", "/categories/cups/", "/categories/cups/?sort=price", "/products/dune-mug/"),
    *("/search/?q=mug", "/sellers/havre/", "/de/", "/de/products/dune-mug/", "/offline/"),
]


class TestWhatIsKept:
    @pytest.mark.parametrize("url", PAGES)
    def test_a_page_is_made_once_and_its_bytes_are_djangos(
        self, shop: Shop, mug: Product, client: Any, url: str
    ) -> None:
        answers = [shop.visit(url, accept_encoding="identity") for _visit in range(3)]

        assert shop.renders == 1
        assert [answer.status_code for answer in answers] == [200] * 3
        assert {answer.content for answer in answers} == {client.get(url).content}
        assert answers[0].headers == answers[1].headers
        assert "set-cookie" not in answers[0].headers
        assert answers[0].headers["content-security-policy"]

    def test_each_language_has_a_page_of_its_own(self, shop: Shop, mug: Product) -> None:
        for _visit in range(2):
            english, german = shop.visit("/"), shop.visit("/de/")

        assert shop.renders == 2
        assert english.headers["content-language"] == "en"
        assert german.headers["content-language"] == "de"

    def test_each_encoding_has_bytes_of_its_own(self, shop: Shop, mug: Product) -> None:
        wishes = ["br, gzip", "gzip;q=1.0, br;q=0.5", "gzip", "gzip, br;q=0", "identity", "zstd"]
        for _visit in range(2):
            answers = [shop.visit("/", accept_encoding=wish) for wish in wishes]

        assert shop.renders == 3
        encodings = [answer.headers.get("content-encoding", "") for answer in answers]
        assert encodings == ["br", "br", "gzip", "gzip", "", ""]
        assert len({answer.content for answer in answers}) == 1
        assert {answer.headers["vary"] for answer in answers} == {"Accept-Encoding"}
        assert len({answer.headers["etag"] for answer in answers}) == 1

    def test_an_answer_to_head_has_the_headers_alone(self, shop: Shop, mug: Product) -> None:
        cold = shop.browser().head("/")
        page = shop.visit("/")
        warm = shop.browser().head("/")

        assert shop.renders == 1
        assert cold.content == warm.content == b""
        assert page.content
        assert cold.headers == warm.headers == page.headers

    def test_who_has_the_page_already_gets_no_body(self, shop: Shop, mug: Product) -> None:
        etag = shop.visit("/").headers["etag"]

        for known in (etag, etag.removeprefix("W/"), f'"other", {etag}', "*"):
            answer = shop.visit("/", if_none_match=known)
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["etag"] == etag
            assert answer.headers["cache-control"].startswith("public")
            assert answer.headers["x-accel-expires"] == "@1"
            assert "content-length" not in answer.headers
        assert shop.visit("/", if_none_match='"other"').status_code == 200
        assert shop.renders == 1

    def test_a_cold_page_is_kept_though_its_first_visitor_has_it(
        self, shop: Shop, mug: Product
    ) -> None:
        etag = Shop().visit("/").headers["etag"]

        assert shop.visit("/", if_none_match=etag).status_code == 304
        assert shop.visit("/").status_code == 200
        assert shop.renders == 1

    def test_each_host_scheme_and_order_of_the_query_has_a_page_of_its_own(
        self, shop: Shop, mug: Product, settings: Any
    ) -> None:
        settings.ALLOWED_HOSTS = ["testserver", "shop.example"]
        settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
        visits: list[tuple[str, dict[str, str]]] = [
            ("/categories/cups/?sort=price&page=1", {}),
            ("/categories/cups/?page=1&sort=price", {}),
            ("/categories/cups/?sort=price&page=1", {"host": "shop.example"}),
            ("/categories/cups/?sort=price&page=1", {"x_forwarded_proto": "https"}),
        ]
        for _visit in range(2):
            for url, headers in visits:
                assert shop.visit(url, **headers).status_code == 200

        assert shop.renders == 4
        assert shop.visit("/", host="evil.example").status_code == 400

    @pytest.mark.parametrize(
        ("url", "status"),
        [
            ("/products/unknown/", 404),
            ("/categories/cups/?page=99", 404),
            ("/nowhere/", 404),
            ("/products/dune-mug", 301),
            ("/cart/", 200),
            ("/cart/badge/", 200),
            ("/accounts/login/", 200),
            ("/livez", 200),
        ],
    )
    def test_everything_else_is_asked_each_time(
        self, shop: Shop, mug: Product, url: str, status: int
    ) -> None:
        assert [shop.visit(url).status_code for _visit in range(3)] == [status] * 3
        assert shop.renders == 3
        assert len(shop.cache.store) == 0

    def test_only_reading_is_answered(self, shop: Shop, mug: Product) -> None:
        shop.visit("/")

        assert shop.browser().post("/").status_code == 403
        assert shop.renders == 2

    def test_an_address_longer_than_anybody_comes_back_to_is_not_kept(
        self, shop: Shop, mug: Product
    ) -> None:
        url = "/search/?q=" + "a" * LONGEST_ADDRESS
        assert [shop.visit(url).status_code for _visit in range(2)] == [200, 200]

        assert shop.renders == 2

    def test_odd_bytes_in_an_address_do_no_harm(self, shop: Shop, mug: Product) -> None:
        for path in ("/%0a/", "/products/%C3%A4/", "/de/%C3%A4/", "/%2e%2e/", "/de"):
            assert shop.visit(path).status_code in {301, 404}
        assert len(shop.cache.store) == 0


class TestNobodysData:
    @pytest.mark.parametrize(
        "header",
        [
            {"Set-Cookie": "sessionid=secret"},
            {"Vary": "Accept-Encoding, Cookie"},
            {"Cache-Control": "private, no-store"},
        ],
    )
    def test_an_answer_that_looks_personal_is_never_kept(
        self, header: dict[str, str], db: None
    ) -> None:
        secrets = iter(["Sam", "Kim"])

        def careless(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            environ[Asking.KEY].sources = frozenset({"catalogue"})
            headers = {"Cache-Control": "public", "ETag": '"1"', "Vary": "Accept-Encoding"} | header
            start_response("200 OK", list(headers.items()))
            return [next(secrets).encode()]

        cache = PageCache(careless, limit=MEGABYTE, is_shared=False)
        browser = httpx.Client(transport=httpx.WSGITransport(app=cache), base_url=SHOP)

        assert [browser.get("/").text, browser.get("/").text] == ["Sam", "Kim"]

    def test_a_view_that_reads_the_session_against_the_rule_is_not_kept(
        self, shop: Shop, mug: Product, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from catalog.views import home

        def personal(*args: Any) -> HttpResponse:
            request = args[0]
            request.session.get("anything")
            return HttpResponse("Hello Sam")

        monkeypatch.setattr(home, "render", personal)
        for _visit in range(2):
            assert shop.visit("/").text == "Hello Sam"

        assert shop.renders == 2

    def test_whoever_asks_cookies_change_nothing(self, shop: Shop, mug: Product) -> None:
        anonymous = shop.visit("/products/dune-mug/")
        somebody = shop.visit(
            "/products/dune-mug/", cookie="sessionid=abc; csrftoken=def; django_language=de"
        )

        assert shop.renders == 1
        assert somebody.content == anonymous.content
        assert somebody.headers == anonymous.headers


class TestFreshness:
    def test_a_price_changed_in_a_service(self, shop: Shop, mug: Product) -> None:
        urls = ["/products/dune-mug/", "/categories/cups/", "/", "/sellers/havre/"]
        for url in urls:
            assert "24.00" in shop.visit(url).text

        ProductVariant.objects.update(price=Decimal("31.00"))
        finish(mug)

        for url in urls:
            assert "31.00" in shop.visit(url).text, url
            assert "24.00" not in shop.visit(url).text, url

    def test_a_change_elsewhere_leaves_a_page_alone(self, shop: Shop, mug: Product) -> None:
        bowl = BuyableProductFactory(category=CategoryFactory(slug="bowls"))
        for url in ("/products/dune-mug/", "/categories/cups/", "/categories/bowls/"):
            shop.visit(url)
        made = shop.renders

        finish(bowl)
        for url in ("/products/dune-mug/", "/categories/cups/"):
            shop.visit(url)
        assert shop.renders == made

        shop.visit("/categories/bowls/")
        assert shop.renders == made + 1

    def test_sold_out_and_back(self, shop: Shop, mug: Product) -> None:
        variant = mug.variants.get()
        assert "In stock" in shop.visit("/products/dune-mug/").text

        with transaction.atomic():
            stock.allocate({variant.pk: 6}, reference="T-1")
        assert "Only 4 left" in shop.visit("/products/dune-mug/").text

        with transaction.atomic():
            stock.allocate({variant.pk: 4}, reference="T-2")
        for url in ("/products/dune-mug/", "/categories/cups/"):
            assert "Sold out" in shop.visit(url).text, url

        with transaction.atomic():
            stock.release({variant.pk: 10}, reference="T-3")
        for url in ("/products/dune-mug/", "/categories/cups/"):
            assert "Sold out" not in shop.visit(url).text, url

    def test_one_of_two_variants_sold_out(self, shop: Shop, mug: Product) -> None:
        second = VariantFactory(product=mug, sku="MUG-2", position=1, stock=3)
        url = "/products/dune-mug/?variant=MUG-2"
        assert "Only 3 left" in shop.visit(url).text

        with transaction.atomic():
            stock.allocate({second.pk: 3}, reference="T-1")
        assert "Sold out" in shop.visit(url).text

        with transaction.atomic():
            stock.release({second.pk: 2}, reference="T-1")
        assert "Only 2 left" in shop.visit(url).text
        with transaction.atomic():
            stock.release({second.pk: 1}, reference="T-1")

    def test_other_words(self, shop: Shop, mug: Product) -> None:
        assert "Thrown by hand." in shop.visit("/products/dune-mug/").text

        mug.description = "<p>Turned on a wheel.</p>"
        finish(mug)

        assert "Turned on a wheel." in shop.visit("/products/dune-mug/").text

    def test_a_product_taken_down(self, shop: Shop, mug: Product) -> None:
        shop.visit("/products/dune-mug/")

        mug.status = Product.Status.ARCHIVED
        finish(mug)

        assert shop.visit("/products/dune-mug/").status_code == 404

    def test_a_category_by_another_name(self, shop: Shop, mug: Product) -> None:
        for url in ("/", "/products/dune-mug/", "/categories/cups/"):
            assert "Cups" in shop.visit(url).text

        category = Category.objects.get(slug="cups")
        category.name = "Mugs"
        categories.save(category)

        for url in ("/", "/products/dune-mug/", "/categories/cups/"):
            assert "Cups" not in shop.visit(url).text, url

    def test_a_maker_by_another_name(self, shop: Shop, mug: Product) -> None:
        for url in ("/products/dune-mug/", "/categories/cups/", "/sellers/havre/"):
            shop.visit(url)

        save_seller("havre", name="Le Havre", country="FR")

        for url in ("/products/dune-mug/", "/categories/cups/", "/sellers/havre/"):
            assert "Le Havre" in shop.visit(url).text, url

    def test_a_content_page_and_its_place_in_the_footer(self, shop: Shop, mug: Product) -> None:
        shop.visit("/")
        with transaction.atomic():
            page = content.save_page(ContentPage(slug="imprint", title="Imprint", body="<p>We</p>"))
        assert "Imprint" in shop.visit("/").text
        assert "<p>We</p>" in shop.visit("/pages/imprint/").text

        page.body = "<p>They</p>"
        with transaction.atomic():
            content.save_page(page)
        assert "<p>They</p>" in shop.visit("/pages/imprint/").text

        with transaction.atomic():
            content.delete_pages([page])
        assert "Imprint" not in shop.visit("/").text
        assert shop.visit("/pages/imprint/").status_code == 404

    def test_what_changes_while_a_page_is_made_keeps_it_from_being_kept(
        self, shop: Shop, mug: Product, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from catalog.views import product

        read = product.get_product_page

        def slow(*args: Any, **kwargs: Any) -> Any:
            page = read(*args, **kwargs)
            ProductVariant.objects.update(price=Decimal("31.00"))
            finish(mug)
            changes.catch_up()  # As another thread may.
            return page

        monkeypatch.setattr(product, "get_product_page", slow)
        assert "24.00" in shop.visit("/products/dune-mug/").text
        monkeypatch.setattr(product, "get_product_page", read)

        assert "31.00" in shop.visit("/products/dune-mug/").text
        assert shop.renders == 2

    def test_nothing_is_kept_for_longer_than_minutes(
        self, shop: Shop, mug: Product, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        shop.visit("/")
        monkeypatch.setattr(store, "LONGEST_SECONDS", -1)
        shop.visit("/")

        assert shop.renders == 2

    def test_a_page_counts_the_visits_that_it_answers(self, shop: Shop, mug: Product) -> None:
        counted: list[tuple[str, int]] = []
        notes.register("test", lambda words, found: counted.append((words, found)))

        @public_page("catalogue")
        def view(request: Any) -> HttpResponse:
            notes.count("test", "mug", 1)
            return HttpResponse("found")

        def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            request = RequestFactory().get("/")
            request.META[Asking.KEY] = environ[Asking.KEY]
            response = view(request)
            start_response("200 OK", list(response.headers.items()))
            return response

        cache = PageCache(application, limit=MEGABYTE, is_shared=False)
        browser = httpx.Client(transport=httpx.WSGITransport(app=cache), base_url=SHOP)
        for _visit in range(3):
            browser.get("/search/?q=mug")

        assert counted == [("mug", 1)] * 3


def finish(product: Product) -> None:
    with transaction.atomic():
        publishing.finish(product)


class TestRoom:
    def test_absurdly_many_addresses_fit_and_what_people_look_at_stays(self) -> None:
        kept = PageStore(MEGABYTE)
        for _visit in range(2):
            fill(kept, "home") if ("home",) not in kept else kept.get(("home",))
        for number in range(5000):
            fill(kept, f"crawled-{number}")
            assert kept.bytes <= MEGABYTE

        assert ("home",) in kept
        assert ("crawled-4999",) in kept
        assert ("crawled-0",) not in kept
        assert kept.bytes == sum(
            entry[2] for shelf in (kept.new, kept.proven) for entry in shelf.pages.values()
        )
        assert len(kept) < 200
        filed = {key for keys in kept.filed.values() for key in keys}
        assert len(filed) == len(kept)

    def test_what_is_proven_gives_way_to_what_is_proven_later(self) -> None:
        kept = PageStore(MEGABYTE)
        for number in range(500):
            fill(kept, str(number))
            kept.get((str(number),))
            assert kept.bytes <= MEGABYTE
            assert kept.proven.bytes <= MEGABYTE * 0.8

        assert ("499",) in kept
        assert ("0",) not in kept

    def test_a_page_that_is_far_too_big_is_not_kept(self) -> None:
        kept = PageStore(MEGABYTE)
        fill(kept, "huge", size=MEGABYTE // 4)

        assert len(kept) == kept.bytes == 0

    def test_dropping_leaves_nothing_behind(self) -> None:
        kept = PageStore(MEGABYTE)
        fill(kept, "a", sources={"product:1", "catalogue"})
        fill(kept, "b", sources={"product:2", "catalogue"})
        kept.get(("a",))

        assert kept.drop({"product:1", "product:9"}) == 1
        assert [("a",) in kept, ("b",) in kept] == [False, True]
        assert kept.drop({changes.EVERYTHING}) == 1
        assert (len(kept), kept.bytes, dict(kept.filed)) == (0, 0, {})

    def test_many_filters_of_a_real_category_stay_within_bounds(self, mug: Product) -> None:
        shop = Shop(limit=300_000)
        for number in range(60):
            assert shop.visit(f"/categories/cups/?price_max={number + 30}").status_code == 200

        assert shop.cache.store.bytes <= 300_000
        assert 0 < len(shop.cache.store) < 60


def fill(kept: PageStore, name: str, *, size: int = 10_000, sources: Any = ("catalogue",)) -> None:
    flight, is_first = kept.board((name,))
    assert is_first
    page = Page((("ETag", '"1"'),), b"x" * size, '"1"', frozenset(sources))
    kept.land((name,), flight, page)


class TestStampede:
    def test_many_at_once_on_a_cold_page_have_it_made_once(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(changes, "catch_up", lambda: 0)
        made: list[int] = []

        def slow(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            made.append(1)
            time.sleep(0.3)
            environ[Asking.KEY].sources = frozenset({"catalogue"})
            start_response("200 OK", [("Cache-Control", "public"), ("ETag", '"1"')])
            return [b"page"]

        cache = PageCache(slow, limit=MEGABYTE, is_shared=False)
        barrier = threading.Barrier(32)

        def visit(_number: int) -> str:
            with httpx.Client(transport=httpx.WSGITransport(app=cache), base_url=SHOP) as browser:
                barrier.wait(10)
                return browser.get("/").text

        with ThreadPoolExecutor(32) as crowd:
            assert list(crowd.map(visit, range(32))) == ["page"] * 32
        assert len(made) == 1

    def test_who_waited_for_a_page_that_failed_makes_its_own(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(changes, "catch_up", lambda: 0)
        made: list[int] = []

        def failing_first(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
            made.append(1)
            if len(made) == 1:
                time.sleep(0.3)
                raise RuntimeError("broken")
            start_response("200 OK", [])
            return [b"page"]

        cache = PageCache(failing_first, limit=MEGABYTE, is_shared=False)

        def visit(_number: int) -> str:
            with httpx.Client(transport=httpx.WSGITransport(app=cache), base_url=SHOP) as browser:
                try:
                    return browser.get("/").text
                except RuntimeError as error:
                    return str(error)

        with ThreadPoolExecutor(4) as crowd:
            assert sorted(crowd.map(visit, range(4))) == ["broken", "page", "page", "page"]
        assert cache.store.flights == {}


class TestBypass:
    def test_closed_for_maintenance(
        self, shop: Shop, mug: Product, settings: Any, tmp_path: Path
    ) -> None:
        settings.MAINTENANCE_FILE = tmp_path / "maintenance.json"
        shop = Shop()
        assert shop.visit("/").status_code == 200

        maintenance.close(messages={}, minutes=5, now=now())
        assert shop.visit("/").status_code == 503
        maintenance.open_again()

        assert shop.visit("/").status_code == 200
        assert shop.renders == 2

    def test_what_staff_see_while_closed_is_not_kept(
        self, mug: Product, settings: Any, tmp_path: Path
    ) -> None:
        from tests.admin_forms import sign_in

        settings.MAINTENANCE_FILE = tmp_path / "maintenance.json"
        shop = Shop()
        maintenance.close(messages={}, minutes=5, now=now())
        session = sign_in().cookies[settings.SESSION_COOKIE_NAME].value
        assert (
            shop.visit("/", cookie=f"{settings.SESSION_COOKIE_NAME}={session}").status_code == 200
        )

        assert shop.visit("/").status_code == 503
        assert len(shop.cache.store) == 0

    def test_while_developing_and_when_there_is_no_room(self, settings: Any) -> None:
        def application(environ: Any, start_response: Any) -> Iterable[bytes]:
            return []

        settings.DEBUG, settings.PAGE_CACHE_BYTES = False, MEGABYTE
        assert isinstance(keep_pages(application), PageCache)
        settings.PAGE_CACHE_BYTES = 0
        assert keep_pages(application) is application
        settings.DEBUG, settings.PAGE_CACHE_BYTES = True, MEGABYTE
        assert keep_pages(application) is application


@pytest.fixture
def in_redis(settings: Any, redis_url: str) -> Iterator[None]:
    settings.CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": redis_url,
            "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.2, "IGNORE_EXCEPTIONS": True},
            "KEY_PREFIX": "test_page_cache",
        }
    }
    from django.core.cache import cache

    cache.clear()
    yield
    cache.clear()


@pytest.mark.usefixtures("in_redis")
class TestRedis:
    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture(autouse=True)
    def _looked_before(self, mug: Product, monkeypatch: pytest.MonkeyPatch) -> None:
        """A busy machine must not pass for a slow Redis, nor another test's rows for news here."""
        changes.catch_up()
        look_until_the_horizon_passes(changes.get_start() - 1)
        monkeypatch.setattr(shared, "SLOW_SECONDS", 60)

    def test_a_page_asked_for_twice_serves_other_processes(self, mug: Product) -> None:
        ours, theirs = Shop(is_shared=True), Shop(is_shared=True)
        first = ours.visit("/products/dune-mug/")
        ours.visit("/products/dune-mug/")

        answer = theirs.visit("/products/dune-mug/")
        assert theirs.renders == 0
        assert (answer.content, answer.headers) == (first.content, first.headers)

    def test_a_page_asked_for_once_takes_no_room_there(self, mug: Product) -> None:
        ours, theirs = Shop(is_shared=True), Shop(is_shared=True)
        ours.visit("/products/dune-mug/")
        theirs.visit("/products/dune-mug/")

        assert [ours.renders, theirs.renders] == [1, 1]

    def test_a_page_there_is_not_shown_after_a_change(self, mug: Product) -> None:
        ours, theirs = Shop(is_shared=True), Shop(is_shared=True)
        for _visit in range(2):
            ours.visit("/products/dune-mug/")

        ProductVariant.objects.update(price=Decimal("31.00"))
        finish(mug)

        assert "31.00" in theirs.visit("/products/dune-mug/").text
        assert theirs.renders == 1

    def test_a_process_that_began_later_trusts_no_page_from_before(self, mug: Product) -> None:
        ours = Shop(is_shared=True)
        for _visit in range(2):
            ours.visit("/products/dune-mug/")
        ProductVariant.objects.update(price=Decimal("31.00"))
        finish(mug)

        changes.reset()
        theirs = Shop(is_shared=True)
        assert "31.00" in theirs.visit("/products/dune-mug/").text

    def test_a_page_made_while_a_change_is_taken_in_does_not_pass_for_a_new_one(
        self, mug: Product, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours, theirs = Shop(is_shared=True), Shop(is_shared=True)
        assert "1 product<" in ours.visit("/categories/cups/").text

        def visit_meanwhile(found: frozenset[str]) -> tuple[()]:
            for _visit in range(2):
                assert "1 product<" in ours.visit("/categories/cups/?sort=price").text
            return ()

        settings.CHANGES_POLL_SECONDS = 60
        monkeypatch.setattr(changes, "_followers", [visit_meanwhile, *changes._followers])
        finish(BuyableProductFactory(category=mug.category))

        assert "2 products<" in theirs.visit("/categories/cups/?sort=price").text

    def test_a_page_from_before_a_dump_was_restored_is_not_trusted(self, mug: Product) -> None:
        ours, theirs = Shop(is_shared=True), Shop(is_shared=True)
        for _visit in range(2):
            ours.visit("/products/dune-mug/")
        ((page, _put_at, _size),) = ours.cache.store.proven.pages.values()
        assert theirs.cache.history.is_true(page)

        assert not theirs.cache.history.is_true(replace(page, horizon=10**12))

    def test_another_release_shares_no_page(
        self, mug: Product, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ours, theirs = Shop(is_shared=True), Shop(is_shared=True)
        for _visit in range(2):
            ours.visit("/products/dune-mug/")
        monkeypatch.setattr(shared, "get_release", lambda: "the next one")
        theirs.visit("/products/dune-mug/")

        assert theirs.renders == 1

    def test_a_redis_that_is_slow_is_left_alone_for_a_while(
        self, mug: Product, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked: list[str] = []

        class Slow:
            def get(self, key: str) -> None:
                asked.append(key)
                time.sleep(0.02)

            def set(self, key: str, *_: Any) -> None:
                asked.append(key)

        monkeypatch.setattr(shared, "cache", Slow())
        monkeypatch.setattr(shared, "SLOW_SECONDS", 0.01)
        shop = Shop(is_shared=True)
        for url in ("/", "/products/dune-mug/", "/categories/cups/", "/"):
            assert shop.visit(url).status_code == 200

        assert len(asked) == 1


def test_encodings_are_chosen_as_answers_are_compressed() -> None:
    assert [choose_encoding(each) for each in ("gzip, br", "gzip", "", "br;q=0")] == [
        *("br", "gzip", "", ""),
    ]


def test_the_release_is_told_by_code_and_settings() -> None:
    assert shared.get_release() == shared.get_release()
    assert len(shared.get_release()) == 64
