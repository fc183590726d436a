"""Fill in a page's forms as a browser would: its hidden fields travel along."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

from django.http import HttpResponse
from django.test import Client


class _FormReader(HTMLParser):
    def __init__(self, action: str) -> None:
        super().__init__()
        self.action = action
        self.is_inside = False
        self.is_found = False
        self.select: str | None = None
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
            kind = given.get("type", "text")
            if kind not in ("radio", "checkbox") or "checked" in given:
                self.fields[name] = given.get("value", "on" if kind == "checkbox" else "")
        elif tag == "select":
            self.select = name
        elif tag == "option" and self.select and "selected" in given:
            self.fields[self.select] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.is_inside = False
        elif tag == "select":
            self.select = None


def read_form(response: Any, action: str) -> dict[str, str]:
    """Return what the page's form with this action would send if nothing were typed."""
    reader = _FormReader(action)
    reader.feed(response.content.decode())
    assert reader.is_found, f"the page has no form that posts to {action}"
    return reader.fields


def submit(
    client: Client, page: Any, action: str, typed: dict[str, str] | None = None, **extra: Any
) -> HttpResponse:
    """Fill a form of a page and send it."""
    return client.post(action, read_form(page, action) | (typed or {}), **extra)
