"""What every table knows of people: each app declares its own in `<app>/holdings.py`.

An architecture test walks all models: one that is declared nowhere, or a column that may hold
something of a person and is not named, fails. `docs/privacy.md` repeats what is declared here.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Erasure(StrEnum):
    """What becomes of a row when its person is erased."""

    DELETED = "deleted"
    EMPTIED = "emptied"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Holding:
    """What a table knows of a person, what for, and what becomes of it.

    `fields` are the columns that tell something of a person, `rest` all others that could hold a
    text and tell nothing. `title` is how the account page calls it; tables may share one, and what only
    staff and sellers have needs none.
    `section` is its part of a person's copy; without one `remark` says why. `remark` also says what
    of it stays after an erasure. `ground` names the article of the GDPR.
    """

    model: str
    fields: tuple[str, ...]
    title: Any
    purpose: str
    kept: str
    ground: str
    section: str
    erasure: Erasure
    remark: str = ""
    rest: tuple[str, ...] = ()


_holdings: dict[str, Holding] = {}
_impersonal: dict[str, str] = {}

CONTRACT = "contract (6.1.b)"
LAW = "law (6.1.c)"
INTEREST = "interest (6.1.f)"
CONSENT = "consent (6.1.a)"


def declare(
    model: str,
    fields: str,
    *,
    title: Any,
    purpose: str,
    kept: str,
    ground: str,
    section: str = "",
    erasure: Erasure,
    remark: str = "",
    rest: str = "",
) -> None:
    """Declare what a table knows of people; `fields` and `rest` are names with spaces between."""
    _holdings[model] = Holding(
        model=model,
        fields=tuple(fields.split()),
        title=title,
        purpose=purpose,
        kept=kept,
        ground=ground,
        section=section,
        erasure=erasure,
        remark=remark,
        rest=tuple(rest.split()),
    )


def declare_impersonal(reason: str, *models: str) -> None:
    """Declare tables that tell nothing of a person, and why they cannot."""
    _impersonal.update(dict.fromkeys(models, reason))


def list_holdings() -> list[Holding]:
    """Return what was declared, by app and table, in the order of declaration."""
    return list(_holdings.values())


def list_impersonal() -> dict[str, str]:
    return dict(_impersonal)


def list_titles(erasure: Erasure) -> list[Any]:
    """Return how the page calls what an erasure deletes, empties or keeps; each once."""
    found = [each.title for each in _holdings.values() if each.erasure == erasure and each.title]
    return list({str(title): title for title in found}.values())
