"""A finished page, and the name it is kept by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.utils.http import parse_etags

from shop.middleware.compression import read_accepted
from shop.notes import Visit

Header = tuple[str, str]
Key = tuple[str, ...]
Environ = Mapping[str, Any]

LONGEST_ADDRESS = 2000
"""Nobody comes twice to an address as long as that."""
OF_THE_BODY = frozenset({"content-length", "content-encoding", "content-type"})
OVERHEAD, OVERHEAD_OF_A_SOURCE = 1500, 250
"""Bytes that a page takes beside its own, and each thing that it is filed under."""


@dataclass(frozen=True, slots=True)
class Page:
    """An answer with its bytes as they go out.

    `horizon`: what transactions below this number did is on it, and maybe more.
    """

    headers: tuple[Header, ...]
    body: bytes
    etag: str
    sources: frozenset[str]
    visits: tuple[Visit, ...] = ()
    horizon: int = 0
    headers_without_body: tuple[Header, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        without = tuple(header for header in self.headers if header[0].lower() not in OF_THE_BODY)
        object.__setattr__(self, "headers_without_body", without)

    def count_bytes(self) -> int:
        """Estimate what keeping the page takes."""
        headers = sum(len(name) + len(value) for name, value in self.headers)
        return len(self.body) + headers + OVERHEAD + OVERHEAD_OF_A_SOURCE * len(self.sources)

    def is_what(self, if_none_match: str) -> bool:
        """Say whether a browser that names these ETags has the page already."""
        if if_none_match == self.etag:
            return True
        wanted = self.etag.removeprefix("W/")
        return any(
            each == "*" or each.removeprefix("W/") == wanted for each in parse_etags(if_none_match)
        )


def make_key(environ: Environ) -> Key | None:
    """Name the page that a request asks for; None when it is not worth keeping.

    Everything that an answer may follow from is in it, as Django reads it; no cookie is, but for one
    whose pages are never kept.
    """
    path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
    if len(path) + len(query) > LONGEST_ADDRESS:
        return None
    if "looking=1" in environ.get("HTTP_COOKIE", ""):
        return None  # Somebody from support looks as a shopper, with a bar on every page.
    return (
        path,
        query,
        choose_encoding(environ.get("HTTP_ACCEPT_ENCODING", "")),
        environ.get("HTTP_HOST", ""),
        _read_scheme(environ),
        environ.get("SCRIPT_NAME", ""),
    )


@lru_cache(maxsize=256)
def choose_encoding(accepted: str) -> str:
    """Return the encoding that a public page has for browsers that accept these."""
    encodings = read_accepted(accepted)
    return "br" if "br" in encodings else "gzip" if "gzip" in encodings else ""


def keep_if_public(
    status: str, headers: Sequence[Header], *, sources: frozenset[str] | None
) -> str | None:
    """Return the ETag of an answer that may be kept, None when it may not be.

    The view has said so by its sources; its answer must bear that out: nothing that looks personal
    is kept, whatever a view or a middleware has done.
    """
    if sources is None or not status.startswith("200 "):
        return None
    found = {name.lower(): value for name, value in headers}
    varies = {name.strip().lower() for name in found.get("vary", "").split(",")}
    if (
        "set-cookie" in found
        or not found.get("cache-control", "").startswith("public")
        or not varies <= {"accept-encoding", ""}
    ):
        return None
    return found.get("etag")


def _read_scheme(environ: Environ) -> str:
    """Return what the request's scheme follows from, as `HttpRequest.scheme` does."""
    trusted = settings.SECURE_PROXY_SSL_HEADER
    told = environ.get(trusted[0], "") if trusted else ""
    return f"{environ['wsgi.url_scheme']} {told}"
