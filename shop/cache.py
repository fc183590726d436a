"""The cache that processes share: Redis, left alone for a moment when it does not answer.

All that is in it can be had from the database, so a page goes on without it. But each look at a
Redis that is silent takes as long as the patience of the connection, and a page looks several times.
So the first failure speaks for all threads of this process: nobody asks for some seconds, then one
does, and if that works, everybody again.

Meanwhile, what is asked for is not there and what is put in is dropped, except for the counts of
tries (allauth's limits on passwords and such). allauth takes a lock in the cache that cannot be had
then, and would let nobody sign in; and without counts everybody could guess. This process counts by
itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT
from django.core.cache.backends.locmem import LocMemCache
from django_redis.cache import RedisCache as DjangoRedisCache
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

PAUSE_SECONDS = 5.0
COUNTED_HERE = "allauth:rl:"


class _Breaker:
    """Says whether Redis is to be asked; one for all threads, whose caches are their own."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.asked_again_at: float | None = None

    def may_ask(self) -> bool:
        if self.asked_again_at is None:
            return True
        with self.lock:
            now = time.monotonic()
            if now < (self.asked_again_at or 0):
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


class RedisCache(DjangoRedisCache):  # type: ignore[misc]
    """Django's cache operations, none of which fails; the rest of django-redis is as it was."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._ignore_exceptions = False  # They are what tells.
        self._here = LocMemCache("counts of tries", {})

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
        return self._try(lambda: super(RedisCache, self).get_many(wanted, version=version)) or {}

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
        self._here.clear()
        self._try(super().clear)

    def _ask(self, operation: str, key: str, *arguments: Any, otherwise: Any = None) -> Any:
        in_redis = getattr(super(), operation)
        found = self._try(lambda: (in_redis(key, *arguments),))
        if found:
            return found[0]
        if key.startswith(COUNTED_HERE):
            return getattr(self._here, operation)(key, *arguments)
        return otherwise

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
