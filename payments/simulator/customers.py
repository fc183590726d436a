"""Customers and the cards they let the provider keep.

Source: Stripe's API reference (customers, payment methods), "Save payment details during payment".
"""

from __future__ import annotations

from payments.simulator import objects
from payments.simulator.errors import InvalidParameter, InvalidRequest, NoSuchObject
from payments.simulator.events import BY_SHOPPER, Cause, publish
from payments.simulator.parameters import Parameters
from payments.simulator.provider import Provider
from payments.simulator.store import Condition, Document

CUSTOMER = "customer"
CARD = "payment_method"
PLAYED = frozenset({"email", "expand", "metadata", "name"})
LISTED_BY = frozenset({"customer", "expand", "limit", "type"})


def create(provider: Provider, parameters: Parameters, *, cause: Cause = BY_SHOPPER) -> Document:
    for name in parameters:
        if name not in PLAYED:
            raise _unplayed(name)
    with provider.store.transaction():
        customer = objects.customer(parameters, now=provider.now())
        provider.store.insert(customer, label="active")
        publish(provider, "customer.created", customer, cause=cause)
        return customer


def get(provider: Provider, customer_id: str, *, param: str = "customer") -> Document:
    customer = provider.store.get(CUSTOMER, customer_id)
    if customer is None:
        raise NoSuchObject(CUSTOMER, customer_id, param=param, status=400)
    return customer


def delete(provider: Provider, customer_id: str) -> None:
    """Let somebody be deleted from the provider's own pages; their cards go with them."""
    with provider.store.transaction():
        customer = get(provider, customer_id)
        for card in list_cards(provider, customer_id):
            detach(provider, card["id"])
        provider.store.forget(customer["id"])


def remove(provider: Provider, customer_id: str) -> Document:
    """Delete a customer as the API does: what is deleted, or was never there, is not found."""
    customer = provider.store.get(CUSTOMER, customer_id)
    if customer is None:
        raise NoSuchObject(CUSTOMER, customer_id)
    delete(provider, customer_id)
    return {"id": customer_id, "object": CUSTOMER, "deleted": True}


def save_card(provider: Provider, customer_id: str, charge: Document) -> Document:
    """Keep the card that a customer has just paid with."""
    card = objects.payment_method(charge, customer_id=customer_id, now=provider.now())
    provider.store.insert(card, label=customer_id)
    publish(provider, "payment_method.attached", card)
    return card


def list_cards(provider: Provider, customer_id: str) -> list[Document]:
    """Return the cards of a customer, the newest first."""
    return provider.store.list_documents(CARD, [Condition("label", "=", customer_id)], limit=100)


def list_page(provider: Provider, parameters: Parameters, *, url: str) -> Document:
    for name in parameters:
        if name not in LISTED_BY:
            raise _unplayed(name)
    customer = get(provider, parameters.get("customer", ""))
    found = list_cards(provider, customer["id"])
    limit = parameters.get("limit", 10)
    return objects.page_of(found[:limit], url=url, has_more=len(found) > limit)


def detach(provider: Provider, card_id: str, *, cause: Cause = BY_SHOPPER) -> Document:
    """Take a card from its customer, for good."""
    with provider.store.transaction():
        card = provider.store.get(CARD, card_id)
        if card is None:
            raise NoSuchObject("PaymentMethod", card_id, param="payment_method")
        if card["customer"] is None:
            raise InvalidRequest(
                "The payment method you provided is not attached to a customer so detachment is "
                "impossible.",
                param="payment_method",
            )
        card["customer"] = None
        provider.store.update(card, label="detached")
        publish(provider, "payment_method.detached", card, cause=cause)
        return card


def _unplayed(name: str) -> InvalidParameter:
    return InvalidParameter(
        f"The payment simulator does not play '{name}'; the real API knows it.", param=name
    )
