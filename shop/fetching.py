"""Fetches files from other people's servers without being led into our own network.

Only https, only to addresses that belong to the public internet. A name is looked up once and the
connection goes to exactly the address that was judged, so the answer of a name server cannot change
in between; each redirect is judged anew. Time and size are bounded, whatever the other side does.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from urllib.parse import SplitResult, quote, urljoin, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from shop.transactions import no_transaction

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
ALL_SECONDS = 30.0
MOST_REDIRECTS = 4
LONGEST_ADDRESS = 2_000
BLOCK = 64 * 1024
REDIRECTS = {301, 302, 303, 307, 308}
LATER = {408, 425, 429, 500, 502, 503, 504}
NAT64 = ipaddress.ip_network("64:ff9b::/96")
TRANSLATED = (NAT64, ipaddress.ip_network("64:ff9b:1::/48"), ipaddress.ip_network("2002::/16"))
"""IPv6 addresses that lead to an IPv4 address inside them."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class FetchRefused(Exception):
    """The address is none that the shop asks, or what lies there is too large."""


class FetchFailed(Exception):
    """The other server did not give the file."""

    def __init__(self, message: str, *, may_work_later: bool = False) -> None:
        super().__init__(message)
        self.may_work_later = may_work_later


@dataclass(frozen=True, slots=True)
class _Target:
    """An address that was judged, with the only machine to connect to."""

    url: SplitResult
    host: str
    port: int
    address: str


@no_transaction
def fetch(url: str, *, most_bytes: int, redirects: int = 0) -> bytes:
    """Return what lies at an https address. Raises `FetchRefused` and `FetchFailed`.

    It follows so many `redirects`, none unless told (OWASP ASVS 5.0, 15.3.2), each judged as the
    first address was. An http address is asked by https. With the setting FETCH_FROM_LOOPBACK, which is for tests, this
    machine is a public one and http is allowed.
    """
    ends = time.monotonic() + ALL_SECONDS
    for left in range(redirects, -1, -1):
        target = _judge(url)
        with _ask(target, ends) as answer:
            if answer.status in REDIRECTS and (location := answer.getheader("Location")):
                if not redirects:
                    raise FetchFailed(_("The server sends us elsewhere, where we do not follow."))
                if not left:
                    break
                url = urljoin(url, location)
                continue
            if answer.status != 200:
                raise FetchFailed(
                    _("The server answered with the status %(status)d.")
                    % {"status": answer.status},
                    may_work_later=answer.status in LATER,
                )
            return _read(answer, most_bytes, ends)
    raise FetchFailed(_("The server sends us round in circles."))


def is_public(address: Address) -> bool:
    """Say whether an address belongs to the public internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return is_public(address.ipv4_mapped)
        if address.teredo or any(address in network for network in TRANSLATED):
            return False
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not address.is_private
        and not address.is_link_local
        and not address.is_unspecified
    )


def _judge(url: str) -> _Target:
    """Look the host up and choose the machine to connect to. Raises as `fetch` does."""
    if len(url) > LONGEST_ADDRESS or any(ord(sign) < 33 for sign in url.strip()):
        raise FetchRefused(_("This is no web address."))
    try:
        parts = urlsplit(url.strip())
        host = (parts.hostname or "").rstrip(".")
        port = parts.port
        host = host if host.isascii() else host.encode("idna").decode()
    except ValueError:
        raise FetchRefused(_("This is no web address.")) from None
    if parts.scheme not in {"https", "http"} or not host:
        raise FetchRefused(_("Only addresses that begin with https:// are fetched."))
    if parts.username is not None or parts.password is not None:
        raise FetchRefused(_("An address with a name and password in it is not fetched."))
    is_plain = parts.scheme == "http" and _is_own_machine_allowed()
    if parts.scheme == "http" and not is_plain:
        parts = parts._replace(scheme="https")
        port = None if port == 80 else port
    if port is None:
        port = 80 if is_plain else 443
    if port != 443 and not _is_own_machine_allowed():
        raise FetchRefused(_("Only the usual port of https is asked."))
    return _Target(parts, host, port, _look_up(host, port))


def _look_up(host: str, port: int) -> str:
    """Return an address of the host; all of them must be public ones.

    A host inside is answered for like one that does not exist, now and later: else whoever may name
    addresses could find out which machines there are in here.
    """
    no_way = FetchFailed(
        _("There is no server with the name %(host)s, or no way to it.") % {"host": host[:100]},
        may_work_later=True,
    )
    try:
        name = host if _is_literal(host) else host.encode("idna").decode()
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise no_way from None
    addresses = [ipaddress.ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not addresses or not all(map(_may_be_asked, addresses)):
        raise no_way
    return str(min(addresses, key=lambda address: address.version))


def _may_be_asked(address: Address) -> bool:
    return is_public(address) or (address.is_loopback and _is_own_machine_allowed())


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _is_own_machine_allowed() -> bool:
    return bool(getattr(settings, "FETCH_FROM_LOOPBACK", False))


class _Pinned(http.client.HTTPConnection):
    """A connection to the judged machine, whatever its name would lead to by now."""

    def __init__(self, target: _Target, seconds: float) -> None:
        super().__init__(target.host, target.port, timeout=seconds)
        self.target = target
        self.line: socket.socket | None = None

    def connect(self) -> None:
        machine = (self.target.address, self.target.port)
        self.sock = socket.create_connection(machine, min(CONNECT_SECONDS, self.timeout or 1))
        self.sock.settimeout(self.timeout)
        if self.target.url.scheme == "https":
            self.sock = _tls().wrap_socket(self.sock, server_hostname=self.target.host)
        self.line = self.sock

    def hang_up(self) -> None:
        """End whatever waits for the other side, from another thread."""
        if self.line is not None:
            with suppress(OSError):
                socket.socket.shutdown(self.line, socket.SHUT_RDWR)


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


@contextmanager
def _ask(target: _Target, ends: float) -> Iterator[http.client.HTTPResponse]:
    """Ask for the address and give the answer; a watch ends it all when the time is up."""
    left = ends - time.monotonic()
    if left <= 0:
        raise _too_slow()
    connection = _Pinned(target, min(READ_SECONDS, left))
    watch = threading.Timer(left, connection.hang_up)
    watch.daemon = True
    watch.start()
    path = quote(target.url.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = quote(target.url.query, safe="/%:@!$&'()*+,;=~-._?")
    is_usual = target.port == (443 if target.url.scheme == "https" else 80)
    host = f"[{target.host}]" if ":" in target.host else target.host
    headers = {
        "Host": host if is_usual else f"{host}:{target.port}",
        "User-Agent": "Emporium",
        "Accept": "image/avif,image/webp,image/png,image/jpeg,image/gif;q=0.9,*/*;q=0.1",
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    try:
        connection.request("GET", f"{path}?{query}" if query else path, headers=headers)
        answer = connection.getresponse()
        if time.monotonic() > ends:
            raise _too_slow()
        yield answer
    except (TimeoutError, ValueError, OSError, http.client.HTTPException) as error:
        raise _explain(error) from error
    finally:
        watch.cancel()
        connection.close()


def _read(answer: http.client.HTTPResponse, most_bytes: int, ends: float) -> bytes:
    promised = answer.getheader("Content-Length", "")
    if promised.isdecimal() and int(promised[:20]) > most_bytes:
        raise _too_large(most_bytes)
    blocks: list[bytes] = []
    size = 0
    while block := answer.read(BLOCK):
        size += len(block)
        if size > most_bytes:
            raise _too_large(most_bytes)
        blocks.append(block)
    if time.monotonic() > ends:
        raise _too_slow()
    if promised.isdecimal() and size < int(promised[:20]):
        raise FetchFailed(_("The file came only in part."), may_work_later=True)
    return b"".join(blocks)


def _explain(error: Exception) -> FetchFailed:
    if isinstance(error, TimeoutError):
        return _too_slow()
    is_cut_off = isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError)
    if isinstance(error, ssl.SSLError) and not is_cut_off:
        return FetchFailed(_("The server has no valid certificate."))
    if isinstance(error, OSError):
        return FetchFailed(_("The server does not answer."), may_work_later=True)
    return FetchFailed(_("The server's answer makes no sense."), may_work_later=True)


def _too_slow() -> FetchFailed:
    return FetchFailed(_("The server was too slow."), may_work_later=True)


def _too_large(most_bytes: int) -> FetchRefused:
    return FetchRefused(
        _("The file is larger than %(size)d MB.") % {"size": most_bytes // (1024 * 1024)}
    )
