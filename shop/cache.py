"""The cache that processes share: Redis, left alone for a moment when it does not answer.

All that is in it can be had from the database, so a page goes on without it. But each look at a
Redis that is silent takes as long as the patience of the connection, and a page looks several times.
So the first failure speaks for all threads of this process: nobody asks for some seconds, then one
does, and if that works, everybody again.

Meanwhile, what is asked for is not there and what is put in is dropped. What may not be lost never
was in Redis: allauth's counts of tries and the codes that were used once are kept in PostgreSQL,
whatever the cache is (`_KeepsTries`), so that a cache that goes, comes back or is emptied gives
nobody new tries. Without the database nobody signs in anyway.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django.db import connection
from django_redis.cache import RedisCache as DjangoRedisCache
from redis.exceptions import RedisError

from shop.clock import now
from shop.limits import make_key

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0
COUNTS = "allauth:rl:"
USED_CODES = "allauth.mfa.totp.used"
KEPT = (COUNTS, USED_CODES, "kept:")
"""The last is for what the shop itself may not lose with a cache."""
USED_CODE_SECONDS = 180
"""allauth forgets a used code after 30 s, but takes one for 90 with the tolerance we give clocks."""
LONGEST_SECONDS = 86_400


class _Breaker:
    """Says whether Redis is to be asked; one for all threads, whose caches are their own."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked_again_at: float | None = None

    def may_ask(self) -> bool:
        again_at = self.asked_again_at
        if again_at is None:
            return True
        now = time.monotonic()
        with self.lock:
            if now < again_at or self.asked_again_at != again_at:
                return False
            self.asked_again_at = now + PAUSE_SECONDS  # One asks, the others still wait.
            return True

    def succeed(self) -> None:
        if self.asked_again_at is not None:
            self.asked_again_at = None
            logger.warning("Redis answers again.")

    def fail(self, error: Exception) -> None:
        if self.asked_again_at is None:
            logger.warning("Redis does not answer (%s); going on without it.", error)
        self.asked_again_at = time.monotonic() + PAUSE_SECONDS


breaker = _Breaker()


class _KeepsTries:
    """Sends the keys that begin as `KEPT` to a table, and all others to the cache below."""

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        if not key.startswith(KEPT):
            return super().get(key, default, version)  # type: ignore[misc]
        sql = "SELECT value FROM shop_keptvalue WHERE key = %s AND ends_at > %s"
        with connection.cursor() as cursor:
            cursor.execute(sql, [make_key(key), now()])
            row = cursor.fetchone()
        return default if row is None else _read(row[0])

    def set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> Any:
        if not key.startswith(KEPT):
            return super().set(key, value, timeout, version)  # type: ignore[misc]
        _write(_SET, key, value, timeout)
        return True

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        if not key.startswith(KEPT):
            return bool(super().add(key, value, timeout, version))  # type: ignore[misc]
        return _write(_ADD, key, value, timeout) == 1

    def delete(self, key: str, version: int | None = None) -> bool:
        if not key.startswith(KEPT):
            return bool(super().delete(key, version))  # type: ignore[misc]
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM shop_keptvalue WHERE key = %s", [make_key(key)])
            return bool(cursor.rowcount == 1)


_SET = """
INSERT INTO shop_keptvalue AS kept (key, value, ends_at) VALUES (%(key)s, %(value)s, %(end)s)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, ends_at = excluded.ends_at
"""
_ADD = f"{_SET} WHERE kept.ends_at <= %(now)s"


def _write(sql: str, key: str, value: Any, timeout: Any) -> int:
    moment = now()
    seconds = LONGEST_SECONDS if timeout is None or timeout is DEFAULT_TIMEOUT else timeout
    if key.startswith(USED_CODES):
        seconds = max(seconds, USED_CODE_SECONDS)
    values: dict[str, Any] = {
        "key": make_key(key),
        "value": json.dumps(value),
        "end": moment + timedelta(seconds=min(seconds, LONGEST_SECONDS)),
        "now": moment,
    }
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return int(cursor.rowcount)


def _read(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


class LocalCache(_KeepsTries, LocMemCache):
    """The cache of a shop without Redis: each process has its own, less what is counted."""


class _PatientRedisCache(DjangoRedisCache):  # type: ignore[misc]
    """Django's cache operations, none of which fails; the rest of django-redis is as it was."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._ignore_exceptions = False  # They are what tells.

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        return self._ask("get", key, default, version, otherwise=default)

    def set(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> Any:
        return self._ask("set", key, value, timeout, version)

    def add(
        self, key: str, value: Any, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> bool:
        return bool(self._ask("add", key, value, timeout, version))

    def delete(self, key: str, version: int | None = None) -> bool:
        return bool(self._ask("delete", key, version))

    def touch(self, key: str, timeout: Any = DEFAULT_TIMEOUT, version: int | None = None) -> bool:
        return bool(self._ask("touch", key, timeout, version))

    def has_key(self, key: str, version: int | None = None) -> bool:
        return bool(self._ask("has_key", key, version))

    def get_many(self, keys: Iterable[str], version: int | None = None) -> dict[str, Any]:
        wanted = list(keys)
        return (
            self._try(lambda: super(_PatientRedisCache, self).get_many(wanted, version=version))
            or {}
        )

    def set_many(
        self, data: Mapping[str, Any], timeout: Any = DEFAULT_TIMEOUT, version: int | None = None
    ) -> list[str]:
        put_in = super().set_many
        self._try(lambda: put_in(data, timeout=timeout, version=version))
        return []

    def delete_many(self, keys: Iterable[str], version: int | None = None) -> None:
        wanted = list(keys)
        take_out = super().delete_many
        self._try(lambda: take_out(wanted, version=version))

    def clear(self) -> None:
        self._try(super().clear)

    def _ask(self, operation: str, key: str, *arguments: Any, otherwise: Any = None) -> Any:
        in_redis = getattr(super(), operation)
        found = self._try(lambda: (in_redis(key, *arguments),))
        return found[0] if found else otherwise

    def _try(self, ask: Callable[[], Any]) -> Any:
        """Return what Redis says, or None when it was not asked or did not answer."""
        if not breaker.may_ask():
            return None
        try:
            answer = ask()
        except (RedisError, OSError) as error:
            breaker.fail(error)
            return None
        breaker.succeed()
        return answer


class RedisCache(_KeepsTries, _PatientRedisCache):
    """The cache of a shop with Redis."""
