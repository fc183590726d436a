"""The simulator's HTTP server: one small threaded server for all its doors."""

from __future__ import annotations

import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from payments.simulator import control, hosted_page, paypal_api, paypal_page, stripe_api
from payments.simulator.errors import BodyRefused, UnknownAddress
from payments.simulator.messages import Answer, HangUp, Request, json_answer
from payments.simulator.provider import Provider

logger = logging.getLogger(__name__)

LARGEST_BODY = 1_000_000
IDLE_SECONDS = 65


class SimulatorServer(ThreadingHTTPServer):
    """Serves one provider; remembers its connections, so that stopping closes them."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, address: tuple[str, int], provider: Provider) -> None:
        self.provider = provider
        self._connections: set[socket.socket] = set()
        self._connections_lock = threading.Lock()
        super().__init__(address, Door)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._connections_lock:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._connections_lock:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        logger.debug("A connection broke off", exc_info=True)

    def close_connections(self) -> None:
        with self._connections_lock:
            for connection in self._connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


class Door(BaseHTTPRequestHandler):
    server: SimulatorServer
    protocol_version = "HTTP/1.1"
    server_version = "EmporiumPaymentSimulator"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    wbufsize = -1

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def _serve(self) -> None:
        try:
            answer = self._answer()
        except HangUp:
            self.close_connection = True
            return
        except BodyRefused as refusal:
            self.close_connection = True
            answer = json_answer(refusal.envelope(), status=refusal.status)
        except Exception:
            logger.exception("The payment simulator failed at %s %s", self.command, self.path)
            answer = Answer(500, b"The payment simulator failed; see its log.", "text/plain")
        self._send(answer)

    def _answer(self) -> Answer:
        provider = self.server.provider
        parts = urlsplit(self.path)
        request = Request(self.command, parts.path, parts.query, self.headers, self._read_body())
        if parts.path.startswith(paypal_api.PREFIXES):
            return paypal_api.answer(provider, request)
        if parts.path.startswith("/v1/"):
            return stripe_api.answer(provider, request)
        if parts.path.startswith("/_control/"):
            return control.answer(provider, request)
        if parts.path == hosted_page.STYLESHEET:
            return hosted_page.stylesheet()
        if parts.path == paypal_page.PATH and self.command in ("GET", "POST"):
            return paypal_page.answer(provider, request)
        if self.command in ("GET", "POST"):
            return hosted_page.answer(provider, request)
        return json_answer(UnknownAddress("Not found").envelope(), status=404)

    def _read_body(self) -> bytes:
        if "Transfer-Encoding" in self.headers:
            raise BodyRefused("Send the length of the body.", status=411)
        length = self.headers.get("Content-Length", "0")
        if not (length.isascii() and length.isdigit()):
            raise BodyRefused("Content-Length is not a number.", status=400)
        if int(length) > LARGEST_BODY:
            raise BodyRefused("The body is too large.", status=413)
        return self.rfile.read(int(length))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.is_cut:
            self.close_connection = True
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if answer.is_cut else answer.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)
