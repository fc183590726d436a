"""People as a provider knows them, and the cards that it keeps for them. No card comes near us."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from payments.errors import UnknownAtProvider
from payments.gateways import get_card_keeper
from payments.gateways.base import SavedCard
from payments.methods import STRIPE
from payments.models import Customer
from shop.transactions import inside_transaction, no_transaction, own_transaction

if TYPE_CHECKING:
    from accounts.models import User


@inside_transaction
def prepare(user: User, provider: str) -> Customer | None:
    """Write down, once, that a person is to be known to a provider that keeps cards."""
    if provider != STRIPE:
        return None
    customer, _is_new = Customer.objects.get_or_create(
        user=user,
        provider=provider,
        defaults={"key": f"customer_{secrets.token_hex(12)}", "email": user.email},
    )
    return customer


@no_transaction
def introduce(customer: Customer) -> str:
    """Return a customer's number at the provider, asking for one if need be.

    The key makes one of two that ask at once. Raises `ProviderUnavailable`, `ProviderRefused`.
    """
    if not customer.provider_id:
        keeper = get_card_keeper(customer.provider)
        customer.provider_id = keeper.create_customer(email=customer.email, key=customer.key)
        _record(customer)
    return customer.provider_id


@own_transaction
def forget(customer: Customer) -> None:
    """Drop a customer whom the provider does not know any more; the next checkout makes another."""
    Customer.objects.filter(pk=customer.pk, provider_id=customer.provider_id).delete()


@no_transaction
def list_cards(user: User) -> list[SavedCard]:
    """Return the cards that the provider keeps for a person. Raises `ProviderUnavailable`."""
    customer = Customer.objects.filter(user=user, provider=STRIPE).exclude(provider_id="").first()
    if customer is None:
        return []
    try:
        return get_card_keeper(STRIPE).list_cards(customer_id=customer.provider_id)
    except UnknownAtProvider:
        return []


@no_transaction
def remove_card(user: User, card_id: str) -> bool:
    """Have the provider forget a card; say whether the person had it. Nobody else's is touched.

    Raises `ProviderUnavailable`.
    """
    if card_id not in {card.card_id for card in list_cards(user)}:
        return False
    try:
        get_card_keeper(STRIPE).remove_card(card_id=card_id)
    except UnknownAtProvider:
        return False
    return True


@own_transaction
def _record(customer: Customer) -> None:
    Customer.objects.filter(pk=customer.pk).update(provider_id=customer.provider_id)
