"""A review's whole way: bought, written with photographs, read by staff, answered by the seller."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from accounts.models import SellerMember
from catalog.models import Review
from orders.access import order_url
from orders.models import Order
from orders.services import fulfilment
from payments.simulator.running import Simulator
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves
from tests.browser.shopper import answer_as_bank, expect_headline, go_to_provider, sign_in
from tests.factories.accounts import StaffFactory, UserFactory
from tests.factories.catalog import ReviewFactory
from tests.outbox import deliver_outbox
from tests.smtp_sink import SmtpSink


@pytest.fixture
def photograph(tmp_path: Path) -> Path:
    path = tmp_path / "mug.jpg"
    Image.effect_noise((640, 480), 60).convert("RGB").save(path)
    return path


def find_link(sink: SmtpSink, subject: str, part: str) -> str:
    """Return the one address with this part in the mail of this subject."""
    [mail] = [mail for mail in sink.mails if subject in mail["Subject"]]
    body = mail.get_body(("plain",))
    assert body is not None
    [link] = {word for word in body.get_content().split() if part in word}
    return link


def test_a_review_from_the_purchase_to_the_sellers_answer(
    visit: Visit, page: Page, shop: Simulator, shelves: Shelves, web: str, letterbox: SmtpSink,
    photograph: Path,
) -> None:  # fmt: skip
    go_to_provider(page, shop)
    answer_as_bank(page)
    expect_headline(page, "Thank you for your order")
    order = Order.objects.get()
    fulfilment.ship(order.seller_orders.get(), carrier="DHL", tracking_number="JD14", by=None)

    # The guest writes by the link of their order, without scripts, and forgets two fields at first.
    ada = visit(java_script_enabled=False)
    ada.goto(order_url(order.number, language="en"))
    ada.get_by_role("link", name="Write a review of Dune mug").click()
    expect_headline(ada, "Dune mug")
    ada.get_by_label("Photographs").set_input_files(photograph)
    ada.get_by_label("Your review").fill("It holds just enough.")
    ada.get_by_role("button", name="Send the review").click()
    expect(ada.get_by_role("alert")).to_contain_text("Choose how many stars you give.")
    expect(ada.get_by_role("alert")).to_contain_text("Enter a name")
    expect(ada.get_by_label("Your review")).to_have_value("It holds just enough.")
    ada.get_by_label("5 stars: I love it").check(force=True)
    ada.get_by_label("In a few words").fill("The one I reach for")
    ada.get_by_label("Your name, as others see it").fill("Ada")
    ada.get_by_label("Photographs (optional)").set_input_files(photograph)
    ada.get_by_role("button", name="Send the review").click()
    expect_headline(ada, "Thank you for your review")
    deliver_outbox()

    # Nobody sees it yet; the shop reads it and lets it out.
    ada.goto("/products/dune-mug/")
    expect(ada.get_by_role("heading", name="What do you think of it?")).to_be_visible()
    desk = visit()
    sign_in(desk, StaffFactory(is_superuser=True), web)
    desk.goto("/admin/catalog/review/?status__exact=pending")
    desk.get_by_role("link", name="The one I reach for").click()
    expect(desk.get_by_text("It holds just enough.")).to_be_visible()
    expect(desk.locator(".desk-photo")).to_have_count(1)
    desk.get_by_label("Publish it").check()
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.get_by_text("was changed successfully")).to_be_visible()
    deliver_outbox()
    ada.goto("/products/dune-mug/")
    review = ada.locator(".review")
    expect(review.get_by_role("heading", name="The one I reach for")).to_be_visible()
    expect(review.get_by_text("Bought here")).to_be_visible()
    expect(review.get_by_role("img", name="5 of 5 stars")).to_be_visible()
    photo = review.get_by_role("img", name="Photograph by Ada")
    photo.scroll_into_view_if_needed()
    expect(photo).to_be_visible()
    expect(photo).to_have_js_property("naturalWidth", 128)  # 320 wide, drawn for 8rem

    # The seller hears of it and answers.
    haven = StaffFactory()
    SellerMember.objects.create(seller=shelves.seller, user=haven)
    desk = visit()
    sign_in(desk, haven, web)
    desk.goto(find_link(letterbox, "A review of Dune mug", "/admin/"))
    expect(desk.get_by_label("Publish it")).to_have_count(0)
    desk.get_by_label("The seller's answer").fill("Thank you, Ada.")
    desk.get_by_role("button", name="Save", exact=True).click()
    expect(desk.get_by_text("was changed successfully")).to_be_visible()
    deliver_outbox()
    ada.goto("/products/dune-mug/reviews/")
    expect(ada.get_by_text("Haven Studio answers")).to_be_visible()
    expect(ada.get_by_text("Thank you, Ada.")).to_be_visible()
    assert Review.objects.get().is_verified
    assert [subject.partition(" – ")[0] for subject in letterbox.subjects][-2:] == [
        "Your review of Dune mug is published",
        "Haven Studio answered your review",
    ]


def test_somebody_finds_a_review_helpful_and_takes_it_back(
    page: Page, shelves: Shelves, web: str
) -> None:
    ReviewFactory(product=shelves.mug)
    sign_in(page, UserFactory(), web)

    page.goto("/products/dune-mug/")
    page.get_by_role("button", name="Helpful").click()
    expect(page.locator(".helpful")).to_contain_text("1 person found this helpful")
    page.get_by_role("button", name="Helpful", pressed=True).click()
    expect(page.locator(".helpful")).not_to_contain_text("found this helpful")

    assert Review.objects.get().helpful_count == 0
