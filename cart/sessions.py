"""How a request finds its cart: by the person who is signed in, else by the session."""

from __future__ import annotations

from hashlib import sha256

from django.http import HttpRequest

from cart.models import Cart
from cart.services import carts
from shop.prepared import Prepared

SESSION_KEY = "cart"
SEEN_KEY = "cart_seen"
_of_person = Prepared(lambda pk: Cart.objects.filter(user_id=pk, closed_at=None))
_of_guest = Prepared(lambda pk: Cart.objects.filter(user=None, closed_at=None, pk=pk))


def find_cart(request: HttpRequest) -> Cart | None:
    """Return the open cart of this visitor; never creates one, never starts a session."""
    cart_id: int | None = request.session.get(SESSION_KEY)
    if cart_id is None and not request.user.is_authenticated:
        return None
    if request.user.is_authenticated:
        return _of_person.first(request.user.pk)
    return _of_guest.first(cart_id or 0)


def find_or_create_cart(request: HttpRequest) -> Cart:
    """Return the visitor's open cart, creating cart and session at the first add."""
    cart = find_cart(request)
    if cart is None:
        cart = carts.open_cart(request.user if request.user.is_authenticated else None)
        remember(request, cart)
    return cart


def remember(request: HttpRequest, cart: Cart) -> None:
    """Let this browser find the cart again."""
    request.session[SESSION_KEY] = cart.pk


def find_left_behind(request: HttpRequest, own: Cart | None) -> int | None:
    """Return the guest's cart of somebody signed in, which could not be merged when they came."""
    cart_id: int | None = request.session.get(SESSION_KEY)
    is_known = cart_id is None or (own is not None and own.pk == cart_id)
    if is_known or not request.user.is_authenticated:
        return None
    cart = _of_guest.first(cart_id)
    return cart.pk if cart else None


def name_device(request: HttpRequest) -> str:
    """Mark the browser of somebody signed in; a guest's cart is in one browser alone."""
    key = request.session.session_key if request.user.is_authenticated else None
    return sha256(key.encode()).hexdigest()[:16] if key else ""


def note_seen(request: HttpRequest, cart: Cart | None) -> bool:
    """Remember what this device sees of the cart; say whether another one changed it meanwhile."""
    if cart is None or not request.user.is_authenticated:
        return False
    seen = request.session.get(SEEN_KEY)
    if seen == [cart.pk, cart.version]:
        return False
    request.session[SEEN_KEY] = [cart.pk, cart.version]
    if not seen or seen[0] != cart.pk:
        return False
    return cart.was_elsewhere_since(seen[1], device=name_device(request))
