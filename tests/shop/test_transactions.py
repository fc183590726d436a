"""Who opens the transaction is written on every service, and kept to."""

from __future__ import annotations

import pytest
from django.db import OperationalError, transaction
from psycopg import errors

from shop.errors import BusyError
from shop.locking import retry_when_busy
from shop.transactions import (
    TransactionRuleBroken,
    inside_transaction,
    is_in_transaction,
    no_transaction,
    own_transaction,
)


@own_transaction
def own() -> bool:
    return is_in_transaction()


@inside_transaction
def inside() -> bool:
    return is_in_transaction()


@no_transaction
def outside() -> bool:
    return is_in_transaction()


@pytest.mark.django_db
def test_a_tests_own_transaction_does_not_count() -> None:
    assert not is_in_transaction()
    assert own()
    assert not outside()


@pytest.mark.django_db(transaction=True)
def test_each_mark_is_kept_to() -> None:
    assert own()
    assert not outside()
    with pytest.raises(TransactionRuleBroken, match="inside needs its caller's transaction"):
        inside()
    with transaction.atomic():
        assert inside()
        with pytest.raises(TransactionRuleBroken, match="outside must not run inside"):
            outside()
        with pytest.raises(RuntimeError):
            own()


def failing(*causes: type[Exception] | None) -> tuple[list[int], object]:
    """Return a function that fails once for each cause, and the list of its calls."""
    calls: list[int] = []

    @retry_when_busy
    def act() -> str:
        calls.append(1)
        if len(calls) <= len(causes):
            cause = causes[len(calls) - 1]
            raise OperationalError("no") from (cause("no") if cause else None)
        return "done"

    return calls, act


@pytest.mark.parametrize(
    "cause", [errors.DeadlockDetected, errors.LockNotAvailable, errors.SerializationFailure]
)
def test_a_lock_that_was_not_to_be_had_is_tried_for_again(cause: type[Exception]) -> None:
    calls, act = failing(cause, cause)

    assert act() == "done"
    assert len(calls) == 3


def test_after_three_tries_the_shop_says_that_it_is_busy() -> None:
    calls, act = failing(*[errors.LockNotAvailable] * 9)

    with pytest.raises(BusyError, match="Nothing was charged; please try again"):
        act()
    assert len(calls) == 3


def test_a_database_that_is_gone_is_not_called_busy() -> None:
    calls, act = failing(errors.AdminShutdown)

    with pytest.raises(OperationalError):
        act()
    assert len(calls) == 1
