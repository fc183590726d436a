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


@pytest.mark.parametrize(
    ("cause", "pieces", "left", "kind", "change"),
    [
        ("received", 12, 17, "receipt", 12),
        ("returned", 1, 6, "receipt", 1),
        ("found", 2, 7, "receipt", 2),
        ("damaged", 2, 3, "adjustment", -2),
        ("lost", 5, 0, "adjustment", -5),
        ("counted", 12, 12, "receipt", 7),
        ("counted", 0, 0, "adjustment", -5),
        ("other", -1, 4, "adjustment", -1),
    ],
)
def test_adjusting_the_shelf_books_what_happened_and_who_says_so(
    level: StockLevel, cause: str, pieces: int, left: int, kind: str, change: int
) -> None:
    boss = UserFactory(is_staff=True, is_superuser=True)

    answer = submit(sign_in(boss), page(level), cause=cause, pieces=pieces, note="note 4711")

    assert answer.status_code == 302, errors(answer)
    level.refresh_from_db()
    movement = level.movements.first()
    assert level.on_hand == left
    assert (movement.kind, movement.on_hand_change) == (kind, change)
    assert (movement.cause, movement.reason, movement.actor) == (cause, "note 4711", boss)


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        ({"pieces": "12"}, "Choose what happened."),
        ({"cause": "received"}, "Say how many pieces."),
        ({"cause": "received", "pieces": "0"}, "Say how many pieces."),
        (
            {"cause": "damaged", "pieces": "-2"},
            "Give the number without a minus; the cause says the rest.",
        ),
        ({"cause": "other", "pieces": "2"}, "Say in a few words what happened."),
        (
            {"cause": "burnt", "pieces": "2"},
            "Select a valid choice. burnt is not one of the available choices.",
        ),
        ({"cause": "received", "pieces": "many"}, "Enter a whole number."),
        (
            {"cause": "counted", "pieces": "2147483648"},
            "Ensure this value is less than or equal to 2147483647.",
        ),
    ],
)
def test_half_a_story_is_refused(level: StockLevel, typed: dict[str, str], complaint: str) -> None:
    answer = submit(sign_in(), page(level), **typed)

    assert errors(answer) == [complaint]
    level.refresh_from_db()
    assert (level.on_hand, level.movements.count()) == (5, 1)


@pytest.mark.breaks_invariants
@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (
            {"cause": "counted", "pieces": "2"},
            "3 pieces of VASE are promised to orders; the shelf cannot hold fewer.",
        ),
        (
            {"cause": "lost", "pieces": "3"},
            "3 pieces of VASE are promised to orders; the shelf cannot hold fewer.",
        ),
        ({"cause": "damaged", "pieces": "6"}, "Only 5 pieces of VASE lie on the shelf."),
        ({"cause": "found", "pieces": "2147483647"}, "A shelf cannot hold as many pieces."),
    ],
)
def test_shelf_holds_neither_less_than_was_promised_nor_nonsense(
    level: StockLevel, typed: dict[str, str], complaint: str
) -> None:
    with transaction.atomic():
        stock.allocate({level.variant_id: 3}, reference="E-1")
    browser = sign_in()

    answer = submit(browser, page(level), low_stock_at=9, **typed)

    assert answer.status_code == 302
    assert complaint in browser.get(page(level)).content.decode()
    level.refresh_from_db()
    assert (level.on_hand, level.movements.count()) == (5, 2)
    assert level.variant.low_stock_at is None


def test_numbers_cannot_be_typed_past_the_ledger(level: StockLevel) -> None:
    submit(sign_in(), page(level), on_hand="99", allocated="1", counted="50")

    level.refresh_from_db()
    assert (level.on_hand, level.allocated, level.movements.count()) == (5, 0, 1)


def test_a_mark_of_its_own_says_when_a_variant_runs_low(level: StockLevel) -> None:
    browser = sign_in()
    listing = address("catalog_stocklevel", "changelist")
    assert "VASE" not in browser.get(listing, {"left": "low"}).content.decode()

    answer = submit(browser, page(level), low_stock_at=5)

    assert answer.status_code == 302, errors(answer)
    assert "VASE" in browser.get(listing, {"left": "low"}).content.decode()
    assert submit(browser, page(level), low_stock_at="").status_code == 302
    assert "VASE" not in browser.get(listing, {"left": "low"}).content.decode()


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

    refused = stranger.post(page(level), {"cause": "counted", "pieces": "0"})
    saved = submit(owner, page(level), cause="found", pieces="1")

    assert refused.status_code == 302
    assert saved.status_code == 302, errors(saved)
    level.refresh_from_db()
    assert level.on_hand == 6
