"""Retries for short lock waits; the written lock order is in docs/locking.md.

Cart, payment attempt, order, stock levels by primary key, counters: every transaction takes its
locks in this order, so that two of them can wait for each other but never in a circle.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError
from django.utils.translation import gettext as _
from psycopg import errors

from shop.errors import BusyError

P = ParamSpec("P")
R = TypeVar("R")

ATTEMPTS = 3
_RETRYABLE = (errors.DeadlockDetected, errors.LockNotAvailable, errors.SerializationFailure)


def retry_when_busy(function: Callable[P, R]) -> Callable[P, R]:
    """Repeat a whole transaction after a deadlock or lock timeout, then raise `BusyError`."""

    @wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return function(*args, **kwargs)
            except OperationalError as error:
                if not isinstance(error.__cause__, _RETRYABLE):
                    raise
                if attempt == ATTEMPTS:
                    raise BusyError(
                        _("The shop is very busy right now. Nothing was charged; please try again.")
                    ) from error
                time.sleep(random.uniform(0.01, 0.05) * attempt)
        raise AssertionError("unreachable")

    wrapper.transaction_mark = getattr(function, "transaction_mark", "own")  # type: ignore[attr-defined]
    return wrapper
