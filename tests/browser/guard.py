"""What must never happen in a shopper's browser, whatever a test is about."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext

REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 4\d\d")
LOST = re.compile(r"htmx:(sendError|afterRequest)|.*net::ERR_INTERNET_DISCONNECTED")


class Guard:
    """Collects script errors, broken policies, 4xx and 5xx, and requests to strangers."""

    def __init__(self, context: BrowserContext, *, origins: set[str]) -> None:
        self.faults: list[str] = []
        self.expected: set[int] = set()
        self._is_connected = True
        self._origins = origins
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.faults.append(f"page error: {error.error}"))
        context.on("request", self._see_request)
        context.on("response", self._see_response)
        context.on("requestfailed", self._see_failure)

    def expect(self, *statuses: int) -> None:
        """Say which refusals this test is about."""
        self.expected.update(statuses)

    def expect_lost_connections(self) -> None:
        """Say that this test takes the network away."""
        self._is_connected = False

    def assert_nothing_happened(self) -> None:
        assert not self.faults, "\n".join(self.faults)

    def _hear(self, message: Any) -> None:
        if not self._is_connected and LOST.match(message.text):
            return
        # The status of a refusal is judged where its answer is seen.
        if message.type in ("error", "warning") and not REFUSED.match(message.text):
            self.faults.append(f"console {message.type}: {message.text} ({message.location})")

    def _see_request(self, request: Any) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob", "about") and (
            f"{parts.scheme}://{parts.netloc}" not in self._origins
        ):
            self.faults.append(f"request to a stranger: {request.url}")

    def _see_response(self, response: Any) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.faults.append(f"{response.status} {response.request.method} {response.url}")

    def _see_failure(self, request: Any) -> None:
        if not self._is_connected and request.failure == "net::ERR_INTERNET_DISCONNECTED":
            return
        if request.failure != "net::ERR_ABORTED":
            self.faults.append(f"{request.failure} {request.url}")
