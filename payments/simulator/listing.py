"""Lists: newest first, filtered, a page at a time.

Source: https://docs.stripe.com/api/pagination
"""

from __future__ import annotations

from payments.simulator import objects
from payments.simulator.errors import InvalidParameter, NoSuchObject
from payments.simulator.parameters import Parameters
from payments.simulator.provider import Provider
from payments.simulator.store import Condition, Document, to_json

COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
PAGING = frozenset({"limit", "starting_after", "ending_before", "expand"})
COLUMNS = {"payment_intent": "payment_intent", "charge": "charge", "status": "label"}
IS_UNDELIVERED = (
    "EXISTS (SELECT 1 FROM deliveries WHERE event = documents.id AND state <> 'delivered')"
)
LARGEST_PAGE = 100
USUAL_PAGE = 10


def list_page(provider: Provider, kind: str, parameters: Parameters, *, url: str) -> Document:
    """Return one page of documents of a kind."""
    limit = parameters.get("limit", USUAL_PAGE)
    if not 1 <= limit <= LARGEST_PAGE:
        raise InvalidParameter(
            f"Invalid limit: it must lie between 1 and {LARGEST_PAGE}.",
            code="parameter_invalid_integer",
            param="limit",
        )
    if "starting_after" in parameters and "ending_before" in parameters:
        raise InvalidParameter(
            "Give either 'starting_after' or 'ending_before', not both.", param="starting_after"
        )
    conditions = _filters(parameters) + _cursor(provider, kind, parameters)
    is_backwards = "ending_before" in parameters
    found = provider.store.list_documents(
        kind, conditions, limit=limit + 1, oldest_first=is_backwards
    )
    page = found[:limit]
    if is_backwards:
        page.reverse()
    return objects.page_of(page, url=url, has_more=len(found) > limit)


def _filters(parameters: Parameters) -> list[Condition]:
    conditions: list[Condition] = []
    for name, value in parameters.items():
        if name in PAGING:
            continue
        if name == "created":
            bounds = value.items() if isinstance(value, dict) else [("exactly", value)]
            conditions += [
                Condition("created", COMPARISONS.get(bound, "="), seconds)
                for bound, seconds in bounds
            ]
        elif name == "type":
            conditions.append(Condition("label", "GLOB", _pattern(value)))
        elif name == "types":
            conditions.append(Condition("label", "IN", to_json(value)))
        elif name == "delivery_success":
            conditions.append(Condition(IS_UNDELIVERED, "=", 0 if value else 1))
        elif name in COLUMNS:
            conditions.append(Condition(COLUMNS[name], "=", value))
        else:
            raise InvalidParameter(
                f"The payment simulator does not play '{name}'; the real API knows it.", param=name
            )
    return conditions


def _pattern(event_type: str) -> str:
    """Let `*` alone be special, as in `charge.*`."""
    return event_type.replace("[", "[[]").replace("?", "[?]")


def _cursor(provider: Provider, kind: str, parameters: Parameters) -> list[Condition]:
    for name, operator in (("starting_after", "<"), ("ending_before", ">")):
        if name in parameters:
            position = provider.store.position_of(kind, parameters[name])
            if position is None:
                raise NoSuchObject(kind, parameters[name], param=name, status=400)
            return [Condition("seq", operator, position)]
    return []
