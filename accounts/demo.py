"""Demo logins: one for the shop, one for each seller, one to buy with. Never in production."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.conf import settings
from django.utils.translation import gettext as _

from accounts.models import Seller, SellerMember, User
from shop.errors import ShopError
from shop.transactions import own_transaction

PASSWORD = "emporium-demo"
DOMAIN = "emporium.example"


class NoDemoLogins(ShopError):
    """Logins whose password everybody knows were asked for in a real shop."""


@dataclass(frozen=True, slots=True)
class Login:
    email: str
    purpose: str


def list_logins(sellers: Iterable[Seller]) -> list[Login]:
    """List the demo logins, whether they were made yet or not."""
    return [
        Login(f"admin@{DOMAIN}", _("everything, in the admin")),
        *(
            Login(f"{seller.slug}@{DOMAIN}", _("sells as %(name)s") % {"name": seller.name})
            for seller in sellers
        ),
        Login(f"shopper@{DOMAIN}", _("buys")),
    ]


@own_transaction
def make_logins(sellers: Iterable[Seller]) -> None:
    """Make the demo logins that are missing. Raises `NoDemoLogins` in production."""
    if settings.IS_PRODUCTION:
        raise NoDemoLogins(_("Demo logins have a known password, so a real shop gets none."))
    _make_person(f"admin@{DOMAIN}", name="Alex Admin", is_staff=True, is_superuser=True)
    for seller in sellers:
        owner = _make_person(f"{seller.slug}@{DOMAIN}", name=seller.name, is_staff=True)
        SellerMember.objects.get_or_create(
            seller=seller, user=owner, defaults={"role": SellerMember.Role.OWNER}
        )
    _make_person(f"shopper@{DOMAIN}", name="Sam Shopper")


def _make_person(email: str, *, name: str, **rights: bool) -> User:
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        user = User.objects.create_user(email, PASSWORD, name=name, **rights)
    EmailAddress.objects.get_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )
    return user
