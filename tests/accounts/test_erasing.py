"""Somebody is erased: nothing is left of them but what the law has the shop keep."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db.models import Sum
from django.test import Client

from accounts.archive import LABELS, make_safe_name
from accounts.errors import ErasureRefused
from accounts.models import SellerMember, User
from accounts.person import find_person, person_of
from accounts.privacy import list_holdings
from accounts.services import erasing, exporting
from accounts.services.people import FORMER_STAFF
from catalog.models import Product, Review
from orders.access import make_key
from orders.models import LedgerEntry, Order, OrderAddress
from orders.services import cancellation, notices, payment
from payments.models import Refund
from payments.services import customers, listing
from payments.simulator.running import Simulator
from shop import invariants
from shop.models import Mail
from tests.accounts import canary as canaries
from tests.accounts.canary import EMAIL, MARKS, NAME, SECOND_EMAIL, STREET, find_marks, make_canary
from tests.factories.accounts import SellerMemberFactory, StaffFactory, UserFactory
from tests.factories.catalog import ReviewFactory, VariantFactory
from tests.factories.orders import place_order
from tests.journeys.shopper import session_of
from tests.orders.test_expiry import expire_and_pay_late, hear_of_it, newest_session
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db
KEPT = {"orders_orderaddress"}


@pytest.fixture(autouse=True)
def _no_fault_is_left_behind(simulator: Simulator) -> Iterator[None]:
    yield
    simulator.provider.faults.clear()


def read_copy(person: Any) -> tuple[dict[str, Any], dict[str, str]]:
    file = BytesIO()
    exporting.write(person, file)
    with zipfile.ZipFile(file) as archive:
        files = {name: archive.read(name).decode() for name in archive.namelist()}
    return json.loads(files["data.json"]), files


def test_nothing_is_left_but_the_invoice_and_the_books_are_as_before(simulator: Simulator) -> None:
    canary = make_canary(simulator)
    sums = LedgerEntry.objects.values_list("account").annotate(Sum("amount")).order_by("account")
    before, books = find_marks(), list(sums)
    customer = canary.user.pk and customers.list_cards(canary.user)
    total, rating = canary.paid.total, Product.objects.filter(rating__isnull=False).count()
    held_tables = {_table_of(each.model) for each in list_holdings() if each.fields}
    silent = {  # What a table says of them is a number, or belongs to the staff.
        *("account_emailconfirmation", "accounts_user_groups", "accounts_user_user_permissions"),
        *(
            "accounts_auditentry",
            "accounts_sellermember",
            "accounts_seller",
            "catalog_stockmovement",
            "cart_cart",
        ),
        *("cart_cartitem", "catalog_importrun", "catalog_helpfulvote", "catalog_imageasset"),
        *("catalog_wishlistitem", "catalog_reviewphoto", "orders_orderline", "payments_dispute"),
        *("payments_offlinemovement", "payments_paymenttransaction", "accounts_datacopy"),
    }
    assert held_tables - silent <= before.keys()

    run = erasing.erase(person_of(canary.user), language="en")
    goodbye = Mail.objects.get(kind=Mail.LAST)
    assert (goodbye.recipient, goodbye.subject) == (EMAIL, "Your account is erased – Emporium")
    deliver_outbox()

    assert find_marks().keys() <= KEPT
    (kept,) = find_marks()["orders_orderaddress"]
    assert NAME in kept
    assert STREET in kept
    assert canaries.PHONE not in kept
    assert run.rows["orders.Order"] == 3
    assert list(sums) == books
    assert invariants.find_violations() == []
    paid = Order.objects.get(pk=canary.paid.pk)
    assert (paid.total, paid.user, paid.email, paid.forgotten_at) == (total, None, "", None)
    assert paid.erased_at
    assert set(OrderAddress.objects.values_list("country", flat=True)) == {"DE"}
    assert Product.objects.filter(rating__isnull=False).count() == rating - 1
    assert list(Review.objects.values_list("helpful_count", flat=True)) == [0]
    assert not any(default_storage.exists(name) for name in canary.files)
    assert default_storage.exists("images/5eed01234-8.jpg")
    assert customer
    assert all(
        simulator.provider.store.get("payment_method", card.card_id)["customer"] is None  # type: ignore[index]
        for card in customer
    )
    assert Session.objects.count() == 1
    assert LogEntry.objects.get(object_repr="a mug").user.email == FORMER_STAFF
    assert not User.objects.get(email=FORMER_STAFF).is_active
    kept_in_memory = str(getattr(cache, "_cache", "")).lower()
    assert not any(mark in kept_in_memory for mark in MARKS)


def _table_of(label: str) -> str:
    for model in apps.get_models(include_auto_created=True):
        if model._meta.label == label:
            return str(model._meta.db_table)
    raise LookupError(label)


def test_the_copy_holds_all_of_it_and_nothing_of_anybody_else(simulator: Simulator) -> None:
    canary = make_canary(simulator)
    other = UserFactory(name="Bertha Bystander", email="bystander@example.com")
    theirs = place_order(VariantFactory(stock=1), user=other)
    Order.objects.filter(pk=theirs.pk).update(email=EMAIL)  # They typed a stranger's address.
    Mail.objects.create(
        kind="orders.payment_waiting", reference=theirs.number, recipient=EMAIL, language="en",
        subject="Dear Bystander", text="to Bystanderstrasse",
    )  # fmt: skip
    ReviewFactory(email="bystander@example.com", name="Bystander")

    document, files = read_copy(person_of(canary.user))

    declared = {each.section for each in list_holdings()} - {"", "work", "provider-messages"}
    assert declared <= document.keys()
    assert [order["number"] for order in document["orders"]] == [
        canary.paid.number, canary.unpaid.number, canary.guest_order.number
    ]  # fmt: skip
    assert document["orders"][0]["addresses"][0]["street"] == STREET
    assert document["orders"][0]["payments"][0]["refunds"][0]["reason"] == "Canary complained"
    assert document["reviews"][0]["text"] == "My canary drinks of it."
    assert document["sessions"][0]["typed"][0]["phone"] == canaries.PHONE
    assert "provider-messages.json" in files
    assert any(name.startswith("photos/review-") for name in files)
    everything = json.dumps(document) + "".join(files.values())
    assert "ystander" not in everything
    assert theirs.number not in everything
    assert "canary-token" not in everything
    assert "person-" not in everything  # the staff who wrote of them
    assert STREET in files["index.html"]
    assert "style.css" in files
    staff = {*User.objects.filter(is_staff=True).values_list("email", flat=True)}
    assert not any(email in everything for email in staff)


def test_every_word_beside_a_value_is_a_label(simulator: Simulator) -> None:
    document, _files = read_copy(person_of(make_canary(simulator).user))

    def list_keys(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, below in value.items():
                yield key
                if isinstance(below, list):
                    yield from list_keys(below)
        elif isinstance(value, list):
            for each in value:
                yield from list_keys(each)

    sections = [rows for rows in document.values() if isinstance(rows, list)]
    assert {key for rows in sections for key in list_keys(rows)} <= LABELS.keys()


def test_what_somebody_typed_is_no_markup_in_their_copy() -> None:
    user = UserFactory(name="<script>alert(1)</script>", email="ada@example.com")

    _document, files = read_copy(person_of(user))

    assert "<script" not in files["index.html"]
    assert "&lt;script&gt;" in files["index.html"]


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("a\\b\0.jpg", "a-b-.jpg"),
        ("photos/ü 1.jpg", "photos/-1.jpg"),
    ],
)
def test_no_name_in_a_copy_leads_out_of_its_folder(name: str, safe: str) -> None:
    assert make_safe_name(name) == safe


def test_an_address_that_was_never_proven_opens_nobodys_orders() -> None:
    order = place_order(VariantFactory(stock=1))
    nosy = UserFactory(email=order.email)

    document, _files = read_copy(person_of(nosy))

    assert "orders" not in document


def test_erasing_again_finds_nothing_and_does_no_harm(simulator: Simulator) -> None:
    canary = make_canary(simulator)
    person = person_of(canary.user)
    erasing.erase(person)
    deliver_outbox()
    left = canaries.dump()

    run = erasing.erase(person)
    deliver_outbox()

    assert not run.rows
    tables = {name for name, rows in canaries.dump().items() if rows != left[name]}
    assert tables <= {"shop_outboxmessage"}


def test_a_rehearsal_counts_and_changes_nothing(simulator: Simulator) -> None:
    make_canary(simulator)
    before, said = canaries.dump(), StringIO()

    call_command("erase_person", EMAIL, stdout=said)

    assert canaries.dump() == before
    assert "3 orders.Order: kept" in said.getvalue()
    assert "Run it again with --yes" in said.getvalue()


def test_a_guest_gets_a_copy_and_is_erased_by_command(tmp_path: Path) -> None:
    order = place_order(VariantFactory(stock=1))
    Order.objects.filter(pk=order.pk).update(email="Guest.Canary@example.com")
    cancellation.cancel_unpaid(order, by=None)
    file, said = tmp_path / "guest.zip", StringIO()

    call_command("export_person", "guest.canary@example.com", "--to", str(file), stdout=said)
    with zipfile.ZipFile(file) as archive:
        document = json.loads(archive.read("data.json"))
    with pytest.raises(CommandError, match="there already"):
        call_command("export_person", "guest.canary@example.com", "--to", str(file))
    call_command("erase_person", "guest.canary@example.com", "--yes", stdout=said)
    deliver_outbox()

    assert [each["number"] for each in document["orders"]] == [order.number]
    assert file.stat().st_mode & 0o077 == 0
    order.refresh_from_db()
    assert order.email == ""
    assert order.forgotten_at
    assert find_marks() == {}
    with pytest.raises(CommandError, match="Nothing is kept"):
        call_command("export_person", "guest.canary@example.com", "--to", str(tmp_path / "2.zip"))
    assert not (tmp_path / "2.zip").exists()


def pending(simulator: Simulator, user: User) -> str:
    place_order(VariantFactory(stock=1), user=user)
    return "waits for its payment"


def paid(simulator: Simulator, user: User) -> Order:
    order = place_order(VariantFactory(stock=1), user=user)
    payment.start(order)
    simulator.approve(session_of(order))
    payment.check(order)
    deliver_outbox()
    order.refresh_from_db()
    return order


def not_shipped(simulator: Simulator, user: User) -> str:
    paid(simulator, user)
    return "is not shipped yet"


def refund_on_its_way(simulator: Simulator, user: User) -> str:
    cancellation.cancel(paid(simulator, user), by=StaffFactory(), reason="broken")
    return "is still on its way"


def disputed(simulator: Simulator, user: User) -> str:
    order = paid(simulator, user)
    Order.objects.filter(pk=order.pk).update(fulfilment_status="fulfilled")
    simulator.open_dispute(session_of(order), webhook="never")
    listing.list_everywhere()
    deliver_outbox()
    Order.objects.filter(pk=order.pk).update(fulfilment_status="unfulfilled")
    return "a bank is looking into it"


def last_owner(simulator: Simulator, user: User) -> str:
    SellerMemberFactory(user=user, role=SellerMember.Role.OWNER, seller__name="Clay & Co")
    return "You are the only owner of Clay & Co"


def member(simulator: Simulator, user: User) -> str:
    membership = SellerMemberFactory(role=SellerMember.Role.OWNER, seller__name="Clay & Co")
    SellerMemberFactory(user=user, seller=membership.seller, role=SellerMember.Role.OWNER)
    return "You work for Clay & Co"


def staff(simulator: Simulator, user: User) -> str:
    User.objects.filter(pk=user.pk).update(is_staff=True)
    return "You work in the shop's admin"


@pytest.mark.parametrize(
    "hinder",
    [pending, not_shipped, refund_on_its_way, disputed, last_owner, member, staff],
    ids=lambda hinder: hinder.__name__,
)
def test_what_is_not_over_stands_in_the_way(simulator: Simulator, hinder: Any) -> None:
    user = UserFactory()
    words = hinder(simulator, user)
    before = canaries.dump()

    with pytest.raises(ErasureRefused) as refusal:
        erasing.erase(person_of(user))

    assert any(words in obstacle for obstacle in refusal.value.obstacles)
    assert canaries.dump() == before
    assert any(words in obstacle for obstacle in erasing.list_obstacles(person_of(user)))


def test_the_order_of_an_erased_person_is_shown_to_nobody_and_told_of_to_nobody(
    simulator: Simulator,
) -> None:
    canary = make_canary(simulator)
    erasing.erase(person_of(canary.user))
    deliver_outbox()
    mails = Mail.objects.count()

    key = make_key(canary.paid.number)
    page = Client().get(f"/orders/{canary.paid.number}/?key={key}", follow=True)
    notices.write(canary.paid.pk, kind="delivered", about="")

    assert page.status_code == 404
    assert Mail.objects.count() == mails


def test_late_money_for_a_forgotten_order_goes_back_in_silence(simulator: Simulator) -> None:
    user = UserFactory()
    order = place_order(VariantFactory(stock=3), user=user)
    expire_and_pay_late(simulator, order)
    erasing.erase(person_of(user))
    mails = Mail.objects.count()

    hear_of_it(simulator, newest_session(simulator))
    deliver_outbox()

    order.refresh_from_db()
    assert (order.status, order.email) == (Order.Status.EXPIRED, "")
    assert Refund.objects.get().status == Refund.Status.SUCCEEDED
    assert Mail.objects.count() == mails


def test_find_person_knows_an_account_by_any_address_it_has_proven(simulator: Simulator) -> None:
    canary = make_canary(simulator)

    person = find_person(SECOND_EMAIL.upper())

    assert person.user_id == canary.user.pk
    assert person.emails == {EMAIL, SECOND_EMAIL}
