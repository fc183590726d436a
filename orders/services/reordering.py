"""Buying again: what an order held goes into the cart, as far as it is still sold, at today's prices."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from cart.errors import CartFull, NotForSale
from cart.models import Cart
from cart.services import lines
from orders.models import Order
from shop.transactions import no_transaction


@dataclass(slots=True)
class Reordered:
    """How many things are in the cart now, and what the shopper should know about the others."""

    positions: int = 0
    notes: list[str] = field(default_factory=list)


@no_transaction
def buy_again(order: Order, cart: Cart, *, device: str = "") -> Reordered:
    """Put into the cart what the order held and is not in it yet, so that twice is once.

    Each position is a transaction of its own. Raises `cart.errors.CartClosed` when the cart was
    ordered meanwhile, `shop.errors.BusyError`.
    """
    held = dict(cart.items.values_list("variant_id", "quantity"))
    result = Reordered()
    for line in order.lines.order_by("position", "id"):
        name = ", ".join(filter(None, [line.title, line.variant_label]))
        missing = line.quantity - held.get(line.variant_id or 0, 0)
        try:
            if line.variant_id is None:
                raise NotForSale(_("This is no longer for sale."))
            if missing > 0:
                added = lines.add(cart, variant_id=line.variant_id, quantity=missing, device=device)
                if added.notice:
                    result.notes.append(added.notice)
            result.positions += 1
        except NotForSale:
            result.notes.append(
                _("%(product)s could not be put in: it is sold out or no longer for sale.")
                % {"product": name}
            )
        except CartFull as refusal:
            result.notes.append(str(refusal))
            break
    return result
