"""The proxy of the fault tests does to a line what it says."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from tests.tcp_proxy import Line, TcpProxy, running_proxy

BODY = b"x" * 200
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 200\r\n\r\n" + BODY


class _Answers(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while line := self.rfile.readline():
            if line == b"\r\n":
                self.wfile.write(ANSWER)


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@pytest.fixture
def proxy() -> Iterator[TcpProxy]:
    with _Server(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        with running_proxy(server.server_address[1]) as proxy:
            yield proxy
        server.shutdown()


@pytest.fixture
def client(proxy: TcpProxy) -> Iterator[httpx.Client]:  # type: ignore[override]
    with httpx.Client(base_url=f"http://127.0.0.1:{proxy.port}", timeout=0.4) as client:
        yield client


def test_a_line_that_is_well_carries_everything(client: httpx.Client) -> None:
    assert [client.get("/").content for _ in range(3)] == [BODY] * 3


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (Line.REFUSED, httpx.ConnectError),
        (Line.SILENT, httpx.ReadTimeout),
        (Line.SLOW, httpx.ReadTimeout),
        (Line.CUT, (httpx.ReadError, httpx.RemoteProtocolError)),
    ],
)
def test_a_broken_line_fails_in_its_way_and_works_again_once_it_is_mended(
    proxy: TcpProxy, client: httpx.Client, line: Line, error: type[Exception]
) -> None:
    client.get("/")

    proxy.turn(line, seconds=0.6)

    with pytest.raises((error, httpx.ReadError) if line is Line.REFUSED else error):  # type: ignore[arg-type]
        client.get("/")
    with pytest.raises(error):
        client.get("/")

    proxy.turn(Line.WELL)
    assert client.get("/").content == BODY


def test_a_slow_line_is_late_but_complete(proxy: TcpProxy, client: httpx.Client) -> None:
    proxy.turn(Line.SLOW, seconds=0.1)

    began = time.monotonic()
    answer = client.get("/")

    assert answer.content == BODY
    assert 0.1 <= time.monotonic() - began < 0.4
