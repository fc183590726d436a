"""`manage.py doctor`: what is missing is named, with what to do, and the exit status tells."""

from __future__ import annotations

import io
import json
import shutil
import socket
import time
from collections import namedtuple
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from bench.server import free_port
from payments.simulator import paypal_api
from payments.simulator.running import Simulator
from shop import checkups
from shop.models import OutboxMessage

EVERYTHING = [
    *("settings", "database", "clock", "cache", "broker", "relay", "mail", "static", "disk"),
    *("doors", "media", "payments", "declines", "paypal"),
]

pytestmark = pytest.mark.django_db


def diagnose(**options: Any) -> dict[str, str]:
    """Return what the doctor says of each thing, as "state: text"."""
    return {
        each.name: f"{each.finding.state.value}: {each.finding.text}"
        for each in checkups.examine(**options)
    }


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A server that takes connections and then says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def mail_server(settings: Any) -> Iterator[list[Any]]:
    class Sink:
        received: list[Any] = []

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            self.received.append(envelope)
            return "250 OK"

    controller = Controller(Sink(), hostname="127.0.0.1", port=free_port())
    controller.start()
    use_mail_server(settings, controller.port)
    yield Sink.received
    controller.stop()


def use_mail_server(settings: Any, port: int) -> None:
    settings.HAS_MAIL_SERVER = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", port


def use_redis_cache(settings: Any, url: str) -> None:
    settings.REDIS_URL = url
    settings.CACHES = {
        "default": {
            "BACKEND": "django_redis.cache.RedisCache",
            "LOCATION": url,
            "OPTIONS": {"IGNORE_EXCEPTIONS": True, "SOCKET_CONNECT_TIMEOUT": 0.2},
        }
    }


def test_a_shop_that_lacks_nothing_but_a_relay_hears_so_line_by_line(simulator: Simulator) -> None:
    printed = io.StringIO()

    call_command("doctor", stdout=printed)

    states = {line.split()[1]: line.split()[0] for line in printed.getvalue().splitlines()}
    assert list(states) == EVERYTHING
    assert states == dict.fromkeys(EVERYTHING, "ok") | {"relay": "warning"}


def test_a_fault_ends_the_command_with_an_error(settings: Any, simulator: Simulator) -> None:
    settings.STRIPE_API_BASE = f"http://127.0.0.1:{free_port()}"
    printed = io.StringIO()

    with pytest.raises(CommandError, match="1 thing needs mending; the lines above say how"):
        call_command("doctor", stdout=printed)

    faults = [line for line in printed.getvalue().splitlines() if line.startswith("fault")]
    assert len(faults) == 1
    assert faults[0].split()[1] == "payments"


def test_programs_read_the_findings_as_json(simulator: Simulator) -> None:
    printed = io.StringIO()

    call_command("doctor", json=True, stdout=printed)

    findings = json.loads(printed.getvalue())
    assert [finding["name"] for finding in findings] == EVERYTHING
    assert findings[3] == {
        "name": "cache",
        "state": "ok",
        "text": "In the memory of each process, which is enough for one web process.",
    }


def test_a_database_that_cannot_be_reached_is_named_and_the_rest_is_still_told(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(connection.settings_dict, "NAME", "nowhere")

    said = diagnose()

    assert said["database"].startswith("fault: OperationalError: ")
    assert '"nowhere" does not exist' in said["database"]
    assert "correct DATABASE_URL" in said["database"]
    assert said["clock"] == said["relay"]
    assert said["relay"] == "warning: Not looked at, because the database does not answer."
    assert said["payments"].startswith("ok")


def test_migrations_that_are_not_applied_are_counted(simulator: Simulator) -> None:
    MigrationRecorder.Migration.objects.filter(app="orders").latest("name").delete()

    said = diagnose()["database"]

    assert said.startswith("fault: PostgreSQL ")
    assert said.endswith("migrations not applied: 1. Run `manage.py migrate`.")


@pytest.mark.parametrize(
    ("ahead", "said"),
    [
        (0, "ok: The same as the database's."),
        (
            10,
            "warning: 10 seconds ahead of the database's. Let NTP set the clock of both machines.",
        ),
        (-40, "fault: 40 seconds behind the database's. Let NTP set the clock of both machines."),
    ],
)
def test_a_clock_that_is_wrong_is_told(
    ahead: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: right() + timedelta(seconds=ahead))

    assert diagnose()["clock"] == said


def test_redis_as_a_cache_is_tried_out(settings: Any, redis_url: str) -> None:
    use_redis_cache(settings, redis_url)

    assert diagnose()["cache"].endswith("keeps what it is given.")


def test_a_redis_that_is_gone_is_a_fault_although_the_shop_sells_on(settings: Any) -> None:
    port = free_port()
    use_redis_cache(settings, f"redis://:secret@127.0.0.1:{port}/0")

    said = diagnose()["cache"]

    assert said == (
        f"fault: Redis at 127.0.0.1:{port} does not answer. The shop sells on without it, but "
        "slower: start Redis or correct REDIS_URL."
    )


def test_a_broker_that_is_gone_is_a_fault(settings: Any) -> None:
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"

    said = diagnose()["broker"]

    assert said.startswith("fault: ")
    assert "refused" in said
    assert "correct CELERY_BROKER_URL" in said


def test_a_broker_without_a_worker_is_a_warning(settings: Any, redis_url: str) -> None:
    settings.CELERY_BROKER_URL = redis_url

    assert "no worker does: tasks wait. Start `celery" in diagnose()["broker"]


def test_tasks_that_nobody_delivers_are_a_fault() -> None:
    OutboxMessage.objects.create(
        key="stuck", task="shop.send_mail", available_at=timezone.now() - timedelta(seconds=90)
    )

    said = diagnose()["relay"]

    assert said.startswith("fault: 1 tasks are due, the oldest for 90 seconds.")
    assert "Start `manage.py relay`" in said


def test_tasks_that_were_given_up_are_a_warning() -> None:
    OutboxMessage.objects.create(
        key="dead", task="shop.send_mail", attempts=5, dead_at=timezone.now()
    )

    assert diagnose()["relay"].startswith("warning: 1 tasks failed too often and were given up.")


def test_a_relay_is_known_by_its_listening() -> None:
    parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context"):
        parameters.pop(name, None)

    with psycopg.connect(**parameters, autocommit=True) as relay:
        relay.execute("LISTEN outbox")
        said = diagnose()["relay"]

    assert said == "ok: 1 listening, nothing waits."


def test_a_mail_server_is_greeted_and_gets_no_mail(mail_server: list[Any], settings: Any) -> None:
    said = diagnose()["mail"]

    assert said == f"ok: 127.0.0.1:{settings.EMAIL_PORT} answers."
    assert mail_server == []


def test_a_mail_server_that_is_gone_is_a_fault(settings: Any) -> None:
    use_mail_server(settings, free_port())

    said = diagnose()["mail"]

    assert said.startswith("fault: ConnectionRefusedError")
    assert "Correct EMAIL_URL" in said


def test_a_silent_server_is_given_up_and_holds_nobody_else(
    settings: Any, simulator: Simulator, silent_port: int
) -> None:
    use_mail_server(settings, silent_port)

    began = time.monotonic()
    said = diagnose(seconds=1)
    took = time.monotonic() - began

    assert said["mail"].startswith("fault: No answer within 1 seconds. Correct EMAIL_URL")
    assert said["payments"].startswith("ok")
    assert took < 3


def test_pictures_that_cannot_be_stored_are_a_fault(settings: Any, tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("in the way")
    settings.MEDIA_ROOT = tmp_path / "a-file" / "media"

    said = diagnose()["media"]

    assert said.startswith("fault: ")
    assert said.endswith("Let the shop write to MEDIA_ROOT.")


def test_looking_at_the_pictures_leaves_no_file_behind(settings: Any) -> None:
    said = diagnose()["media"]

    assert said == f"ok: A file was written to {settings.MEDIA_ROOT}, read back and deleted."
    assert [path for path in Path(settings.MEDIA_ROOT).rglob("*") if path.is_file()] == []


def test_static_files_that_were_not_collected_are_a_fault(settings: Any, tmp_path: Path) -> None:
    settings.STATIC_HASHED, settings.STATIC_ROOT = True, tmp_path

    assert diagnose()["static"] == (
        f"fault: None are collected in {tmp_path}. Run `manage.py collectstatic`."
    )


@pytest.mark.parametrize(
    ("free", "said"),
    [
        (100_000_000, "fault: 0.1 GB are free at"),
        (700_000_000, "warning: 0.7 GB are free at"),
        (90_000_000_000, "ok: 83.8 GB are free at"),
    ],
)
def test_a_full_disk_is_told_before_it_hurts(
    free: int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage(10**12, 0, free))

    assert diagnose()["disk"].startswith(said)


@pytest.mark.parametrize(
    ("name", "value", "doubt"),
    [
        ("SHOP_CURRENCY", "EUX", "SHOP_CURRENCY is EUX, which is no ISO 4217 code"),
        ("SHOP_URL", "https://shop.test", "ALLOWED_HOSTS does not name shop.test"),
    ],
)
def test_a_setting_that_is_hardly_meant_is_a_warning(
    name: str, value: str, doubt: str, settings: Any
) -> None:
    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    setattr(settings, name, value)

    said = diagnose()["settings"]

    assert said.startswith("warning: ")
    assert doubt in said


def test_a_simulator_that_is_not_running_is_a_fault(settings: Any) -> None:
    settings.STRIPE_API_BASE = f"http://127.0.0.1:{free_port()}"

    said = diagnose()["payments"]

    assert said.startswith(f"fault: The simulator at {settings.STRIPE_API_BASE} does not answer")
    assert "Start `manage.py simulator`" in said


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "fault: No payment provider. Set STRIPE_SECRET_KEY"),
        ("pk_live_public", "fault: STRIPE_SECRET_KEY does not look like sk_live_…"),
        ("sk_test_of_somebody_else", "fault: Stripe does not know STRIPE_SECRET_KEY."),
    ],
)
def test_a_key_that_cannot_work_is_a_fault(
    key: str, said: str, settings: Any, simulator: Simulator
) -> None:
    settings.SIMULATOR_IS_ON, settings.STRIPE_SECRET_KEY = False, key

    assert diagnose()["payments"].startswith(said)


def test_a_real_shop_with_a_test_key_is_a_warning(settings: Any, simulator: Simulator) -> None:
    settings.SIMULATOR_IS_ON, settings.IS_PRODUCTION = False, True

    assert diagnose()["payments"] == (
        "warning: Stripe knows the key, but it is a test key: no money moves. Set the live key."
    )


def test_a_shop_without_paypal_hears_that_it_is_not_offered(settings: Any) -> None:
    settings.PAYPAL_IS_ON = False

    assert diagnose()["paypal"] == "ok: Not offered: there is no PAYPAL_CLIENT_ID."


def test_a_simulated_paypal_that_is_not_running_is_a_fault(settings: Any) -> None:
    settings.PAYPAL_API_BASE = f"http://127.0.0.1:{free_port()}"

    said = diagnose()["paypal"]

    assert said.startswith(f"fault: The simulator at {settings.PAYPAL_API_BASE} does not answer")


def test_a_secret_that_paypal_does_not_know_is_a_fault(settings: Any, simulator: Simulator) -> None:
    settings.PAYPAL_CLIENT_SECRET = "somebody else's"

    said = diagnose()["paypal"]

    assert said.startswith("fault: PayPal does not know PAYPAL_CLIENT_ID")
    assert "(invalid_client)" in said


def test_a_paypal_whose_books_stay_closed_is_a_warning(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert diagnose()["paypal"].startswith("ok: ")
    monkeypatch.setattr(paypal_api, "SCOPES", paypal_api.SCOPES[:2])

    assert diagnose()["paypal"] == (
        "warning: PayPal knows us, but its books stay closed: switch on Disputes in the app's page "
        "at developer.paypal.com. It may take nine hours."
    )
