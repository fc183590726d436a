"""Who may do what: the one place with every role, what it is for, and the rules that go by object.

Shop staff are groups with Django's permissions, named as text because the models live on upper
floors; `accounts.services.staff` lays the groups down whenever `migrate` has run. Sellers' people
have a role at each seller they work for, and rights there alone. Whoever has a role in the shop acts
for the shop, also when they work for a seller besides. docs/roles.md shows it as tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import AnonymousUser, Group, Permission
from django.db.models import Exists, OuterRef, Q, QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.models import Seller, SellerMember, User

Role = SellerMember.Role


# Sellers' people ----------------------------------------------------------------------------------


class Right(TextChoices):
    """What somebody may do for a seller."""

    LOOK = "look", _("see products, stock, reviews and the seller's page")
    SHIP = "ship", _("pack, ship and mark as delivered")
    SEE_MONEY = "see_money", _("see prices paid, costs and sales")
    EDIT_PRODUCTS = "edit_products", _("edit products and prices, import and export them")
    COUNT_STOCK = "count_stock", _("count and correct stock")
    ANSWER_REVIEWS = "answer_reviews", _("answer reviews")
    TELL_STORY = "tell_story", _("edit the seller's page")
    MANAGE_MEMBERS = "manage_members", _("say who works for the seller, and read who changed what")


SELLER_RIGHTS: Mapping[str, frozenset[Right]] = {
    Role.PACKER: frozenset({Right.LOOK, Right.SHIP}),
    Role.MANAGER: frozenset(Right) - {Right.MANAGE_MEMBERS},
    Role.OWNER: frozenset(Right),
}


def has_right(role: str, right: Right) -> bool:
    """Say whether a role at a seller includes a right; a role nobody knows includes none."""
    return right in SELLER_RIGHTS.get(role, frozenset())


def find_seller_roles(user: User | AnonymousUser) -> dict[int, str]:
    """Return for which sellers somebody works, and as what; empty for whoever works for the shop."""
    if not (isinstance(user, User) and user.is_active and user.is_staff) or user.is_superuser:
        return {}
    of_the_shop = Group.objects.filter(user=OuterRef("user_id"), name__in=StaffRole.values)
    rows = SellerMember.objects.filter(~Exists(of_the_shop), user=user)
    return dict(rows.values_list("seller_id", "role"))


def may_manage_members(user: User, seller: Seller) -> bool:
    """Say whether somebody decides who works for a seller: its owners, and who may in the shop."""
    if not user.is_active:
        return False
    role = find_seller_roles(user).get(seller.pk)
    if role is not None:
        return has_right(role, Right.MANAGE_MEMBERS)
    return works_for_the_shop(user) and user.has_perm("accounts.change_sellermember")


def works_for_the_shop(user: User) -> bool:
    """Say whether Django's permissions count for somebody: sellers' people have their role alone."""
    if user.is_superuser or user.groups.filter(name__in=StaffRole.values).exists():
        return True
    return not user.seller_memberships.exists()


# Shop staff ---------------------------------------------------------------------------------------


class StaffRole(TextChoices):
    """The names of the groups, as they stand in the database."""

    SUPPORT = "Support", _("Support")
    CATALOGUE = "Catalogue", _("Catalogue")
    FINANCE = "Finance", _("Finance")
    OWNER = "Shop owner", _("Shop owner")


EVERYTHING = "everything"
KEEP = "view add change delete"
STAFF_RIGHTS: Mapping[StaffRole, Mapping[str, str]] = {
    StaffRole.SUPPORT: {
        "orders.order": "view change",
        "orders.sellerorder": "view",
        "accounts.user": "view impersonate",
        "account.emailaddress": "view",
        "accounts.seller": "view",
        "catalog.product": "view",
        "catalog.stocklevel": "view",
        "catalog.stockmovement": "view",
        "catalog.review": "view",
        "cart.shippingzone": "view",
        "cart.shippingmethod": "view",
        "shop.mail": "view change",
    },
    StaffRole.CATALOGUE: {
        "catalog.product": KEEP,
        "catalog.productimage": KEEP,
        "catalog.productvariant": KEEP,
        "catalog.productrelation": KEEP,
        "catalog.option": KEEP,
        "catalog.attribute": KEEP,
        "catalog.attributevalue": KEEP,
        "catalog.category": KEEP,
        "catalog.collection": KEEP,
        "catalog.collectionitem": KEEP,
        "catalog.synonym": KEEP,
        "catalog.review": "view change delete",
        "catalog.stocklevel": "view change",
        "catalog.stockmovement": "view",
        "catalog.imageasset": "view",
        "catalog.searchrecord": "view",
        "accounts.seller": "view",
    },
    StaffRole.FINANCE: {
        "orders.order": "view change refund",
        "orders.sellerorder": "view",
        "payments.paymentattempt": "view",
        "payments.paymenttransaction": "view",
        "payments.refund": "view",
        "payments.dispute": "view change",
        "payments.providerevent": "view",
        "payments.reconciliationbreak": "view change",
        "payments.offlinemovement": "view add",
        "shop.taxclass": KEEP,
        "shop.taxrate": KEEP,
        "accounts.seller": "view",
    },
    # All of the shop's own apps, and who has which address and which group.
    StaffRole.OWNER: {
        "shop": EVERYTHING,
        "accounts": EVERYTHING,
        "account": EVERYTHING,
        "catalog": EVERYTHING,
        "cart": EVERYTHING,
        "payments": EVERYTHING,
        "orders": EVERYTHING,
        "auth.group": "view",
    },
}


def list_permissions(role: StaffRole, app_label: str) -> QuerySet[Any]:
    """Return the permissions on one app's models that a role has."""
    of_app = Permission.objects.filter(content_type__app_label=app_label)
    rights = STAFF_RIGHTS[role]
    if rights.get(app_label) == EVERYTHING:
        return of_app
    codenames = {
        (label.partition(".")[2], f"{action}_{label.partition('.')[2]}")
        for label, actions in rights.items()
        if label.startswith(f"{app_label}.")
        for action in actions.split()
    }
    found = [
        row.pk
        for row in of_app.select_related("content_type")
        if (row.content_type.model, row.codename) in codenames
    ]
    return Permission.objects.filter(pk__in=found)


def may_give(user: User, group: Group) -> bool:
    """Say whether somebody may give or take a group: nobody hands out more than they have."""
    if not user.is_active:
        return False
    if user.is_superuser:
        return True
    rights = group.permissions.values_list("content_type__app_label", "codename")
    return user.has_perm("accounts.change_user") and all(
        user.has_perm(f"{app}.{codename}") for app, codename in rights
    )


def may_change_person(user: User, person: User) -> bool:
    """Say whether somebody may change a person: nobody reaches up to who may do more."""
    if not (user.is_active and user.has_perm("accounts.change_user")):
        return False
    if user.is_superuser:
        return True
    return not person.is_superuser and _list_rights(person) <= user.get_all_permissions()


def _list_rights(person: User) -> set[str]:
    """List what somebody may do or could do again, once their account is active."""
    found = Permission.objects.filter(Q(group__user=person) | Q(user=person))
    names = found.values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in names}


def may_look_as(user: User, person: User) -> bool:
    """Say whether somebody may look at the shop as a person: only ever as a shopper."""
    return (
        user.is_active
        and user.is_staff
        and works_for_the_shop(user)
        and user.has_perm("accounts.impersonate_user")
        and is_a_shopper(person)
    )


def is_a_shopper(person: User) -> bool:
    """Say whether somebody only buys: no rights in the admin, in the shop or at a seller."""
    return (
        person.is_active
        and not (person.is_staff or person.is_superuser)
        and not person.groups.exists()
        and not person.user_permissions.exists()
        and not person.seller_memberships.exists()
    )


def list_keepers() -> QuerySet[User]:
    """Return who could let everybody else in again: active shop owners and superusers."""
    owns = Group.objects.filter(user=OuterRef("pk"), name=StaffRole.OWNER.value)
    active = User.objects.filter(is_active=True)
    return active.filter(is_superuser=True) | active.filter(Exists(owns), is_staff=True)
