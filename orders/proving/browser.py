"""A browser without scripts: cookies, forms, and nothing else; each request is a new connection."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urlsplit

ANSWER_SECONDS = 30


class NoAnswer(Exception):
    """The other side is away, hung up, or did not answer in time."""


@dataclass(frozen=True, slots=True)
class Page:
    status: int
    location: str
    text: str

    @property
    def has_failed(self) -> bool:
        """Say whether the same request is worth another try.

        That is 5xx, what stands before them, and 400: so Django answers when the database was away
        at the very end, while the session was saved.
        """
        return self.status >= 500 or self.status in (400, 429)


@dataclass
class Browser:
    """One visitor of one origin, such as `http://127.0.0.1:8000`."""

    origin: str
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, address: str) -> Page:
        """Raises `NoAnswer`."""
        return self._ask("GET", address, "", {})

    def post(self, address: str, fields: dict[str, str]) -> Page:
        """Raises `NoAnswer`."""
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", address, urlencode(fields), kind)

    def _ask(self, method: str, address: str, body: str, headers: dict[str, str]) -> Page:
        known = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", **headers}
        if self.cookies:
            known["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer, text = ask(self.origin, method, address, body=body, headers=known)
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _equals, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Page(answer.status, answer.headers.get("Location", ""), text)


def ask(
    origin: str,
    method: str,
    address: str,
    *,
    body: str = "",
    headers: dict[str, str],
    seconds: float = ANSWER_SECONDS,
) -> tuple[http.client.HTTPResponse, str]:
    """Send one request to a host and read the whole answer. Raises `NoAnswer`."""
    parts = urlsplit(address)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(urlsplit(origin).netloc, timeout=seconds)
    try:
        connection.request(method, target, body.encode(), headers)
        answer = connection.getresponse()
        return answer, answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(f"{type(error).__name__}: {error}") from error
    finally:
        connection.close()


def ask_json(origin: str, method: str, address: str, wishes: Any = None) -> tuple[int, Any]:
    """Call a JSON door; return its status and what it says. Raises `NoAnswer`."""
    body = "" if wishes is None else json.dumps(wishes)
    kind = {"Content-Type": "application/json"}
    answer, text = ask(origin, method, address, body=body, headers=kind)
    try:
        return answer.status, json.loads(text)
    except ValueError as error:
        raise NoAnswer(f"no JSON: {text[:80]}") from error


def read_form(page: Page, action: str) -> dict[str, str] | None:
    """Return what the page's form for an address would send untouched; None if there is none."""
    reader = _FormReader(action)
    reader.feed(page.text)
    return reader.fields if reader.is_found else None


class _FormReader(HTMLParser):
    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action
        self.is_inside = self.is_found = False
        self.select = ""
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.is_inside = given.get("action", "").endswith(self.action) and not self.is_found
            self.is_found = self.is_found or self.is_inside
        if not self.is_inside:
            return
        name = given.get("name", "")
        if tag == "input" and name:
            is_choice = given.get("type") in ("radio", "checkbox")
            if not is_choice or "checked" in given:
                self.fields[name] = given.get("value", "on" if is_choice else "")
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in given:
            self.fields[self.select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        elif tag == "select":
            self.select = ""
