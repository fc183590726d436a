"""Pages in Redis, so that what one process has made serves the others, too."""

from __future__ import annotations

import hashlib
import time
from functools import cache as once
from pathlib import Path as File

from django.conf import settings
from django.core.cache import cache

from shop.page_cache.history import History
from shop.page_cache.page import Key, Page
from shop.page_cache.store import LONGEST_SECONDS

SLOW_SECONDS, PAUSE_SECONDS = 0.15, 10.0
"""A Redis that is slow, or away, is left alone for a while: making a page takes less."""
SOURCES = ("*.py", "*.html", "*.mo", "*.json")


class SharedPages:
    """Takes and gives pages; what it gives has been judged by the history of this process.

    Only pages that were asked for twice are put in, so that crawlers do not fill Redis.
    """

    def __init__(self, history: History) -> None:
        self.history = history
        self.paused_until = 0.0
        get_release()  # Takes a moment, which no visitor should wait for.

    def get(self, key: Key) -> Page | None:
        began_at = time.monotonic()
        if began_at < self.paused_until:
            return None
        found = cache.get(_name(key))
        self._judge(began_at)
        page = _unpack(found)
        return page if page and self.history.is_true(page) else None

    def put(self, key: Key, page: Page) -> None:
        began_at = time.monotonic()
        if began_at < self.paused_until or not self.history.is_true(page):
            return
        packed = (
            page.headers, page.body, page.etag, tuple(page.sources), page.visits, page.horizon,
        )  # fmt: skip
        cache.set(_name(key), packed, LONGEST_SECONDS)
        self._judge(began_at)

    def _judge(self, began_at: float) -> None:
        now = time.monotonic()
        if now - began_at > SLOW_SECONDS:
            self.paused_until = now + PAUSE_SECONDS


def _name(key: Key) -> str:
    digest = hashlib.sha256("\x00".join((*key, get_release())).encode("utf-8", "replace"))
    return f"page:{digest.hexdigest()}"


def _unpack(found: object) -> Page | None:
    if not isinstance(found, tuple):
        return None
    headers, body, etag, sources, visits, horizon = found
    return Page(headers, body, etag, frozenset(sources), visits, horizon)


@once
def get_release() -> str:
    """Return a text that differs when the shop does: another release, or other settings.

    So processes of two releases, side by side while one replaces the other, share no page.
    """
    digest = hashlib.sha256()
    for name in sorted(dir(settings)):
        value = getattr(settings, name) if name.isupper() else None
        if isinstance(value, str | int | float | bool | File):
            digest.update(f"{name}={value}\n".encode())
    for pattern in SOURCES:
        for path in sorted(_list_files(pattern)):
            state = path.stat()
            digest.update(f"{path}:{state.st_size}:{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _list_files(pattern: str) -> list[File]:
    folders = ("accounts", "cart", "catalog", "config", "locale", "orders", "payments", "shop")
    files = [
        path
        for folder in (*folders, "static", "templates")
        for path in (settings.BASE_DIR / folder).rglob(pattern)
    ]
    manifest = settings.STATIC_ROOT / "staticfiles.json"
    return [*files, manifest] if manifest.exists() else files
