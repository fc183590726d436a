"""Stands before Django: answers from what is kept, and asks Django for the rest.

A page is kept in this process, and in Redis where there is one, until the journal of changes names
something that it was read from. No cookie is read here, and none is ever kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import get_path_info
from django.urls import Resolver404, resolve
from django.utils import translation

from shop import changes, notes
from shop.page_cache.asking import Asking
from shop.page_cache.history import History
from shop.page_cache.page import Header, Key, Page, keep_if_public, make_key
from shop.page_cache.shared import SharedPages
from shop.page_cache.store import PageStore
from shop.views.caching import is_public

READING = ("GET", "HEAD")
PATIENCE_SECONDS = 5
"""So long a request waits for a page that another one has under way; then it makes its own."""

ALL_OF_A_KIND = {"product": "catalogue", "seller": "sellers", "words": "words"}
"""What a page is read from that would change with any product, seller, or search column."""

StartResponse = Callable[..., Any]
Application = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def keep_pages(application: Application) -> Application:
    """Put the page cache before the application, unless settings say otherwise."""
    if settings.DEBUG or not settings.PAGE_CACHE_BYTES:
        return application
    shares = bool(settings.REDIS_URL)
    return PageCache(application, limit=settings.PAGE_CACHE_BYTES, is_shared=shares)


class PageCache:
    def __init__(self, application: Application, *, limit: int, is_shared: bool) -> None:
        self.application = application
        self.store = PageStore(limit)
        self.history = History()
        self.shared = SharedPages(self.history) if is_shared else None
        self.maintenance_file = str(settings.MAINTENANCE_FILE)
        changes.watch(self.take_note)

    def take_note(self, subjects: frozenset[str], xid: int) -> None:
        """Forget what was read from these, or from all of their kind."""
        kinds = {subject.partition(":")[0] for subject in subjects}
        subjects |= {name for kind, name in ALL_OF_A_KIND.items() if kind in kinds}
        self.history.record(subjects, xid)
        self.store.drop(subjects)

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        key = self._name(environ)
        if key is None:
            return self.application(environ, start_response)
        changes.catch_up()
        if found := self.store.get(key):
            page, is_second = found
            if is_second and self.shared:
                self.shared.put(key, page)
            if page.visits:
                notes.repeat(page.visits)
            return _answer(page, environ, start_response)
        flight, is_first = self.store.board(key)
        if is_first:
            page_made: Page | None = None
            try:
                page_made, answer = self._make(key, environ, start_response)
            finally:
                self.store.land(key, flight, page_made)
            return answer
        flight.done.wait(PATIENCE_SECONDS)
        if flight.page:
            notes.repeat(flight.page.visits)
            return _answer(flight.page, environ, start_response)
        return self.application(environ, start_response)

    def _name(self, environ: dict[str, Any]) -> Key | None:
        """Name the page that is asked for; None when Django answers in any case."""
        if environ["REQUEST_METHOD"] not in READING or os.path.exists(self.maintenance_file):
            return None
        key = make_key(environ)
        if key and (key in self.store or _leads_to_public_page(get_path_info(environ))):
            return key
        return None

    def _make(
        self, key: Key, environ: dict[str, Any], start_response: StartResponse
    ) -> tuple[Page | None, Iterable[bytes]]:
        """Return the page, if it may be kept, and the answer to the request in hand."""
        if self.shared and (page := self.shared.get(key)):
            notes.repeat(page.visits)
            return page, _answer(page, environ, start_response)
        horizon, asking, told = changes.get_horizon(), Asking(), _Told()
        answer = self.application(environ | {Asking.KEY: asking}, told)
        etag = keep_if_public(told.status, told.headers, sources=asking.sources)
        if etag is None or asking.sources is None:
            start_response(told.status, told.headers)
            return None, answer
        try:
            body = b"".join(answer)
        finally:
            if close := getattr(answer, "close", None):
                close()
        page = Page(tuple(told.headers), body, etag, asking.sources, asking.visits, horizon)
        return page, _answer(page, environ, start_response)


class _Told:
    """Remembers what an application tells its server of the answer."""

    def __init__(self) -> None:
        self.status, self.headers = "", list[Header]()

    def __call__(self, status: str, headers: list[Header], exc_info: object = None) -> None:
        self.status, self.headers = status, headers


def _answer(page: Page, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
    if (known := environ.get("HTTP_IF_NONE_MATCH")) and page.is_what(known):
        start_response("304 Not Modified", list(page.headers_without_body))
        return ()
    start_response("200 OK", list(page.headers))
    return () if environ["REQUEST_METHOD"] == "HEAD" else (page.body,)


def _leads_to_public_page(path: str) -> bool:
    """Say whether the view at this address is a public page's, in the language that it names."""
    with translation.override(translation.get_language_from_path(path) or settings.LANGUAGE_CODE):
        try:
            return is_public(resolve(path).func)
        except Resolver404:
            return False
