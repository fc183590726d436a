"""The bodies of webhooks read with suspicion: whatever a provider sends is stored or refused.

Source: PostgreSQL, "JSON Types": `jsonb` takes neither the character NUL, nor half of a surrogate
pair, nor numbers that are none.
"""

from __future__ import annotations

import json
import math
from typing import Any, TypeGuard

from payments.errors import ForgedEvent

DEEPEST = 60
LONGEST_ID = 120
NOT_STORABLE = {0: "\ufffd", **dict.fromkeys(range(0xD800, 0xE000), "\ufffd")}


def read_body(body: bytes) -> dict[str, Any]:
    """Read a JSON object that can be stored. Raises `ForgedEvent` for anything else."""
    try:
        payload = json.loads(body, parse_constant=_refuse_number, parse_float=_read_number)
    except (ValueError, RecursionError) as error:
        raise ForgedEvent("the body is no JSON that we read") from error
    return make_storable(payload)


def make_storable(payload: Any) -> dict[str, Any]:
    """Replace what the database does not take. Raises `ForgedEvent` for what is no object."""
    if not isinstance(payload, dict):
        raise ForgedEvent("the body is no event")
    storable: dict[str, Any] = _make_storable(payload, 0)
    return storable


def is_name(value: object) -> TypeGuard[str]:
    """Say whether something can be the number or the type of an event, or of what it is about."""
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID


def _make_storable(value: Any, depth: int) -> Any:
    if depth > DEEPEST:
        raise ForgedEvent("the body nests too deep")
    if isinstance(value, str):
        return value.translate(NOT_STORABLE)
    if isinstance(value, list):
        return [_make_storable(each, depth + 1) for each in value]
    if isinstance(value, dict):
        return {
            name.translate(NOT_STORABLE): _make_storable(each, depth + 1)
            for name, each in value.items()
        }
    return value


def _refuse_number(text: str) -> float:
    raise ValueError(f"{text} is no JSON")


def _read_number(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse_number(text)
