"""Who sells in the shop."""

from __future__ import annotations

from accounts.models import Seller
from accounts.signals import seller_renamed
from shop.services.changes import announce
from shop.transactions import inside_transaction, own_transaction


@own_transaction
def save_seller(
    slug: str,
    *,
    name: str,
    country: str,
    tagline: str = "",
    story: str = "",
    place: str = "",
    email: str = "",
    handling_days: int | None = None,
) -> Seller:
    """Create or update a seller by its slug; a row that says the same already is left alone."""
    columns = {
        "name": name,
        "country": country,
        "tagline": tagline,
        "story": story,
        "place": place,
        "email": email,
        "handling_days": handling_days,
    }
    seller, is_new = Seller.objects.get_or_create(slug=slug, defaults=columns)
    changed = [column for column, value in columns.items() if getattr(seller, column) != value]
    if changed and not is_new:
        for column in changed:
            setattr(seller, column, columns[column])
        seller.save(update_fields=changed)
    if changed or is_new:
        announce(f"seller:{seller.pk}")
    if "name" in changed and not is_new:
        tell_new_name(seller)
    return seller


@inside_transaction
def tell_new_name(seller: Seller) -> None:
    """Tell the floors above that the seller is called otherwise now."""
    seller_renamed.send(Seller, seller=seller)
