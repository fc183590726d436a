"""The load generator, a process of its own: each client asks, waits for the answer, asks again.

Reads a plan as JSON from standard input, writes what it measured as JSON to standard output.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import sys
import time
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlencode

from bench.cpu import read_seconds
from bench.pages import (
    BARE,
    BUY,
    PAGES,
    NotPaid,
    Page,
    Request,
    Response,
    SoldOut,
    Visit,
    World,
)

ANSWER_SECONDS = 30
LONGEST_WARM_UP_SECONDS = 600
CONTENT_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
CONTENT_ENCODING = re.compile(rb"\r\ncontent-encoding: *(\w+)", re.IGNORECASE)
LOCATION = re.compile(rb"\r\nlocation: *([^\r]*)", re.IGNORECASE)
COOKIE = re.compile(rb"\r\nset-cookie: *([^=;\r]+)=([^;\r]*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Plan:
    """`roots` names the process trees whose CPU time is measured.

    In a rush each client makes one visit, all at once, without a rehearsal.
    """

    page: str
    port: int
    clients: int
    warm_up: float
    seconds: float
    windows: int
    roots: dict[str, int]
    world: dict[str, Any]
    provider_port: int = 0
    is_rush: bool = False


@dataclass(slots=True)
class Window:
    """What happened in a stretch of time; `latencies` are seconds per visit, `steps` per step."""

    seconds: float = 0
    latencies: list[float] = field(default_factory=list)
    steps: dict[str, list[float]] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)


class Client:
    """One visitor after another, or the same one again, on keep-alive connections."""

    def __init__(
        self,
        plan: Plan,
        page: Page,
        world: World,
        random: Random,
        selector: selectors.BaseSelector,
    ) -> None:
        self.page, self.world, self.random = page, world, random
        self.selector, self.port, self.provider_port = selector, plan.port, plan.provider_port
        self.connections: dict[int, socket.socket] = {}
        self.head = (
            "Accept: text/html\r\nSec-Fetch-Site: same-origin\r\n"
            "Accept-Encoding: gzip, deflate, br, zstd\r\n"
        )
        self.received = bytearray()
        self.cookies: dict[str, str] = {}
        if page.prepare:
            self._walk(page.prepare(world, random))

    def start(self) -> None:
        """Begin the next visit."""
        if self.page.is_new_visitor:
            self.cookies.clear()
        self.visit = self.page.visit(self.world, self.random)
        self.began = time.perf_counter()
        self._send(next(self.visit))

    def read(self, steps: dict[str, list[float]]) -> str | None:
        """Take what has arrived; "" at the end of a visit, None before it, else what went wrong."""
        response = self._receive()
        if response is None:
            return None
        if self.request.step:
            steps.setdefault(self.request.step, []).append(time.perf_counter() - self.sent)
        if response.status != self.request.status:
            return f"{self.request.path.partition('?')[0]} answered {response.status}"
        try:
            self._send(self.visit.send(response))
        except StopIteration:
            return ""
        except (SoldOut, NotPaid) as outcome:
            return type(outcome).__name__
        return None

    def _walk(self, visit: Visit) -> None:
        self._send(next(visit))
        while True:
            while (response := self._receive()) is None:
                pass
            if response.status != self.request.status:
                raise SystemExit(f"{self.request.path} answered {response.status}")
            try:
                self._send(visit.send(response))
            except StopIteration:
                return

    def _send(self, request: Request) -> None:
        self.request = request
        port = self.provider_port if request.is_at_provider else self.port
        self.connection = self._connect(port)
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        head = f"Host: 127.0.0.1:{port}\r\n{self.head}"
        if cookies and not request.is_at_provider:
            head += f"Cookie: {cookies}\r\n"
        if request.form is None:
            text = f"GET {request.path} HTTP/1.1\r\n{head}\r\n"
        else:
            body = urlencode(request.form)
            text = (
                f"POST {request.path} HTTP/1.1\r\n{head}Content-Length: {len(body)}\r\n"
                f"Content-Type: application/x-www-form-urlencoded\r\n\r\n{body}"
            )
        self.sent = time.perf_counter()
        self.connection.sendall(text.encode())

    def _connect(self, port: int) -> socket.socket:
        if port not in self.connections:
            made = socket.create_connection(("127.0.0.1", port), timeout=ANSWER_SECONDS)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections[port] = made
            self.selector.register(made, selectors.EVENT_READ, self)
        return self.connections[port]

    def _receive(self) -> Response | None:
        arrived = self.connection.recv(262_144)
        if not arrived:
            raise SystemExit(f"the server hung up during {self.request.path}")
        self.received += arrived
        end = self.received.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = bytes(self.received[:end])
        length = CONTENT_LENGTH.search(head)
        if length is None:
            raise SystemExit(f"{self.request.path} does not say how long its answer is")
        whole = end + 4 + int(length[1])
        if len(self.received) < whole:
            return None
        for name, value in COOKIE.findall(head):
            self.cookies[name.decode()] = value.decode()
        encoding = CONTENT_ENCODING.search(head)
        location = LOCATION.search(head)
        response = Response(
            int(head[9:12]),
            bytes(self.received[end + 4 : whole]),
            encoding[1].decode().lower() if encoding else "",
            location[1].decode() if location else "",
        )
        self.received.clear()
        return response


def run(plan: Plan) -> list[Window]:
    """Drive the page by all clients at once, first to warm up, then for each window."""
    page = {BARE.name: BARE, BUY.name: BUY, **PAGES}[plan.page]
    world = World(**plan.world)
    with selectors.DefaultSelector() as selector:
        for number in range(plan.clients):
            Client(plan, page, world, Random(number), selector).start()
        if plan.is_rush:
            return [_rush(selector, plan)]
        # Windows of a moment are a rehearsal, which has no time to warm up.
        visits = page.first_visits if plan.seconds >= 1 else 0
        _warm_up(selector, seconds=plan.warm_up, visits=visits)
        windows = []
        for _number in range(plan.windows):
            before = _read_cpu(plan)
            window = Window()
            _fill(window, selector, seconds=plan.seconds)
            after = _read_cpu(plan)
            window.cpu = {name: after[name] - before[name] for name in after}
            windows.append(window)
    return windows


def _warm_up(selector: selectors.BaseSelector, *, seconds: float, visits: int) -> None:
    """Visit for so long, and until there were so many visits, within reason."""
    window, deadline = Window(), time.perf_counter() + LONGEST_WARM_UP_SECONDS
    _fill(window, selector, seconds=seconds)
    while len(window.latencies) < visits and time.perf_counter() < deadline:
        _fill(window, selector, seconds=min(1.0, seconds))


def _rush(selector: selectors.BaseSelector, plan: Plan) -> Window:
    """Let every client end its one visit, however long that takes."""
    window, before, began = Window(), _read_cpu(plan), time.perf_counter()
    waiting = plan.clients
    while waiting:
        for key, _events in selector.select(timeout=ANSWER_SECONDS):
            client: Client = key.data
            outcome = client.read(window.steps)
            if outcome is None:
                continue
            waiting -= 1
            if outcome:
                window.failures[outcome] = window.failures.get(outcome, 0) + 1
            else:
                window.latencies.append(time.perf_counter() - client.began)
    window.seconds = time.perf_counter() - began
    after = _read_cpu(plan)
    window.cpu = {name: after[name] - before[name] for name in after}
    return window


def _fill(window: Window, selector: selectors.BaseSelector, *, seconds: float) -> None:
    began = time.perf_counter()
    while (now := time.perf_counter()) < began + seconds:
        for key, _events in selector.select(timeout=ANSWER_SECONDS):
            client: Client = key.data
            outcome = client.read(window.steps)
            if outcome is None:
                continue
            if outcome:
                window.failures[outcome] = window.failures.get(outcome, 0) + 1
            else:
                window.latencies.append(time.perf_counter() - client.began)
            client.start()
    window.seconds = now - began


def _read_cpu(plan: Plan) -> dict[str, float]:
    return {**read_seconds(plan.roots), "load": time.process_time()}


if __name__ == "__main__":
    json.dump([asdict(window) for window in run(Plan(**json.load(sys.stdin)))], sys.stdout)
