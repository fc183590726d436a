"""Failpoints: named places where the shop can be made to break, to see that it mends.

In the code a point is one line, `failpoint("orders.placement.committed")`, which looks at one
variable and returns. Tests arm a point with `armed`; other processes are armed through the folder
that the setting FAILPOINTS names, where `arm` puts a file by the point's name. A point fires once.
Nothing can be armed in production.
"""

from __future__ import annotations

import fcntl
import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

Action = Literal["raise", "kill", "sleep"]
ACTIONS: tuple[str, ...] = get_args(Action)

POINTS: Mapping[str, str] = {
    "cart.lines.added": "a piece is in the cart, not committed",
    "orders.placement.written": "an order is written and its stock promised, not committed",
    "orders.placement.committed": "an order is placed, the provider was not asked",
    "orders.payment.closed": "the page of the first way to pay is closed, no other is begun",
    "payments.attempts.asking": "a payment page is about to be asked for",
    "payments.attempts.answered": "the provider has made a page, nothing of it is written",
    "payments.attempts.recorded": "the page is written, the shopper was not sent there",
    "payments.inbox.stored": "an event is stored, the provider was not answered",
    "payments.inbox.applied": "an event's effect is done, its outcome is not noted",
    "payments.settlement.asking": "the provider is about to be asked how a payment stands",
    "payments.settlement.capturing": "an approved payment is on record as being taken, it is not",
    "payments.settlement.answered": "the provider has said how, nothing of it is written",
    "payments.settlement.booked": "what it said is booked, with all that follows, not committed",
    "payments.settlement.committed": "what it said is committed, nobody was told",
    "payments.refunds.asking": "the provider is about to be asked to send money back",
    "payments.refunds.answered": "the money is on its way back, nothing of it is written",
    "payments.refunds.booked": "the refund is booked, not committed",
    "payments.refunds.committed": "the refund is committed, its task has not ended",
    "orders.settlement.sold": "the pieces have left the shelf, the order is not placed yet",
    "orders.expiry.asked": "the provider was asked about overdue orders, none has expired",
    "orders.expiry.released": "an order has expired and its stock is free, not committed",
    "orders.cancellation.closed": "the page of an order is closed, the order still waits",
    "orders.cancellation.released": "an unpaid order is cancelled, not committed",
    "orders.cancellation.refunding": "staff have cancelled a paid order, not committed",
    "orders.cancellation.sent_again": "money whose refund failed is to go once more, not committed",
    "orders.refunding.written": "pieces count as given back, their money is not asked for",
    "orders.refunding.sending": "pieces are given back, their money is asked for, not committed",
    "orders.refunding.undone": "pieces whose refund failed count as sold again, not committed",
    "orders.offline.received": "a transfer is written down, its payment is not settled",
    "orders.offline.paid_out": "a refund is written down as sent, it is not closed",
    "orders.fulfilment.shipped": "a parcel is written, not committed",
    "orders.fulfilment.delivered": "a parcel has arrived, not committed",
    "orders.notices.written": "the confirmation is written as a mail, not committed",
    "shop.relay.claimed": "outbox rows are leased, none was delivered",
    "shop.relay.begun": "a task is noted as begun, it has done nothing",
    "shop.relay.done": "a task has done its work, its row does not say so",
    "shop.mailer.claimed": "a mail is taken in hand, not sent",
    "shop.mailer.sent": "the mail server has taken a mail, its row does not say so",
    "shop.mailer.recorded": "a mail is sent and says so, its task has not ended",
}
"""Every point by name, and what has happened and what has not when it is reached."""


class FailpointsForbidden(ImproperlyConfigured):
    """A failpoint was to be armed in production."""


class Struck(RuntimeError):
    """What a point raises that is armed to raise."""


@dataclass(slots=True)
class _Charge:
    """What a point shall do at its nth hit from now."""

    action: str
    nth: int = 1
    seconds: float = 1.0


_charges: dict[str, _Charge] = {}
_folder: Path | None = None
_is_any_armed = False


def failpoint(name: str) -> None:
    """Do nothing, unless this point is armed."""
    if _is_any_armed:
        _hit(name)


@contextmanager
def armed(name: str, action: Action, *, nth: int = 1, seconds: float = 1.0) -> Iterator[None]:
    """Arm a point of this process for the length of a block. Raises `FailpointsForbidden`."""
    global _is_any_armed
    _charges[name] = _check(name, action, nth, seconds)
    _is_any_armed = True
    try:
        yield
    finally:
        _charges.pop(name, None)
        _is_any_armed = bool(_charges or _folder)


def arm(folder: Path, name: str, action: Action, *, nth: int = 1, seconds: float = 1.0) -> None:
    """Arm a point of the processes whose setting FAILPOINTS is `folder`; one of them is struck.

    Raises `FailpointsForbidden`.
    """
    charge = _check(name, action, nth, seconds)
    draft = folder / f".{name}.new"
    _write(draft, charge)
    draft.replace(folder / name)


def is_waiting(folder: Path, name: str) -> bool:
    """Say whether a point that was armed has not struck yet."""
    return (folder / name).exists()


def disarm(folder: Path, *names: str) -> None:
    """Take charges away that have not struck, all of them unless some are named."""
    for name in names or POINTS:
        (folder / name).unlink(missing_ok=True)


def watch(folder: Path | None) -> None:
    """Let this process look for charges in a folder, as the setting says at its start."""
    global _folder, _is_any_armed
    if folder and settings.EMPORIUM_MODE == "production":
        raise FailpointsForbidden("Failpoints break the shop on purpose: not in production.")
    _folder = folder
    _is_any_armed = bool(_charges or _folder)


def _check(name: str, action: str, nth: int, seconds: float) -> _Charge:
    if settings.EMPORIUM_MODE == "production":
        raise FailpointsForbidden("Failpoints break the shop on purpose: not in production.")
    if name not in POINTS:
        raise LookupError(f"There is no failpoint {name!r}.")
    if action not in ACTIONS:
        raise ValueError(f"A failpoint can {', '.join(ACTIONS)}; it cannot {action!r}.")
    return _Charge(action, nth, seconds)


def _hit(name: str) -> None:
    charge = _charges.get(name)
    if charge is not None:
        charge.nth -= 1
        if charge.nth == 0:
            del _charges[name]
            _strike(name, charge)
    if _folder is not None and (found := _take(_folder / name)):
        _strike(name, found)


def _strike(name: str, charge: _Charge) -> None:
    match charge.action:
        case "sleep":
            time.sleep(charge.seconds)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case _:
            raise Struck(f"the failpoint {name} was armed")


def _take(path: Path) -> _Charge | None:
    """Count a hit of whatever process; give the charge to the one that makes it full."""
    with suppress(FileNotFoundError), path.open("r+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        words = file.read().split()
        if not words:  # Another process was faster.
            return None
        charge = _Charge(words[0], int(words[1]) - 1, float(words[2]))
        file.seek(0)
        file.truncate()
        if charge.nth > 0:
            file.write(_describe(charge))
            return None
        path.unlink(missing_ok=True)
        return charge
    return None


def _write(path: Path, charge: _Charge) -> None:
    path.write_text(_describe(charge), encoding="ascii")


def _describe(charge: _Charge) -> str:
    return f"{charge.action} {charge.nth} {charge.seconds}"


watch(Path(settings.FAILPOINTS) if settings.FAILPOINTS else None)
