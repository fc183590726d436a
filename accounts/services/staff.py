"""The shop's own people: laying the roles down, and never locking the shop's owners out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.contrib.auth.models import Group
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import LastOwner
from accounts.models import User
from accounts.roles import StaffRole, list_keepers, list_permissions
from accounts.services import audit
from shop.transactions import inside_transaction

if TYPE_CHECKING:
    from accounts.models import AuditEntry


def lay_down_roles(app_label: str) -> None:
    """Give each role exactly its rights on an app's models; again changes nothing.

    Runs when `migrate` has made the app's permissions. Other groups are the shop's own matter.
    """
    with transaction.atomic():
        audit.leave_out()
        for role in StaffRole:
            group, _is_new = Group.objects.get_or_create(name=role.value)
            wanted = set(list_permissions(role, app_label).values_list("pk", flat=True))
            of_app = group.permissions.filter(content_type__app_label=app_label)
            had = set(of_app.values_list("pk", flat=True))
            group.permissions.remove(*had - wanted)
            group.permissions.add(*wanted - had)


lay_down_roles.transaction_mark = "own"  # type: ignore[attr-defined]  # `migrate` may have one open.


@inside_transaction
def lock_keepers() -> None:
    """Make whoever else changes who owns the shop wait. Locks the group of owners."""
    list(Group.objects.select_for_update().filter(name=StaffRole.OWNER.value))


@inside_transaction
def make_sure_somebody_owns_the_shop() -> None:
    """Refuse what would leave nobody who lets the others in. Raises `LastOwner`."""
    if not list_keepers().exists():
        raise LastOwner(
            _("Somebody must be able to let the others in: first make another person shop owner.")
        )


@inside_transaction
def follow_roles(people: Iterable[User]) -> None:
    """Let in to the admin who has a role in the shop or at a seller, and nobody for having had one."""
    for person in people:
        has_role = (
            person.is_superuser
            or person.groups.exists()
            or person.user_permissions.exists()
            or person.seller_memberships.exists()
        )
        if person.is_staff != has_role:
            User.objects.filter(pk=person.pk).update(is_staff=has_role)
            person.is_staff = has_role


@inside_transaction
def give_role(person: User, role: StaffRole, *, by: User | None, door: AuditEntry.Door) -> None:
    """Give somebody a role in the shop, and let them into the admin."""
    audit.sign(by, door=door)
    person.groups.add(Group.objects.get(name=role.value))
    follow_roles([person])
