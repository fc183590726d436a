"""An account: made with a code from the mailbox, and the cart comes along."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from accounts.models import User
from payments.simulator.running import Simulator
from shop.models import Mail
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves
from tests.browser.shopper import expect_headline, put_in_cart, sign_in
from tests.outbox import deliver_outbox

EMAIL, PASSWORD = "ada@example.com", "difference engine 1842"
NEW = "analytical engine 1837"


def test_signing_up_with_the_code_from_the_mailbox_keeps_the_cart(
    page: Page, visit: Visit, shop: Simulator, shelves: Shelves
) -> None:
    put_in_cart(page)
    page.goto("/accounts/signup/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make my account").click()
    deliver_outbox()
    mailbox = page.context.new_page()
    mailbox.goto("/mailbox/")
    mailbox.get_by_role("main").get_by_role("link").first.click()
    code = re.search(r"\b[A-Z0-9]{4}-?[A-Z0-9]{2,4}\b", mailbox.locator(".mail__text").inner_text())
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_role("alert")).to_contain_text("There is a problem")
    page.get_by_label("Code").fill(code[0])
    page.get_by_role("button", name="Confirm").click()
    page.wait_for_url("**/")
    page.goto("/cart/")
    expect(page.get_by_label("Quantity of Dune mug")).to_have_value("1")

    elsewhere = visit()
    put_in_cart(elsewhere, "/products/alm-board/")
    elsewhere.goto("/accounts/login/")
    elsewhere.get_by_label("Email").fill(EMAIL)
    elsewhere.get_by_label("Password").fill(PASSWORD)
    elsewhere.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    elsewhere.wait_for_url("**/")
    elsewhere.goto("/cart/")

    expect_headline(elsewhere, "Your cart")
    expect(elsewhere.get_by_label("Quantity of Dune mug")).to_have_value("1")
    expect(elsewhere.get_by_label("Quantity of Alm board")).to_have_value("1")
    assert User.objects.get().email == EMAIL
    elsewhere.goto("/checkout/")
    expect(elsewhere.get_by_label("Email")).to_have_value(EMAIL)


def test_a_password_can_be_looked_at_and_is_sent_hidden(
    page: Page, visit: Visit, shop: Simulator
) -> None:
    plain = visit(java_script_enabled=False)
    for one in (page, plain):
        one.goto("/accounts/login/")
        one.get_by_label("Password").fill(PASSWORD)
    show = page.get_by_role("button", name="Show the password")

    show.click()

    expect(page.get_by_label("Password")).to_have_attribute("type", "text")
    expect(show).to_have_attribute("aria-pressed", "true")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator(".error-summary")).to_be_visible()
    expect(page.get_by_label("Password")).to_have_attribute("type", "password")
    expect(plain.get_by_role("button", name="Show the password")).to_be_hidden()
    expect(plain.get_by_label("Password")).to_have_attribute("type", "password")


def test_a_forgotten_password_is_chosen_anew_with_the_link_from_the_mail(
    visit: Visit, shop: Simulator
) -> None:
    make_ada()
    page = visit(java_script_enabled=False)
    page.goto("/accounts/login/?next=/account/")
    page.get_by_role("link", name="Forgot").click()
    expect_headline(page, "Forgotten your password?")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_role("button", name="Send me the mail").click()
    mail = Mail.objects.get(recipient=EMAIL)
    link = re.search(r"http\S+/accounts/password/reset/key/\S+", mail.text)
    assert link
    page.goto(link[0])
    expect_headline(page, "Choose a new password")
    page.get_by_label("New password").fill("password")
    page.get_by_role("button", name="Save the password").click()
    expect(page.get_by_role("alert")).to_contain_text("too common")
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Save the password").click()
    expect_headline(page, "Your new password is saved")

    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(NEW)
    page.get_by_role("main").get_by_role("button", name="Sign in", exact=True).click()

    page.wait_for_url("**/account/")
    page.goto(link[0])
    expect_headline(page, "This link does not work any more")


def test_email_and_password_are_changed_from_the_menu(
    visit: Visit, shop: Simulator, web: str
) -> None:
    ada, new = make_ada(), "countess@example.com"
    page = visit(java_script_enabled=False)
    sign_in(page, ada, web)
    page.goto("/account/")
    page.get_by_role("link", name="Email addresses").click()
    page.get_by_label("Email").fill(new)
    page.get_by_role("button", name="Add this email").click()
    expect_headline(page, "Is it you?")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    expect_headline(page, "Enter the code")
    code = Mail.objects.get(recipient=new).subject.split()[3]
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Confirm").click()
    expect_headline(page, "Your account")
    page.get_by_role("link", name="Email addresses").click()
    page.get_by_role("button", name=f"Send our mails here {new}").click()
    page.get_by_role("button", name=f"Remove {EMAIL}").click()
    expect(page.get_by_role("heading", level=2).filter(has_text="@")).to_have_text([new])

    page.get_by_role("link", name="Password", exact=True).click()
    page.get_by_label("Current password").fill("not the password")
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Save the password").click()
    expect(page.get_by_role("alert")).to_contain_text("current password")
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_label("New password").fill(NEW)
    page.get_by_role("button", name="Save the password").click()
    expect(page.get_by_text("Your new password is saved.")).to_be_visible()

    ada.refresh_from_db()
    assert ada.email == new
    assert ada.check_password(NEW)
    told = Mail.objects.filter(kind__startswith="accounts.").order_by("pk")
    assert [mail.kind for mail in told] == [
        "accounts.email_added",
        "accounts.email_changed",
        "accounts.email_deleted",
        "accounts.password_changed",
    ]


def make_ada() -> User:
    user = User.objects.create_user(EMAIL, PASSWORD)
    user.emailaddress_set.create(email=EMAIL, verified=True, primary=True)
    return user
