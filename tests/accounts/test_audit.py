"""The trail: every change of a role or price with who, before and after; nobody can change it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, SellerMember, User
from accounts.roles import StaffRole
from accounts.services import audit
from catalog.models import ProductVariant
from shop.models import TaxRate
from tests.admin_forms import address, sign_in, submit
from tests.factories.accounts import SellerFactory, SellerMemberFactory, StaffFactory, UserFactory
from tests.factories.catalog import TaxClassFactory, VariantFactory

pytestmark = pytest.mark.django_db
LIST = "/admin/accounts/auditentry/"


@pytest.fixture
def boss() -> User:
    return UserFactory(is_staff=True, is_superuser=True)


def latest(kind: str) -> AuditEntry:
    return AuditEntry.objects.filter(kind=kind).latest("pk")


def told(entry: AuditEntry) -> tuple[Any, ...]:
    return entry.door, entry.actor_id, entry.before, entry.after


# What is written ----------------------------------------------------------------------------------


def test_a_role_given_in_the_admin_is_written_down_with_who_gave_it(boss: User) -> None:
    person = UserFactory()
    support = Group.objects.get(name=StaffRole.SUPPORT.value)

    submit(sign_in(boss), address("accounts_user", "change", person.pk), groups=[support.pk])

    entry = latest("group")
    assert told(entry) == ("admin", boss.pk, None, {"group": "Support"})
    assert (entry.person_id, entry.subject) == (person.pk, f"user:{person.pk}")
    door = latest("rights")
    assert (door.before["is_staff"], door.after["is_staff"]) == (False, True)


def test_a_role_at_a_seller_is_written_down_with_before_and_after() -> None:
    owner = SellerMemberFactory(role="owner")
    member = SellerMemberFactory(seller=owner.seller, role="packer")

    submit(sign_in(owner.user), address("accounts_sellermember", "change", member.pk),
           role="manager")  # fmt: skip

    entry = latest("member")
    assert told(entry) == ("admin", owner.user_id, {"role": "packer"}, {"role": "manager"})
    assert (entry.person_id, entry.seller_id) == (member.user_id, owner.seller_id)


def test_a_price_changed_in_the_admin_is_written_down(boss: User) -> None:
    variant = VariantFactory(price=Decimal("24.00"))
    page = address("catalog_product", "change", variant.product_id)

    submit(sign_in(boss), page, variants__0__price="19.00")

    entry = latest("price")
    assert (entry.door, entry.actor_id, entry.subject) == (
        "admin",
        boss.pk,
        f"variant:{variant.pk}",
    )
    assert (entry.before["price"], entry.after["price"]) == (24, 19)
    assert entry.seller_id == variant.product.seller_id


def test_prices_changed_on_one_page_are_written_down_with_their_note(boss: User) -> None:
    from catalog.services import bulk_editing
    from catalog.services.bulk_editing import Edit, Numbers

    variant = VariantFactory(price=Decimal("24.00"))
    seen = Numbers(Decimal("24.00"), None, None)
    edit = Edit(variant.pk, seen, Numbers(Decimal("20.00"), Decimal("24.00"), None))

    bulk_editing.save([edit], among=None, cause="counted", note="summer", actor=boss)

    entry = latest("price")
    assert told(entry) == (
        "admin",
        boss.pk,
        {"price": 24, "compare_at_price": None},
        {"price": 20, "compare_at_price": 24},
    )
    assert entry.reason == "summer"


@pytest.mark.breaks_invariants
def test_sql_by_hand_is_written_down_too() -> None:
    variant = VariantFactory(price=Decimal("24.00"))
    member = SellerMemberFactory(role="packer")

    with connection.cursor() as cursor:
        cursor.execute("UPDATE catalog_productvariant SET price = 1 WHERE id = %s", [variant.pk])
        cursor.execute("UPDATE accounts_sellermember SET role = 'owner' WHERE id = %s", [member.pk])
        cursor.execute("UPDATE accounts_user SET is_superuser = true WHERE id = %s",
                       [member.user_id])  # fmt: skip

    assert (latest("price").door, latest("price").after["price"]) == ("database", 1)
    assert told(latest("member")) == ("database", None, {"role": "packer"}, {"role": "owner"})
    assert latest("rights").after["is_superuser"] is True


def test_a_signature_ends_with_its_transaction(boss: User) -> None:
    with transaction.atomic():
        audit.sign(boss, door=AuditEntry.Door.ADMIN, reason="because")
        SellerMemberFactory(role="owner")
        transaction.set_rollback(True)

    SellerMemberFactory(role="owner")

    assert not AuditEntry.objects.filter(kind="member", actor=boss).exists()


def test_rights_given_alone_and_rights_of_a_group_are_written_down() -> None:
    person, group = UserFactory(), Group.objects.create(name="Interns")
    permission = Permission.objects.get(codename="view_order")

    person.user_permissions.add(permission)
    group.permissions.add(permission)

    assert latest("rights").after == {"permission": "view_order"}
    assert latest("group_rights").after == {"group": "Interns", "permission": "view_order"}


def test_second_factors_are_written_down_without_their_secret(boss: User) -> None:
    person = UserFactory()
    Authenticator.objects.create(user=person, type="totp", data={"secret": "JBSWY3DP"})
    page = f"/admin/accounts/user/{person.pk}/reset-second-factors/"
    browser = sign_in(boss)

    browser.post(page)
    assert Authenticator.objects.exists()
    browser.post(page, {"reason": "Lost the phone, called back"})

    assert not Authenticator.objects.exists()
    entry = latest("second_factor")
    assert told(entry) == ("admin", boss.pk, {"type": "totp"}, None)
    assert entry.reason == "Lost the phone, called back"
    assert "JBSWY3DP" not in str(list(AuditEntry.objects.values()))


def test_a_tax_rate_changed_in_the_admin_is_written_down(boss: User) -> None:
    rate = TaxRate.objects.create(tax_class=TaxClassFactory(), country="DE", percent=19)

    submit(sign_in(boss), address("shop_taxrate", "change", rate.pk), percent="7")

    entry = latest("tax")
    assert (entry.door, entry.actor_id) == ("admin", boss.pk)
    assert (entry.before["percent"], entry.after["percent"]) == (19, 7)


def test_a_file_taken_out_is_written_down(boss: User) -> None:
    VariantFactory()

    b"".join(sign_in(boss).get("/admin/catalog/product/export/"))

    assert told(latest("export")) == (
        "admin", boss.pk, None, {"format": "emporium", "products": "all"},
    )  # fmt: skip


def test_an_erased_person_leaves_a_number_and_nothing_stands_in_the_way(boss: User) -> None:
    person = SellerMemberFactory(role="packer").user
    number = person.pk

    sign_in(boss).post(address("accounts_user", "delete", number), {"post": "yes"})

    assert not User.objects.filter(pk=number).exists()
    assert latest("member").person_id == number
    assert sign_in(boss).get(LIST).status_code == 200
    assert person.email not in str(list(AuditEntry.objects.values()))


# Nobody changes it --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_auditentry SET reason = 'nothing happened'",
        "UPDATE accounts_auditentry SET actor_id = NULL",
        "DELETE FROM accounts_auditentry",
    ],
)
def test_no_row_is_ever_changed_or_deleted(statement: str) -> None:
    SellerMemberFactory()
    before = list(AuditEntry.objects.values())

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute(statement)

    assert list(AuditEntry.objects.values()) == before


def test_nobody_writes_it_in_the_admin(boss: User) -> None:
    SellerMemberFactory()
    entry = AuditEntry.objects.latest("pk")
    browser = sign_in(boss)

    assert browser.get(address("accounts_auditentry", "add")).status_code == 403
    assert browser.post(address("accounts_auditentry", "change", entry.pk)).status_code == 403
    assert browser.post(address("accounts_auditentry", "delete", entry.pk)).status_code == 403


# Who reads it -------------------------------------------------------------------------------------


def test_a_sellers_owner_reads_what_is_about_their_seller_alone() -> None:
    owner = SellerMemberFactory(role="owner", seller=SellerFactory(name="Aster"))
    SellerMemberFactory(role="owner", user__email="else@example.com")
    SellerMemberFactory(role="packer", seller=owner.seller, user__email="paula@example.com")

    page = sign_in(owner.user).get(LIST).content.decode()

    assert "paula@example.com" in page
    assert "else@example.com" not in page


@pytest.mark.breaks_invariants
def test_the_trail_is_found_by_object_and_by_person(boss: User) -> None:
    VariantFactory(price=Decimal(5))
    variant = ProductVariant.objects.get()
    ProductVariant.objects.update(price=Decimal(6))
    member = SellerMemberFactory(user__email="paula@example.com")
    browser = sign_in(boss)

    by_object = browser.get(LIST, {"q": f"variant:{variant.pk}"}).context["cl"].result_list
    by_person = browser.get(LIST, {"q": "paula@example.com"}).context["cl"].result_list

    assert [entry.kind for entry in by_object] == ["price"]
    assert {entry.person_id for entry in by_person} == {member.user_id}


def test_the_list_takes_as_many_statements_for_many_rows_as_for_few(boss: User) -> None:
    browser = sign_in(boss)
    SellerMemberFactory()
    browser.get(LIST)
    with CaptureQueriesContext(connection) as few:
        browser.get(LIST)
    SellerMember.objects.all()
    SellerMemberFactory.create_batch(4)
    StaffFactory.create_batch(3)

    with CaptureQueriesContext(connection) as many:
        browser.get(LIST)

    assert len(many) == len(few)
