"""Fetching from strangers: into no private network, not for ever, and not without end."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from shop import fetching
from shop.fetching import MOST_REDIRECTS, FetchFailed, FetchRefused, fetch, is_public
from shop.transactions import TransactionRuleBroken

MOST = 1024 * 1024


class Stranger(BaseHTTPRequestHandler):
    """A server of somebody else, with a page for each kind of trouble."""

    asked: list[str] = []

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        kind = self.path.partition("?")[0].strip("/")
        getattr(self, f"give_{kind}", self.give_nothing)()

    def give_file(self) -> None:
        self._answer(200, b"content")

    def give_nothing(self) -> None:
        self._answer(404, b"")

    def give_busy(self) -> None:
        self._answer(503, b"")

    def give_moved(self) -> None:
        self._answer(302, b"", location="/file")

    def give_circle(self) -> None:
        self._answer(302, b"", location="/circle")

    def give_inside(self) -> None:
        self._answer(302, b"", location="http://169.254.169.254/latest/meta-data/")

    def give_disk(self) -> None:
        self._answer(302, b"", location="file:///etc/passwd")

    def give_promise(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5000000000")
        self.end_headers()

    def give_flood(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _block in range(64):
            self.wfile.write(b"x" * 65_536)

    def give_part(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"part")

    def give_drops(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _drop in range(100):
            self.wfile.write(b"x")
            self.wfile.flush()
            time.sleep(0.1)

    def give_headers(self) -> None:
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for number in range(100):
            self.wfile.write(f"X-{number}: y\r\n".encode())
            self.wfile.flush()
            time.sleep(0.1)

    def give_nonsense(self) -> None:
        self.wfile.write(b"\x00\x01\x02 no http at all\r\n\r\n")

    def _answer(self, status: int, content: bytes, *, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return


@pytest.fixture
def stranger(settings: Any) -> Iterator[str]:
    settings.FETCH_FROM_LOOPBACK = True
    Stranger.asked = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Stranger)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_nobody_is_followed_elsewhere_unless_that_was_asked_for(stranger: str) -> None:
    with pytest.raises(FetchFailed, match="do not follow"):
        fetch(f"{stranger}/moved", most_bytes=MOST)

    assert Stranger.asked == ["/moved"]


def test_file_is_fetched_through_a_redirect(stranger: str) -> None:
    assert fetch(f"{stranger}/file?v=1", most_bytes=MOST) == b"content"
    assert fetch(f"{stranger}/moved", most_bytes=MOST, redirects=1) == b"content"
    assert Stranger.asked == ["/file?v=1", "/moved", "/file"]


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1", "169.254.169.254", "172.16.0.1",
        "192.0.2.1", "192.168.1.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::1",
        "2001:db8::1", "2002:7f00:1::", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "fc00::1",
        "fd00:ec2::254", "fe80::1", "ff02::1",
    ],
)  # fmt: skip
def test_address_inside_is_no_public_one(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.216.34", "1.1.1.1", "2606:2800:220:1::1"])
def test_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x", "https://localhost/x", "https://[::1]/x", "https://2130706433/x",
        "https://0x7f.1/x", "https://127.1/x", "https://169.254.169.254/latest/meta-data/",
        "https://[::ffff:169.254.169.254]/", "https://10.0.0.1/x", "https://0/x",
        "ftp://example.com/x", "file:///etc/passwd", "data:image/png;base64,AAAA", "picture.jpg",
        "//example.com/x", "https://", "https://user:word@example.com/x", "https://example.com:22/",
        "https://example.com:99999/", "https://exa mple.com/", "https://example.com/\r\nX: y",
        "https://[::1", "https://" + "a" * 3000, "gopher://127.0.0.1:6379/_FLUSHALL",
    ],
)  # fmt: skip
def test_address_that_leads_inside_or_nowhere_is_refused(url: str) -> None:
    with pytest.raises((FetchRefused, FetchFailed)) as caught:
        fetch(url, most_bytes=MOST)

    assert isinstance(caught.value, FetchRefused) or "no server with the name" in str(caught.value)


def test_name_that_leads_inside_sounds_like_one_that_nobody_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        public = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", port))
        inside = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.7", port))
        return [public, inside]

    def resolve_nothing(host: str, port: int, **_: Any) -> list[Any]:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    with pytest.raises(FetchFailed) as inside:
        fetch("https://shop.example/x.jpg", most_bytes=MOST)
    monkeypatch.setattr(socket, "getaddrinfo", resolve_nothing)
    with pytest.raises(FetchFailed) as nowhere:
        fetch("https://shop.example/x.jpg", most_bytes=MOST)

    assert str(inside.value) == str(nowhere.value)
    assert (inside.value.may_work_later, nowhere.value.may_work_later) == (True, True)


def test_connection_goes_to_the_address_that_was_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name server that changes its mind between the look-up and the connection changes nothing."""
    answers = [["93.184.216.34"], ["127.0.0.1"], ["127.0.0.1"]]
    reached: list[Any] = []

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        found = answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in found]

    def connect(machine: tuple[str, int], seconds: float) -> Any:
        reached.append(machine)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)

    with pytest.raises(FetchFailed, match="does not answer"):
        fetch("http://rebinding.example/x.jpg", most_bytes=MOST)

    assert reached == [("93.184.216.34", 443)]


@pytest.mark.parametrize(
    ("page", "error", "message", "may_work_later"),
    [
        ("nothing", FetchFailed, "status 404", False),
        ("busy", FetchFailed, "status 503", True),
        ("circle", FetchFailed, "in circles", False),
        ("inside", FetchFailed, "no server with the name", True),
        ("disk", FetchRefused, "begin with https", None),
        ("promise", FetchRefused, "larger than 1 MB", None),
        ("flood", FetchRefused, "larger than 1 MB", None),
        ("part", FetchFailed, "only in part", True),
        ("nonsense", FetchFailed, "makes no sense", True),
    ],
)
def test_trouble_has_a_name(
    stranger: str, page: str, error: type[Exception], message: str, may_work_later: bool | None
) -> None:
    with pytest.raises(error, match=message) as caught:
        fetch(f"{stranger}/{page}", most_bytes=MOST, redirects=MOST_REDIRECTS)

    if isinstance(caught.value, FetchFailed):
        assert caught.value.may_work_later is may_work_later


@pytest.mark.parametrize("page", ["drops", "headers"])
def test_server_that_drips_is_left(
    stranger: str, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "ALL_SECONDS", 0.8)
    began_at = time.monotonic()

    # On a busy machine the wait for the first byte may end before the wait for the whole.
    with pytest.raises(FetchFailed, match=r"too slow|does not answer"):
        fetch(f"{stranger}/{page}", most_bytes=MOST)

    assert time.monotonic() - began_at < 5


def test_without_the_setting_of_tests_this_machine_is_inside(stranger: str, settings: Any) -> None:
    settings.FETCH_FROM_LOOPBACK = False

    with pytest.raises(FetchRefused, match="the usual port"):
        fetch(f"{stranger}/file", most_bytes=MOST)

    assert Stranger.asked == []


@pytest.mark.django_db(transaction=True)
def test_nothing_is_fetched_while_a_transaction_is_open() -> None:
    from django.db import transaction

    with pytest.raises(TransactionRuleBroken), transaction.atomic():
        fetch("https://example.com/", most_bytes=MOST)


def test_name_in_letters_of_its_own_is_asked_in_its_ascii_form(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("93.184.216.34", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_args, **_options: found)

    assert fetching._judge("https://bücher.example/x.jpg").host == "xn--bcher-kva.example"
