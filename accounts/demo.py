"""Demo logins: one for each role in the shop and at a seller, one to buy with. Never in production."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import AuditEntry, Seller, SellerMember, User
from accounts.roles import StaffRole
from accounts.services import staff
from shop.errors import ShopError
from shop.transactions import own_transaction

PASSWORD = "emporium-demo"
STAFF = {
    StaffRole.OWNER: (
        "owner",
        "Olga Owner",
        gettext_lazy("everything but who is superuser, in the admin"),
    ),
    StaffRole.SUPPORT: ("support", "Sunniva Support", gettext_lazy("helps shoppers, in the admin")),
    StaffRole.CATALOGUE: (
        "catalogue",
        "Carlos Catalogue",
        gettext_lazy("keeps all products, in the admin"),
    ),
    StaffRole.FINANCE: ("finance", "Fatou Finance", gettext_lazy("keeps the money, in the admin")),
}
"""Who plays which role in the shop: how their address begins, their name, what they do."""
HELPERS = {
    SellerMember.Role.MANAGER: (
        "manager",
        "Milo Manager",
        gettext_lazy("manages products of %(name)s"),
    ),
    SellerMember.Role.PACKER: ("packer", "Paula Packer", gettext_lazy("packs for %(name)s")),
}
"""The same at the first seller, by name."""
DOMAIN = "emporium.example"


class NoDemoLogins(ShopError):
    """Logins whose password everybody knows were asked for in a real shop."""


@dataclass(frozen=True, slots=True)
class Login:
    email: str
    purpose: str


def list_logins(sellers: Iterable[Seller]) -> list[Login]:
    """List the demo logins, whether they were made yet or not."""
    sellers = _sort(sellers)
    return [
        Login(f"admin@{DOMAIN}", _("everything, in the admin")),
        *(Login(f"{who}@{DOMAIN}", str(purpose)) for who, _name, purpose in STAFF.values()),
        *(
            Login(f"{seller.slug}@{DOMAIN}", _("sells as %(name)s") % {"name": seller.name})
            for seller in sellers
        ),
        *(
            Login(f"{who}@{DOMAIN}", purpose % {"name": seller.name})
            for seller in sellers[:1]
            for who, _name, purpose in HELPERS.values()
        ),
        Login(f"shopper@{DOMAIN}", _("buys")),
    ]


@own_transaction
def make_logins(sellers: Iterable[Seller]) -> None:
    """Make the demo logins that are missing. Raises `NoDemoLogins` in production."""
    if settings.IS_PRODUCTION:
        raise NoDemoLogins(_("Demo logins have a known password, so a real shop gets none."))
    _make_person(f"admin@{DOMAIN}", name="Alex Admin", is_staff=True, is_superuser=True)
    for role, (who, name, _purpose) in STAFF.items():
        person = _make_person(f"{who}@{DOMAIN}", name=name, is_staff=True)
        staff.give_role(person, role, by=None, door=AuditEntry.Door.COMMAND)
    sellers = _sort(sellers)
    for seller in sellers:
        owner = _make_person(f"{seller.slug}@{DOMAIN}", name=seller.name, is_staff=True)
        _make_member(seller, owner, SellerMember.Role.OWNER)
    for seller in sellers[:1]:
        for place, (who, name, _purpose) in HELPERS.items():
            person = _make_person(f"{who}@{DOMAIN}", name=name, is_staff=True)
            _make_member(seller, person, place)
    _make_person(f"shopper@{DOMAIN}", name="Sam Shopper")


def _sort(sellers: Iterable[Seller]) -> list[Seller]:
    return sorted(sellers, key=lambda seller: seller.name)


def _make_member(seller: Seller, person: User, role: SellerMember.Role) -> None:
    SellerMember.objects.get_or_create(seller=seller, user=person, defaults={"role": role})


def _make_person(email: str, *, name: str, **rights: bool) -> User:
    user = User.objects.filter(email__iexact=email).first()
    if user is None:
        user = User.objects.create_user(email, PASSWORD, name=name, **rights)
    EmailAddress.objects.get_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )
    return user
