"""A shop that is closed for maintenance tells shoppers, and loses nothing meanwhile."""

from __future__ import annotations

import io
import json
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from accounts.models import User
from shop import checkups, clock, maintenance
from tests.factories.accounts import UserFactory

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def flag(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of this test's own; it is 14:00 in London and 15:00 in the shop."""
    settings.MAINTENANCE_FILE = tmp_path / "switch" / "maintenance.json"
    monkeypatch.setattr(clock, "now", lambda: NOW)
    return settings.MAINTENANCE_FILE


def command(*words: str, **options: Any) -> str:
    printed = io.StringIO()
    call_command("maintenance", *words, stdout=printed, **options)
    return printed.getvalue().strip()


def diagnose() -> str:
    found = {each.name: each.finding for each in checkups.examine(seconds=1)}["doors"]
    return f"{found.state.value}: {found.text}"


def test_shoppers_are_told_in_their_language_and_when_to_come_back(
    caplog: pytest.LogCaptureFixture,
) -> None:
    command("on", minutes=20)

    with caplog.at_level(logging.INFO):
        english, german = Client().get("/cart/?a=b"), Client().get("/de/cart/")

    assert (english.status_code, german.status_code) == (503, 503)
    assert english.headers["Retry-After"] == "1200"
    assert english.headers["Cache-Control"] == "no-store"
    page = english.content.decode()
    assert "We are rearranging the shelves" in page
    assert "open again at about 15:20" in page
    assert 'href="/cart/?a=b">Try again</a>' in page
    assert '<html lang="de">' in german.content.decode()
    assert caplog.records == []


def test_the_shops_own_words_are_shown_in_the_language_they_were_written_for() -> None:
    command("on", message="We move <house>.", message_de="Wir ziehen um.")

    pages = [Client().get(path).content.decode() for path in ("/", "/de/")]

    assert "We move &lt;house&gt;." in pages[0]
    assert "Wir ziehen um." in pages[1]


def test_no_form_is_taken_and_the_way_back_is_one_that_exists() -> None:
    command("on")

    answer = Client().post("/cart/add/", {"variant": "1"})

    assert answer.status_code == 503
    assert 'href="/">Try again</a>' in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/livez", 200),
        ("/readyz", 200),
        ("/admin/", 302),
        ("/accounts/login/", 200),
        ("/de/accounts/login/", 200),
        ("/media/nothing.webp", 404),
        ("/offline/", 200),
        ("/de/offline/", 200),
        ("/service-worker.js", 200),
        ("/accounts/signup/", 503),
        ("/de/accounts/signup/", 503),
        ("/de/admin/", 503),
        ("/pages/livez/", 503),
    ],
)
def test_what_must_go_on_goes_on(path: str, status: int) -> None:
    command("on")

    assert Client().get(path).status_code == status


@pytest.mark.django_db
def test_a_payment_is_heard_of(settings: Any) -> None:
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_simulator"]
    command("on")

    answer = Client().post("/payments/webhooks/stripe/", b"{}", content_type="application/json")

    assert answer.status_code == 400  # refused by the webhook itself, for want of a signature


@pytest.mark.django_db
def test_staff_try_the_shop_out_while_it_is_closed_and_no_cache_keeps_what_they_see() -> None:
    staff, shopper = Client(), Client()
    staff.force_login(User.objects.create_user("eve@example.com", is_staff=True))
    shopper.force_login(UserFactory())
    command("on")

    seen = staff.get("/")

    assert seen.status_code == 200
    assert seen.headers["Cache-Control"] == "private, no-store"
    assert shopper.get("/").status_code == 503


def test_it_needs_no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise AssertionError("somebody asked the database")

    monkeypatch.setattr(connection, "connect", refuse)
    monkeypatch.setattr(connection, "cursor", refuse)
    command("on")

    assert Client().get("/products/dune-mug/").status_code == 503


@pytest.mark.django_db(transaction=True)
def test_a_session_that_cannot_be_read_is_a_shoppers(monkeypatch: pytest.MonkeyPatch) -> None:
    staff = Client()
    staff.force_login(User.objects.create_user("eve@example.com", is_staff=True))
    command("on")
    monkeypatch.setitem(connection.settings_dict, "NAME", "nowhere")
    connection.close()

    answer = staff.get("/")

    monkeypatch.undo()
    connection.close()
    assert answer.status_code == 503


@pytest.mark.django_db
def test_the_shop_opens_again_at_once() -> None:
    command("on")

    assert command("off") == "The shop is open."
    assert Client().get("/cart/").status_code == 200
    assert command("off") == "The shop was open."


@pytest.mark.parametrize("written", ["", "closed!", "[]", "{}", '{"began_at": 1}'])
def test_whatever_is_in_the_file_it_closes_the_shop(flag: Path, written: str) -> None:
    flag.parent.mkdir()
    flag.write_text(written)

    answer = Client().get("/")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "60"
    assert "open again in a few minutes" in answer.content.decode()


def test_who_closed_it_is_told_until_when_and_then_reminded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert (command(), diagnose()) == ("The shop is open.", "ok: Open to shoppers.")

    said = command("on", minutes=45)

    assert said.startswith("The shop is closed for maintenance until about 15:45.")
    assert diagnose() == (
        "warning: Closed for maintenance until about 15:45. `manage.py maintenance off` opens the "
        "shop."
    )
    monkeypatch.setattr(clock, "now", lambda: NOW + timedelta(minutes=46))
    assert command() == "The shop is closed for maintenance, and should be open by now."
    assert diagnose().startswith("warning: Closed for maintenance, and should be open by now.")


def test_closing_it_again_changes_the_notice(flag: Path) -> None:
    command("on", message="First.")
    command("on", message="Second.", minutes=60)

    written = json.loads(flag.read_text())

    assert written["messages"] == {"": "Second."}
    assert [path.name for path in flag.parent.iterdir()] == ["maintenance.json"]


def test_a_file_that_cannot_be_written_is_named(flag: Path) -> None:
    flag.parent.write_text("in the way")

    with pytest.raises(
        CommandError, match=r"maintenance\.json: .*point MAINTENANCE_FILE elsewhere"
    ):
        command("on")

    assert maintenance.get_notice() is None


@pytest.mark.parametrize("minutes", [0, 1441])
def test_it_is_a_matter_of_minutes(minutes: int) -> None:
    with pytest.raises(CommandError, match="--minutes must be from 1 to 1440"):
        command("on", minutes=minutes)

    assert maintenance.get_notice() is None
