"""What nginx answers by itself is as guarded as what the shop answers (deploy/nginx.conf)."""

from __future__ import annotations

import socket
import threading
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from bench.server import free_port
from tests.nginx import nginx_before

OWN = {
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "strict-transport-security": "max-age=63072000; includeSubDomains; preload",
}


def announce_too_much(address: str) -> httpx.Response:
    """Say how much is to come, and send nothing of it; httpx would insist on sending it."""
    door = HTTPConnection(urlsplit(address).netloc, timeout=30)
    door.putrequest("POST", "/cart/add/")
    door.putheader("X-Forwarded-Proto", "https")
    door.putheader("Content-Length", "99999999")
    door.endheaders()
    answer = door.getresponse()
    told = httpx.Response(answer.status, headers=answer.getheaders())
    door.close()
    return told


def test_every_page_of_nginx_itself_has_all_headers(tmp_path: Path) -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    https = {"X-Forwarded-Proto": "https"}
    with (
        nginx_before(nobody, tmp_path) as address,
        httpx.Client(base_url=address, headers=https, timeout=30) as browser,
    ):
        answers = {
            "away": (browser.get("/products/dune-mug/"), 503),
            "away in German": (browser.get("/de/"), 503),
            "style of the page": (browser.get("/away/away.css"), 200),
            "metrics": (browser.get("/metrics"), 404),
            "readiness": (browser.get("/readyz"), 404),
            "too large": (announce_too_much(address), 413),
            "a head that is too long": (browser.get("/", headers={"X-Long": "x" * 40_000}), 400),
        }

    assert {name: answer.status_code for name, (answer, _status) in answers.items()} == {
        name: status for name, (_answer, status) in answers.items()
    }
    for name, (answer, _status) in answers.items():
        assert {header: answer.headers.get(header) for header in OWN} == OWN, name
        assert "permissions-policy" in answer.headers
        assert "nginx/" not in answer.headers["server"]
    away = answers["away"][0]
    assert (away.headers["retry-after"], away.headers["cache-control"]) == ("30", "no-store")


def test_headers_of_the_shop_pass_and_are_not_said_twice(tmp_path: Path) -> None:
    """A shop of one answer, with a policy of its own."""
    answer = (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Security-Policy: default-src 'self'\r\n"
        b"X-Frame-Options: SAMEORIGIN\r\nConnection: close\r\n\r\nok"
    )
    with socket.create_server(("127.0.0.1", 0)) as door:
        door.settimeout(20)
        shop = f"http://127.0.0.1:{door.getsockname()[1]}"

        def serve() -> None:
            while True:
                try:
                    visitor, _address = door.accept()
                except OSError:
                    return
                with visitor:
                    visitor.recv(65_536)
                    visitor.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        with nginx_before(shop, tmp_path) as address:
            headers = httpx.get(f"{address}/accounts/").headers

    assert headers.get_list("content-security-policy") == ["default-src 'self'"]
    assert headers.get_list("x-frame-options") == ["SAMEORIGIN"]
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert "strict-transport-security" not in headers
