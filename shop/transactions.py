"""Marks that say who opens the transaction; every public service function carries one of them.

`own_transaction` functions are called by doors (views, tasks, commands), so nesting them is a
mistake and raises. `no_transaction` functions string such steps and network calls together.
Tests run inside an outer transaction of their own, which Django marks and these marks respect.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import connection, transaction

P = ParamSpec("P")
R = TypeVar("R")


class TransactionRuleBroken(RuntimeError):
    """A service was called inside, or outside, a transaction against its mark."""


def is_in_transaction() -> bool:
    """Say whether a transaction of ours is open; a test's outer one does not count."""
    return connection.in_atomic_block and not all(
        getattr(block, "_from_testcase", False) for block in connection.atomic_blocks
    )


def own_transaction(function: Callable[P, R]) -> Callable[P, R]:
    """Run the function as one durable transaction."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        with transaction.atomic(durable=True):
            return function(*args, **kwargs)

    wrapper.transaction_mark = "own"  # type: ignore[attr-defined]
    return wrapper


def inside_transaction(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse to run unless the caller has opened a transaction."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        if not connection.in_atomic_block:
            raise TransactionRuleBroken(f"{function.__qualname__} needs its caller's transaction")
        return function(*args, **kwargs)

    wrapper.transaction_mark = "inside"  # type: ignore[attr-defined]
    return wrapper


def no_transaction(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse to run while a transaction is open: the function may wait for the network."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        assert_no_transaction(function.__qualname__)
        return function(*args, **kwargs)

    wrapper.transaction_mark = "none"  # type: ignore[attr-defined]
    return wrapper


def assert_no_transaction(doing: str) -> None:
    """Raise when rows may be locked while we are about to wait for the network."""
    if is_in_transaction():
        raise TransactionRuleBroken(f"{doing} must not run inside a transaction")
