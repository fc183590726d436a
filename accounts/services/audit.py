"""Who changed what: signing a transaction, and writing down what no trigger sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import connection

from accounts.models import AuditEntry
from shop.transactions import inside_transaction

if TYPE_CHECKING:
    from accounts.models import Seller, User

Kind = AuditEntry.Kind
Door = AuditEntry.Door


@inside_transaction
def sign(by: User | None, *, door: Door, reason: str = "") -> None:
    """Say who acts in this transaction, from where and why; what triggers write then says so, too.

    Holds until the transaction ends, so no connection carries it on to somebody else.
    """
    _tell({"actor": str(by.pk) if by else "", "door": door.value, "reason": reason[:300]})


@inside_transaction
def leave_out() -> None:
    """Write down nothing of what `migrate` itself does to groups in this transaction."""
    _tell({"door": "migrate"})


@inside_transaction
def record(
    kind: Kind,
    *,
    by: User | None,
    door: Door,
    subject: str = "",
    person: User | None = None,
    seller: Seller | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Write down what happened; no names, addresses or secrets in `before`, `after` and `subject`."""
    return AuditEntry.objects.create(
        kind=kind,
        door=door,
        actor=by,
        person=person,
        seller=seller,
        subject=subject,
        before=before,
        after=after,
        reason=reason[:300],
    )


def _tell(facts: Mapping[str, str]) -> None:
    calls = ", ".join("set_config(%s, %s, true)" for _name in facts)
    params = [text for name, value in facts.items() for text in (f"emporium.{name}", value)]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {calls}", params)
