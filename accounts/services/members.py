"""Who works for a seller: taken in by email, given another role, let go; one owner always stays."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.errors import LastOwner, RoleRefused
from accounts.member_emails import render_joined
from accounts.models import AuditEntry, Seller, SellerMember, User
from accounts.roles import may_manage_members
from accounts.services import audit, staff
from shop.services import mailer
from shop.transactions import inside_transaction

Role = SellerMember.Role


@inside_transaction
def add(seller: Seller, email: str, role: str, *, by: User) -> SellerMember:
    """Take somebody in by their address; whoever has no account gets one without a password.

    They get a mail that says so, the same for both, and nothing else tells who had an account.
    Raises `RoleRefused`. Locks the seller.
    """
    _lock(seller, by)
    person = User.objects.filter(email__iexact=email.strip()).first()
    if person is None:
        person = User.objects.create_user(email)
    if SellerMember.objects.filter(seller=seller, user=person).exists():
        raise RoleRefused(_("%(email)s works for this seller already.") % {"email": person.email})
    member = SellerMember.objects.create(seller=seller, user=person, role=role)
    staff.follow_roles([person])
    mailer.queue_rendered(
        render_joined(member),
        kind="accounts.joined",
        reference=f"member:{member.pk}",
        recipient=person.email,
    )
    return member


@inside_transaction
def change_role(member: SellerMember, role: str, *, by: User) -> None:
    """Give somebody another role. Raises `RoleRefused`, `LastOwner`. Locks the seller."""
    _lock(member.seller, by)
    if role != Role.OWNER:
        _keep_an_owner(member)
    SellerMember.objects.filter(pk=member.pk).update(role=role)
    member.role = role


@inside_transaction
def remove(member: SellerMember, *, by: User) -> None:
    """Let somebody go. Raises `RoleRefused`, `LastOwner`. Locks the seller."""
    _lock(member.seller, by)
    _keep_an_owner(member)
    person = member.user
    member.delete()
    staff.follow_roles([person])


def make_sure_owners_stay(person: User) -> None:
    """Refuse to let somebody go who is a seller's only owner. Raises `LastOwner`."""
    for member in SellerMember.objects.filter(user=person).select_related("seller"):
        _keep_an_owner(member)


def is_last_owner(member: SellerMember) -> bool:
    """Say whether nobody else could say who works for the seller."""
    is_owner = SellerMember.objects.filter(pk=member.pk, role=Role.OWNER).exists()
    others = SellerMember.objects.filter(
        seller=member.seller_id, role=Role.OWNER, user__is_active=True
    ).exclude(pk=member.pk)
    return is_owner and not others.exists()


def _lock(seller: Seller, by: User) -> None:
    """Let one change at a time through, so that two owners cannot remove each other at once."""
    locked = Seller.objects.select_for_update().get(pk=seller.pk)
    if not may_manage_members(by, locked):
        raise RoleRefused(_("Only the seller's owners say who works there."))
    audit.sign(by, door=AuditEntry.Door.ADMIN)


def _keep_an_owner(member: SellerMember) -> None:
    if is_last_owner(member):
        raise LastOwner(
            _("Every seller has an owner: make somebody else one first, then change this.")
        )
