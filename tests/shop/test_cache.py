"""A Redis that does not answer costs one look, and tries are counted all the same."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from shop import cache as shop_cache
from shop.cache import RedisCache
from tests.tcp_proxy import Line, TcpProxy, running_proxy

OPTIONS = {"OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.2, "SOCKET_TIMEOUT": 0.2}}


@pytest.fixture
def proxy(redis_url: str) -> Iterator[TcpProxy]:
    with running_proxy(urlsplit(redis_url).port or 6379) as proxy:
        yield proxy


@pytest.fixture
def cache(proxy: TcpProxy, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisCache]:
    monkeypatch.setattr(shop_cache, "breaker", shop_cache._Breaker())
    cache = RedisCache(f"redis://127.0.0.1:{proxy.port}/9", dict(OPTIONS))
    cache.clear()
    yield cache
    cache.clear()


def test_a_cache_that_is_well_keeps_what_it_is_given(cache: RedisCache) -> None:
    cache.set("a", 1)
    cache.set_many({"b": 2, "c": 3})

    assert (cache.get("a"), cache.get_many(["b", "c"])) == (1, {"b": 2, "c": 3})
    assert (cache.add("a", 5), cache.add("d", 5)) == (False, True)
    assert cache.delete("a") is True
    assert cache.get("a", "nothing") == "nothing"
    assert cache.has_key("b")


@pytest.mark.parametrize("line", [Line.REFUSED, Line.SILENT, Line.CUT])
def test_a_cache_that_is_away_is_asked_once_and_then_left_alone(
    proxy: TcpProxy, cache: RedisCache, line: Line
) -> None:
    cache.set("a", 1)
    proxy.turn(line, bytes_of_answer=0)

    assert cache.get("a", "nothing") == "nothing"
    began = time.monotonic()
    for _look in range(100):
        assert cache.get("a") is None
        cache.set("a", 2)
    assert time.monotonic() - began < 0.2


@pytest.mark.django_db
def test_tries_are_counted_in_the_database_meanwhile(proxy: TcpProxy, cache: RedisCache) -> None:
    key = "allauth:rl:login"
    proxy.turn(Line.REFUSED)

    assert cache.add(f"{key}:lock", True, 10) is True
    assert cache.add(f"{key}:lock", True, 10) is False
    cache.set(key, [1.0])
    assert cache.get(key, []) == [1.0]


def test_a_cache_that_is_back_is_asked_again(
    proxy: TcpProxy, cache: RedisCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shop_cache, "PAUSE_SECONDS", 0.05)
    cache.set("a", 1)
    proxy.turn(Line.REFUSED)
    assert cache.get("a") is None

    proxy.turn(Line.WELL)
    time.sleep(0.06)

    assert cache.get("a") == 1
    assert shop_cache.breaker.asked_again_at is None
