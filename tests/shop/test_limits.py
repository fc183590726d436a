"""Tries are counted once, for everybody, whatever becomes of the cache."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.account import app_settings as account_settings
from django.core.cache import caches
from django.db import connection, transaction
from django.test import Client

from shop import cache as shop_cache
from shop import clock
from shop.limits import ACTIONS, HOUR, MINUTE, Action, Limit, group_address, make_key, read_address
from shop.models import KeptValue, Tally
from shop.services import limits
from shop.transactions import TransactionRuleBroken
from tests.architecture.test_docs import read_rows
from tests.factories.accounts import UserFactory
from tests.tcp_proxy import Line, TcpProxy, running_proxy

OFFICE = "203.0.113.7"
ELSEWHERE = "198.51.100.9"


@pytest.fixture
def action(monkeypatch: pytest.MonkeyPatch) -> str:
    """Something that may be done three times an hour from one address and twice for one order."""
    rule = Action((Limit("address", 3, HOUR), Limit("order", 2, HOUR)))
    monkeypatch.setitem(ACTIONS, "test", rule)
    return "test"


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Move the clock of the limits on."""
    shift = timedelta()
    real = clock.now

    def move(seconds: float) -> None:
        nonlocal shift
        shift += timedelta(seconds=seconds)

    def shifted() -> datetime:
        return real() + shift

    monkeypatch.setattr(limits, "now", shifted)
    monkeypatch.setattr(shop_cache, "now", shifted)
    return move


def tries(action: str, times: int, **known: Any) -> list[bool]:
    return [limits.count(action, **known).is_allowed for _time in range(times)]


@pytest.mark.django_db
class TestCounting:
    def test_so_many_and_no_more(self, action: str) -> None:
        assert tries(action, 5, address=OFFICE) == [True, True, True, False, False]
        assert tries(action, 1, address=ELSEWHERE) == [True]

    def test_until_the_time_is_over_and_it_is_told_when(self, action: str, later: Any) -> None:
        tries(action, 3, address=OFFICE)
        later(HOUR - 90)

        refused = limits.count(action, address=OFFICE)
        later(91)

        assert 30 <= refused.retry_after <= 90
        assert tries(action, 4, address=OFFICE) == [True, True, True, False]

    def test_a_refused_try_uses_nothing_else_up(self, action: str) -> None:
        tries(action, 3, address=OFFICE)
        assert tries(action, 5, address=OFFICE, order="A") == [False] * 5

        assert tries(action, 3, address=ELSEWHERE, order="A") == [True, True, False]

    def test_what_looks_like_a_program_counts_several_times(self, action: str) -> None:
        assert limits.count(action, address=OFFICE, weight=3).is_allowed
        assert not limits.count(action, address=OFFICE).is_allowed

    def test_a_try_that_was_none_is_given_back(self, action: str) -> None:
        verdict = limits.count(action, address=OFFICE)
        limits.forgive(verdict)

        assert tries(action, 4, address=OFFICE) == [True, True, True, False]

    def test_one_statement_counts_at_all_limits(
        self, action: str, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(1):
            limits.count(action, address=OFFICE, order="A")

    def test_the_first_of_a_patient_visitor_cost_no_statement(
        self, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
    ) -> None:
        rule = Action((Limit("address", 5, MINUTE, free=3),))
        monkeypatch.setitem(ACTIONS, "test", rule)

        with django_assert_num_queries(0):
            assert tries("test", 3, address=OFFICE) == [True] * 3
        with django_assert_num_queries(1):
            assert tries("test", 1, address=OFFICE) == [True]
        assert Tally.objects.get().count == 4
        assert tries("test", 2, address=OFFICE) == [True, False]

    def test_no_row_says_whose_try_it_was(self, action: str) -> None:
        limits.count(action, address=OFFICE, order="ORDER123")

        kept = " ".join(Tally.objects.values_list("key", flat=True))
        assert OFFICE not in kept
        assert "ORDER123" not in kept

    def test_networks_that_are_free_are_not_counted(self, action: str, settings: Any) -> None:
        settings.LIMITS_FREE_NETWORKS = ["203.0.113.0/24"]

        assert all(tries(action, 9, address=OFFICE, order="A"))
        assert not Tally.objects.exists()

    def test_never_inside_a_transaction(self, action: str) -> None:
        with transaction.atomic(), pytest.raises(TransactionRuleBroken):
            limits.count(action, address=OFFICE)


@pytest.mark.django_db
class TestSweeping:
    def test_what_has_run_out_goes_and_nothing_else(self, action: str, later: Any) -> None:
        tries(action, 1, address=OFFICE)
        later(HOUR / 2)
        tries(action, 1, address=ELSEWHERE)
        later(HOUR / 2 + 1)

        assert limits.sweep() == 1
        assert Tally.objects.count() == 1

    def test_beyond_the_bound_the_least_tried_go(self, action: str) -> None:
        tries(action, 3, address=OFFICE)
        for number in range(9):
            tries(action, 1, address=f"198.51.100.{number}")

        assert limits.cut(most=4) == 6
        assert Tally.objects.count() == 4
        assert tries(action, 1, address=OFFICE) == [False]

    def test_a_process_sweeps_by_itself_now_and_then(
        self, action: str, later: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(limits, "SWEEP_EVERY", 1)
        tries(action, 1, address=OFFICE)
        later(2 * HOUR)

        tries(action, 1, address=ELSEWHERE)

        assert Tally.objects.count() == 1

    def test_the_tables_wait_for_no_disk(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT relpersistence::text FROM pg_class"
                " WHERE relname IN ('shop_tally', 'shop_keptvalue')"
            )
            assert cursor.fetchall() == [("u",), ("u",)]


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_exactly_so_many_get_through(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Action((Limit("address", 10, HOUR), Limit("order", 50, HOUR)))
    monkeypatch.setitem(ACTIONS, "test", rule)
    start, allowed = threading.Barrier(8), []

    def try_some() -> None:
        try:
            start.wait(20)
            allowed.extend(tries("test", 5, address=OFFICE, order="A"))
        finally:
            connection.close()

    threads = [threading.Thread(target=try_some) for _thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert (len(allowed), sum(allowed)) == (40, 10)


@contextmanager
def without_table() -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE shop_tally RENAME TO shop_tally_gone")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE shop_tally_gone RENAME TO shop_tally")


@pytest.mark.django_db(transaction=True)
def test_while_nothing_can_be_counted_what_is_guarded_is_refused_and_searching_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    search = Action((Limit("address", 1, MINUTE),), is_guarded=False)
    monkeypatch.setitem(ACTIONS, "search", search)

    with without_table():
        guarded = limits.count("payment", address=OFFICE, order="A")
        searching = tries("search", 3, address=OFFICE)

    assert (guarded.is_allowed, guarded.retry_after) == (False, limits.WITHOUT_COUNTING_SECONDS)
    assert searching == [True] * 3
    assert limits.count("payment", address=OFFICE, order="A").is_allowed


def test_every_way_in_and_every_payment_is_guarded() -> None:
    assert {name for name, action in ACTIONS.items() if not action.is_guarded} == {
        *("search", "suggestions", "geocoder")
    }


# Whose try it is -----------------------------------------------------------------------------------

PROXY = "172.18.0.9"


@pytest.mark.parametrize(
    ("proxies", "peer", "told", "address"),
    [
        (0, OFFICE, "", OFFICE),
        (0, OFFICE, "10.9.8.7", OFFICE),
        (1, PROXY, OFFICE, OFFICE),
        (1, PROXY, f"10.9.8.7, {OFFICE}", OFFICE),
        (1, PROXY, f"127.0.0.1,::1 , {OFFICE}", OFFICE),
        (2, PROXY, f"6.6.6.6, {OFFICE}, 172.18.0.4", OFFICE),
        (2, PROXY, OFFICE, OFFICE),  # It came past the outer proxy.
        (1, ELSEWHERE, OFFICE, ELSEWHERE),  # No proxy of ours says so.
        (1, PROXY, "", PROXY),
        (1, PROXY, "unknown", PROXY),
        (1, PROXY, f"{OFFICE}, <script>", PROXY),
        (1, PROXY, f"{OFFICE}:4711", OFFICE),
        (1, PROXY, "[2001:db8::7]:443", "2001:db8::7"),
        (1, f"::ffff:{PROXY}", f"::ffff:{OFFICE}", OFFICE),
        (0, "2001:db8::7%eth0", "", "2001:db8::7"),
        (0, "", "", ""),
    ],
)
def test_the_visitor_is_who_a_proxy_of_ours_saw(
    settings: Any, proxies: int, peer: str, told: str, address: str
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies

    assert read_address({"REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": told}) == address


def test_a_household_with_ipv6_is_one_and_so_is_an_ipv4_address() -> None:
    assert group_address("2001:db8:1:2:aaaa::1") == group_address("2001:db8:1:2:bbbb::2")
    assert group_address("2001:db8:1:2::1") != group_address("2001:db8:1:3::1")
    assert group_address("203.0.113.7") == group_address("::ffff:203.0.113.7") == OFFICE


@pytest.mark.django_db
def test_nobody_gets_new_tries_by_telling_another_address(settings: Any) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    answers = [
        Client(REMOTE_ADDR=PROXY, HTTP_X_FORWARDED_FOR=f"10.0.{number}.1, {OFFICE}")
        .get("/orders/NOSUCH/", {"key": f"guess-{number}"})
        .status_code
        for number in range(12)
    ]

    assert answers == [404] * 10 + [429] * 2


# Signing in, while the cache comes and goes --------------------------------------------------------


@pytest.fixture
def proxy(redis_url: str) -> Iterator[TcpProxy]:
    with running_proxy(urlsplit(redis_url).port or 6379) as proxy:
        yield proxy


@pytest.fixture
def redis_cache(proxy: TcpProxy, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop_cache, "breaker", shop_cache._Breaker())
    monkeypatch.setattr(shop_cache, "PAUSE_SECONDS", 0.0)
    settings.CACHES = {
        "default": {
            "BACKEND": "shop.cache.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{proxy.port}/8",
            "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.2, "SOCKET_TIMEOUT": 0.2},
        }
    }


def guess(times: int) -> list[bool]:
    """Try wrong passwords of one person, each from another address; say which were too many."""
    return [
        "Too many failed"
        in Client(REMOTE_ADDR=f"198.51.100.{number}")
        .post("/accounts/login/", {"login": "ada@example.com", "password": f"wrong {number}"})
        .content.decode()
        for number in range(times)
    ]


@pytest.mark.django_db
def test_a_cache_that_goes_and_comes_back_gives_nobody_new_guesses(
    proxy: TcpProxy, redis_cache: None
) -> None:
    UserFactory(email="ada@example.com")

    assert guess(3) == [False] * 3
    proxy.turn(Line.REFUSED)
    assert guess(3) == [False, False, True]
    proxy.turn(Line.WELL)
    caches["default"].clear()
    assert guess(1) == [True]


@pytest.mark.django_db
def test_a_used_code_stays_used_while_it_would_be_taken(
    proxy: TcpProxy, redis_cache: None, later: Any
) -> None:
    cache, key = caches["default"], f"{shop_cache.USED_CODES}?user=1&code=123456"

    assert cache.add(key, "y", timeout=30)
    proxy.turn(Line.REFUSED)
    assert not cache.add(key, "y", timeout=30)
    proxy.turn(Line.WELL)
    cache.clear()
    later(89)
    assert not cache.add(key, "y", timeout=30)
    later(shop_cache.USED_CODE_SECONDS)
    assert cache.add(key, "y", timeout=30)


@pytest.mark.django_db
def test_what_allauth_counts_comes_back_as_it_was_put_in() -> None:
    cache, key = caches["default"], "allauth:rl:test"

    assert cache.get(key, []) == []
    cache.set(key, [3.5, 1.25], 60)
    assert cache.get(key) == [3.5, 1.25]
    assert cache.delete(key)
    assert not cache.delete(key)
    cache.set(key, "y", 60)
    assert cache.get(key) == "y"
    assert KeptValue.objects.get().key == make_key(key)


# The page ------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_who_signs_up_too_often_is_told_when_to_come_back_and_keeps_what_was_typed(
    settings: Any,
) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"signup": "1/m/ip"}
    typed = {"email": "ada@example.com", "password1": "pa$$ of mine", "next": '"><b>'}
    browser = Client(REMOTE_ADDR=OFFICE)
    browser.post("/accounts/signup/", {})

    answer = browser.post("/accounts/signup/", typed)

    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (429, "60")
    assert answer["Cache-Control"] == "no-store"
    assert 'name="email" value="ada@example.com"' in page
    assert 'value="&quot;&gt;&lt;b&gt;"' in page
    assert "pa$$" not in page
    assert "Please try again in a minute." in page


@pytest.mark.django_db
def test_searching_too_often_gets_a_page_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Action((Limit("address", 1, MINUTE),), is_guarded=False)
    monkeypatch.setitem(ACTIONS, "search", rule)
    browser = Client(REMOTE_ADDR=OFFICE)

    first = browser.get("/search/", {"q": "mug"})
    second = browser.get("/search/", {"q": "mug & bowl"})

    assert (first.status_code, second.status_code) == (200, 429)
    assert 0 < int(second["Retry-After"]) <= 60
    assert 'href="/search/?q=mug+%26+bowl"' in second.content.decode()
    assert not second.cookies


# What is written about it --------------------------------------------------------------------------


def test_the_page_about_limits_lists_exactly_those_that_are() -> None:
    written = [row[:4] for row in read_rows("limits.md", "The shop's own")[1:]]

    assert written == [
        [f"`{name}`", limit.per, str(limit.most), str(limit.seconds)]
        for name, action in ACTIONS.items()
        for limit in action.limits
    ]


def test_the_page_about_limits_lists_allauths_as_they_are() -> None:
    written = {
        row[0].strip("`"): row[1].strip("`") for row in read_rows("limits.md", "Accounts")[1:]
    }

    rates = account_settings.RATE_LIMITS
    assert {name: rates[name] for name in written} == written
    assert {"login", "login_failed", "signup", "reset_password", "reauthenticate"} <= written.keys()
