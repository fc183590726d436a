from __future__ import annotations

import pytest
from django.db import transaction

from accounts.models import SellerMember
from catalog.models import ProductVariant, StockLevel
from catalog.services import publishing, stock
from tests.admin_forms import address, errors, sign_in, submit
from tests.catalog.records import FIRST_COUNT, vase
from tests.factories.accounts import SellerFactory, SellerMemberFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def level() -> StockLevel:
    """A shelf with 5 vases."""
    publishing.save_product(vase(), seller=SellerFactory(), stock_taking=FIRST_COUNT)
    return StockLevel.objects.get()


def page(level: StockLevel) -> str:
    return address("catalog_stocklevel", "change", level.pk)


def test_counting_the_shelf_books_who_and_why(level: StockLevel) -> None:
    boss = UserFactory(is_staff=True, is_superuser=True)

    answer = submit(sign_in(boss), page(level), counted="12", reason="delivery of 12 May")

    assert answer.status_code == 302, errors(answer)
    level.refresh_from_db()
    movement = level.movements.first()
    assert level.on_hand == 12
    assert (movement.kind, movement.on_hand_change) == ("receipt", 7)
    assert (movement.reason, movement.actor) == ("delivery of 12 May", boss)


def test_count_without_a_reason_is_refused(level: StockLevel) -> None:
    answer = submit(sign_in(), page(level), counted="12", reason="")

    assert errors(answer) == ["This field is required."]
    level.refresh_from_db()
    assert level.on_hand == 5


@pytest.mark.breaks_invariants
def test_shelf_cannot_hold_less_than_was_promised(level: StockLevel) -> None:
    with transaction.atomic():
        stock.allocate({level.variant_id: 3}, reference="E-1")
    browser = sign_in()

    answer = submit(browser, page(level), counted="2", reason="broken")

    assert answer.status_code == 302
    text = browser.get(page(level)).content.decode()
    assert "3 pieces of VASE are promised to orders; the shelf cannot hold fewer." in text
    level.refresh_from_db()
    assert (level.on_hand, level.movements.count()) == (5, 2)


def test_numbers_cannot_be_typed_past_the_count(level: StockLevel) -> None:
    submit(sign_in(), page(level), on_hand="99", allocated="1", counted="5", reason="none")

    level.refresh_from_db()
    assert (level.on_hand, level.allocated) == (5, 0)


def test_shelves_are_neither_added_nor_deleted_by_hand(level: StockLevel) -> None:
    browser = sign_in()

    assert browser.get("/admin/catalog/stocklevel/add/").status_code == 403
    deleted = browser.post(address("catalog_stocklevel", "delete", level.pk), {"post": "yes"})
    assert deleted.status_code == 403
    assert StockLevel.objects.exists()


def test_sold_out_shelves_can_be_listed(level: StockLevel) -> None:
    boss = sign_in()
    listing = address("catalog_stocklevel", "changelist")

    assert "VASE" not in boss.get(listing, {"left": "none"}).content.decode()
    stock.set_on_hand(ProductVariant.objects.get(), 0, actor=None, reason="sold")
    assert "VASE" in boss.get(listing, {"left": "none"}).content.decode()


def test_seller_counts_own_shelves_only(level: StockLevel) -> None:
    own = level.variant.product.seller
    owner = sign_in(SellerMemberFactory(seller=own, role=SellerMember.Role.OWNER).user)
    stranger = sign_in(SellerMemberFactory(role=SellerMember.Role.OWNER).user)

    refused = stranger.post(page(level), {"counted": "0", "reason": "theirs"})
    saved = submit(owner, page(level), counted="6", reason="found one")

    assert refused.status_code == 302
    assert saved.status_code == 302, errors(saved)
    level.refresh_from_db()
    assert level.on_hand == 6
