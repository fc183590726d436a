"""What a door of the simulator receives and answers, free of sockets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from typing import Any
from urllib.parse import parse_qs

HTML = "text/html; charset=utf-8"
JSON = "application/json"


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str
    headers: Message
    body: bytes

    def form_field(self, name: str, default: str = "") -> str:
        """Return the last value of a field of a posted form."""
        fields = parse_qs(self.body.decode("utf-8", "replace"), max_num_fields=50)
        return fields.get(name, [default])[-1]

    def query_field(self, name: str, default: str = "") -> str:
        return parse_qs(self.query, max_num_fields=50).get(name, [default])[-1]


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    is_cut: bool = False
    """Promise the whole length, send half of it, and hang up."""


class HangUp(Exception):
    """Close the connection without a word."""


def json_answer(content: Any, *, status: int = 200) -> Answer:
    return Answer(status, json.dumps(content, indent=2).encode())


def see_other(location: str) -> Answer:
    return Answer(303, b"", HTML, {"Location": location, "Cache-Control": "no-store"})
