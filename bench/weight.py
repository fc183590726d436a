"""How many SQL statements a page takes and how many bytes it has, seen by Django's test client."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.test import Client

from bench.pages import Page, Response, Visit, World


@dataclass(frozen=True, slots=True)
class Weight:
    """Statements with warm and with empty caches; bytes of the largest answer of a visit."""

    sql: int
    sql_cold: int
    bytes_raw: int
    bytes_gzip: int


def weigh(page: Page, world: World) -> Weight:
    """Make the same visit twice, with empty caches and with warm ones."""
    client = Client(headers={"host": "127.0.0.1"})
    if page.prepare:
        _walk(client, page.prepare(world, Random(0)))
    cache.clear()
    cold, _body = _visit(client, page, world)
    warm, body = _visit(client, page, world)
    return Weight(warm, cold, len(body), len(gzip.compress(body, 6)))


def _visit(client: Client, page: Page, world: World) -> tuple[int, bytes]:
    if page.is_new_visitor:
        client.cookies.clear()
    statements = 0

    def count(execute: Callable[..., Any], *arguments: Any) -> Any:
        nonlocal statements
        statements += 1
        return execute(*arguments)

    with connection.execute_wrapper(count):
        body = _walk(client, page.visit(world, Random(1)))
    return statements, body


def _walk(client: Client, visit: Visit) -> bytes:
    """Go through a visit and return the largest body that it was answered with."""
    largest = b""
    request = next(visit)
    while True:
        if request.form is None:
            answer = client.get(request.path)
        else:
            answer = client.post(request.path, request.form)
        if answer.status_code != request.status:
            raise RuntimeError(f"{request.path} answered {answer.status_code}")
        largest = max(largest, answer.content, key=len)
        try:
            request = visit.send(Response(answer.status_code, answer.content))
        except StopIteration:
            return largest
