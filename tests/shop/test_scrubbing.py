"""What is secret stands in no log, and no card number stands anywhere."""

from __future__ import annotations

import io
import logging
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import reverse

from catalog.models import SearchRecord
from config import celery
from orders.access import order_url
from shop import cards
from shop.models import Page
from shop.scrubbing import HIDDEN, ScrubbingFormatter, scrub

VISA, AMEX, MASTERCARD = "4242424242424242", "378282246310005", "5555 5555 5555 4444"


@pytest.mark.parametrize(
    ("line", "secret"),
    [
        ("password=correct-horse next=/cart/", "correct-horse"),
        ('{"password1": "correct horse", "email": "ada@example.com"}', "correct horse"),
        ("{'csrfmiddlewaretoken': ['abcdef123456'], 'login': ['ada']}", "abcdef123456"),
        ("Authorization: Bearer abc.def-123", "abc.def-123"),
        ("headers={'Authorization': 'Basic YWRhOnB3', 'Host': 'shop'}", "YWRhOnB3"),
        ("Cookie: __Host-session=s3ss10n; theme=dark", "s3ss10n"),
        ('"Set-Cookie": "sessionid=s3ss10n; HttpOnly"', "s3ss10n"),
        ("Stripe-Signature: t=1,v1=5257a869e7", "5257a869e7"),
        ("GET /orders/AB23CD45/?key=fQ-9_xyz%3D&x=1 404", "fQ-9_xyz"),
        ("GET /accounts/password/reset/key/3-abc-def123/ 200", "3-abc-def123"),
        ("GET /de/accounts/confirm-email/MTI:1abc:xyz/", "1abc:xyz"),
        ("GET /back-in-stock/eyJhIjo1fQ:sig/", "eyJhIjo1fQ:sig"),
        ("GET /wishlists/shared/kEy-of_mine/", "kEy-of_mine"),
        ("GET /accounts/oidc/login/callback/?code=4/0Ad&state=xyz", "4/0Ad"),
        ("connection to redis://:hunter2@redis:6379/0 refused", "hunter2"),
        ("postgres://emporium:hunter2@db/emporium", "hunter2"),
        ("using key sk_live_51Habc", "51Habc"),
        ("whsec_abcdef", "abcdef"),
        ("api_key: K-77", "K-77"),
        ("client_secret=pi_3_secret_zz", "secret_zz"),
        ("id token eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl came", "eyJzdWIiOiIx"),
        (f"typed {VISA} as a phone", VISA),
        (f"typed {MASTERCARD}", "5555 5555"),
    ],
)
def test_a_secret_is_hidden(line: str, secret: str) -> None:
    assert secret in line
    assert secret not in scrub(line)


@pytest.mark.parametrize(
    "line",
    [
        "Order AB23CD45 was paid: 45.00 EUR",
        "too many tries: order_link 10/600s/address",
        "GET /search/?q=mug&page=2 200 12 ms",
        "took 1763796542123 ns, EAN 4006381333931, id 20261122081503123456",
        "GET /accounts/password/reset/done/",
        "the relay sleeps for 2 s; 13 tasks wait",
    ],
)
def test_what_operators_need_stays_as_it_is(line: str) -> None:
    assert scrub(line) == line


def test_a_traceback_is_scrubbed_with_its_line() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(ScrubbingFormatter("%(levelname)s %(message)s"))
    logger = logging.Logger("test")
    logger.addHandler(handler)

    try:
        raise ValueError("password='correct horse'")
    except ValueError:
        logger.exception("token=%s", "t0k3n")

    assert "ValueError" in written.getvalue()
    assert written.getvalue().startswith(f"ERROR token={HIDDEN}")
    assert "correct horse" not in written.getvalue()
    assert "t0k3n" not in written.getvalue()


def test_every_handler_of_the_shop_scrubs() -> None:
    formatters = settings.LOGGING["formatters"]
    for handler in settings.LOGGING["handlers"].values():
        made = formatters[handler["formatter"]]
        assert made["()"] == "shop.scrubbing.ScrubbingFormatter"


def test_a_workers_own_handlers_scrub_too() -> None:
    logger, written = logging.Logger("worker"), io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("[%(process)d] %(message)s"))
    logger.addHandler(handler)

    celery.hide_secrets(logger=logger)
    celery.hide_secrets(logger=logger)
    logger.error("password=hunter2")

    assert written.getvalue().endswith(f"] password={HIDDEN}\n")


@pytest.mark.django_db
def test_a_wrong_password_and_an_orders_key_reach_no_log(caplog: pytest.LogCaptureFixture) -> None:
    link = order_url("NOSUCH22", language="en").removeprefix(settings.SHOP_URL)
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(ScrubbingFormatter("%(message)s"))
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        with caplog.at_level(logging.DEBUG):
            Client().get(link.replace("key=", "key=Zz"))
            Client().post(
                "/accounts/login/", {"login": "ada@example.com", "password": "correct horse"}
            )
            logging.getLogger("django.request").warning("Not Found: %s", link)
    finally:
        root.removeHandler(handler)

    assert "Not Found" in written.getvalue()
    assert link.partition("key=")[2] not in written.getvalue()
    assert "correct horse" not in written.getvalue()


# Card numbers --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    [
        VISA, AMEX, MASTERCARD, "2223003122003222", "30569309025904", "6011111111111117",
        "3530111333300000", "6200000000000005", "4242-4242-4242-4242", "4000056655665556",
    ],
)  # fmt: skip
def test_card_numbers_of_all_schemes_are_known(number: str) -> None:
    assert cards.has_any(f"x {number}.")
    assert number[-4:] in cards.mask(number)
    assert number[:12] not in cards.mask(number)


def test_a_number_among_others_is_found() -> None:
    assert cards.mask(f"2 x {VISA} 3") == "2 x [card …4242] 3"
    assert cards.mask(f"7 {VISA} 12/29") == "7 [card …4242] 12/29"
    assert cards.mask(f"{MASTERCARD} {AMEX}") == "[card …4444] [card …0005]"


@pytest.mark.parametrize(
    "text", ["1 " * 50_000, "4" * 100_000, "4242 " * 20_000, "a-" * 50_000, "a.b" * 30_000]
)
def test_long_texts_are_read_in_no_time(text: str) -> None:
    began = time.process_time()

    scrub(text)

    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "text",
    [
        "4242424242424241", "4006381333931", "1763796542123456", "+49 30 1234567 89012",
        "DE89 3704 0044 0532 0130 00", "00340434161094042557", "1" * 400, "4" * 100,
    ],
)  # fmt: skip
def test_other_numbers_are_none(text: str) -> None:
    assert not cards.has_any(text)


@pytest.mark.django_db
class TestTyped:
    def test_a_card_number_in_a_form_is_refused_and_not_repeated(self) -> None:
        answer = Client().post("/checkout/fields/phone/", {"phone": VISA, "country": "DE"})

        page = answer.content.decode()
        assert (answer.status_code, answer["Cache-Control"]) == (400, "no-store")
        assert "it is stored nowhere" in page
        assert VISA not in page

    def test_nor_is_it_searched_for_and_kept(self, caplog: pytest.LogCaptureFixture) -> None:
        with caplog.at_level(logging.DEBUG):
            answer = Client().get("/search/", {"q": f"mug {MASTERCARD}"})

        assert answer.status_code == 400
        assert not SearchRecord.objects.exists()
        assert "5555" not in caplog.text

    def test_staff_type_the_numbers_of_parcels(self) -> None:
        answer = Client().post(reverse("admin:login"), {"q": VISA})

        assert answer.status_code != 400


@pytest.mark.django_db
class TestScanner:
    def find(self, *files: Path, **options: Any) -> tuple[bool, str]:
        printed = io.StringIO()
        try:
            call_command("find_card_numbers", *map(str, files), stdout=printed, **options)
        except CommandError as error:
            return True, f"{printed.getvalue()}{error}"
        return False, printed.getvalue()

    def test_a_clean_shop_has_none(self) -> None:
        Page.objects.create(slug="imprint", title="Imprint", body="Call +49 30 123456789012345.")

        assert self.find() == (False, "No card number was found.\n")

    def test_one_in_a_text_of_the_database_is_found_and_not_shown(self) -> None:
        Page.objects.create(slug="note", title="Note", body=f"Ada pays with {VISA}.")

        has_found, words = self.find()

        assert has_found
        assert "shop_page.body" in words
        assert "[card …4242]" in words
        assert VISA not in words

    def test_one_in_a_log_is_found_with_its_line(self, tmp_path: Path) -> None:
        log = tmp_path / "web.log"
        log.write_text(f"fine\nPOST card={MASTERCARD}\n")

        has_found, words = self.find(log, only_files=True)

        assert has_found
        assert "web.log:2: [card …4444]" in words
        assert "1 card numbers" in words
