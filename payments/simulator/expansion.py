"""`expand`: ids in an answer replaced by the objects they stand for."""

from __future__ import annotations

from collections.abc import Callable

from payments.simulator import objects, refunds
from payments.simulator.errors import InvalidParameter
from payments.simulator.provider import Provider
from payments.simulator.store import Document

DEEPEST = 4

REFERENCES = {
    "checkout.session": {"payment_intent": "payment_intent"},
    "payment_intent": {"latest_charge": "charge"},
    "charge": {"payment_intent": "payment_intent"},
    "dispute": {"charge": "charge", "payment_intent": "payment_intent"},
    "refund": {"charge": "charge", "payment_intent": "payment_intent"},
}


def expand(provider: Provider, document: Document, paths: list[str]) -> Document:
    """Return the document with the asked-for references filled in."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > DEEPEST:
            raise InvalidParameter(
                f"You cannot expand more than {DEEPEST} levels of a property.", param="expand"
            )
        if document["object"] == "list" and steps[0] == "data" and len(steps) > 1:
            for member in document["data"]:
                _expand_step(provider, member, steps[1:])
        else:
            _expand_step(provider, document, steps)
    return document


def _expand_step(provider: Provider, document: Document, steps: list[str]) -> None:
    name, *rest = steps
    includable = INCLUDABLE.get((document["object"], name))
    kind = REFERENCES.get(document["object"], {}).get(name)
    if includable is not None:
        document[name] = includable(provider, document)
    elif kind is not None:
        if isinstance(document[name], str):
            document[name] = provider.store.get(kind, document[name])
        if rest and document[name] is not None:
            _expand_step(provider, document[name], rest)
    else:
        raise InvalidParameter(f"This property cannot be expanded ({name}).", param="expand")


def line_items_page(provider: Provider, session: Document) -> Document:
    items = provider.store.get_private(session["id"])["line_items"]
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return objects.page_of(items, url=url, has_more=False)


def _refunds_page(provider: Provider, charge: Document) -> Document:
    url = f"/v1/charges/{charge['id']}/refunds"
    return objects.page_of(refunds.refunds_of(provider, charge["id"]), url=url, has_more=False)


INCLUDABLE: dict[tuple[str, str], Callable[[Provider, Document], Document]] = {
    ("checkout.session", "line_items"): line_items_page,
    ("charge", "refunds"): _refunds_page,
}
