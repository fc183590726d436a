from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from shop.models import Mail, OutboxMessage, Page, TaxClass, TaxRate
from shop.queries import list_footer_pages
from shop.services import mailer, relay
from tests.admin_forms import address, errors, sign_in, submit
from tests.factories.accounts import StaffFactory

pytestmark = pytest.mark.django_db


def give_up_on(message: OutboxMessage) -> None:
    for _attempt in range(relay.MAX_ATTEMPTS):
        relay.record_failure(message.pk, error="no connection")


@pytest.fixture
def dead_mail() -> Mail:
    """A mail whose sending was given up."""
    with transaction.atomic():
        mailer.queue(
            kind="test", reference="1", recipient="sam@example.com", subject="Hello", text="Hi"
        )
    give_up_on(OutboxMessage.objects.get())
    return Mail.objects.get()


def run_action(model: str, pk: int, browser: Any) -> Any:
    return browser.post(
        address(model, "changelist"), {"action": "try_again", "_selected_action": [pk]}
    )


def test_page_is_made_safe_and_reaches_the_footer(
    django_capture_on_commit_callbacks: Any,
) -> None:
    list_footer_pages()

    with django_capture_on_commit_callbacks(execute=True):
        answer = submit(
            sign_in(),
            "/admin/shop/page/add/",
            title="Delivery",
            slug="delivery",
            body='<p style="x">Fine<script>alert(1)</script></p>',
            is_in_footer="on",
            position="0",
        )

    assert answer.status_code == 302, errors(answer)
    assert Page.objects.get().body == "<p>Fine</p>"
    assert list_footer_pages() == [("Delivery", "/pages/delivery/")]


def test_tax_rate_needs_a_country_of_this_world() -> None:
    tax_class = TaxClass.objects.create(code="standard", name="Standard")
    values = {"tax_class": tax_class.pk, "name": "VAT", "percent": "19"}

    wrong = submit(sign_in(), "/admin/shop/taxrate/add/", country="XX", **values)
    right = submit(sign_in(), "/admin/shop/taxrate/add/", country="DE", **values)

    assert "Select a valid choice" in errors(wrong)[0]
    assert right.status_code == 302, errors(right)
    assert TaxRate.objects.get().country == "DE"


def test_stuck_mail_is_tried_again_from_the_admin(dead_mail: Mail) -> None:
    run_action("shop_mail", dead_mail.pk, sign_in())

    message = OutboxMessage.objects.get()
    assert (message.dead_at, message.attempts) == (None, 0)


def test_stuck_side_effect_is_tried_again_from_the_admin(dead_mail: Mail) -> None:
    message = OutboxMessage.objects.get()

    run_action("shop_outboxmessage", message.pk, sign_in())

    message.refresh_from_db()
    assert message.dead_at is None


def test_staff_who_may_only_look_cannot_try_again(dead_mail: Mail) -> None:
    from django.contrib.auth.models import Permission

    person = StaffFactory()
    person.user_permissions.set(Permission.objects.filter(codename="view_outboxmessage"))
    message = OutboxMessage.objects.get()

    run_action("shop_outboxmessage", message.pk, sign_in(person))

    message.refresh_from_db()
    assert message.dead_at is not None


@pytest.mark.parametrize("model", ["shop_mail", "shop_outboxmessage"])
def test_mails_and_side_effects_are_read_and_never_written(dead_mail: Mail, model: str) -> None:
    browser = sign_in()
    pk = dead_mail.pk if model == "shop_mail" else OutboxMessage.objects.get().pk
    page = address(model, "change", pk)

    assert browser.get(page).status_code == 200
    assert browser.post(page, {"subject": "Other"}).status_code == 403
    assert browser.get(address(model, "add")).status_code == 403
    assert browser.post(address(model, "delete", pk), {"post": "yes"}).status_code == 403


def test_staff_cannot_read_the_code_that_opens_somebody_elses_account() -> None:
    code, order = (
        Mail.objects.create(kind=kind, recipient="sam@example.com", subject="Hi", text="A1B2")
        for kind in ("account.email.login_code", "orders.confirmation")
    )
    browser = sign_in()

    hidden = browser.get(address("shop_mail", "change", code.pk)).content.decode()
    shown = browser.get(address("shop_mail", "change", order.pk)).content.decode()

    assert "A1B2" not in hidden
    assert "A1B2" in shown


def test_mails_that_fail_can_be_listed(dead_mail: Mail) -> None:
    Mail.objects.update(error="no connection")
    browser = sign_in()
    listing = address("shop_mail", "changelist")

    assert "sam@example.com" in browser.get(listing, {"state": "failing"}).content.decode()
    assert "sam@example.com" not in browser.get(listing, {"state": "sent"}).content.decode()
