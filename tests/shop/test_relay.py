"""The relay: each side effect happens, once, whoever dies on the way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from celery import current_app, shared_task
from django.conf import settings
from django.db import connection, transaction

from shop.clock import now
from shop.models import Mail, OutboxMessage
from shop.services import mailer, outbox, relay
from shop.tasks import KeyedTask
from tests.races.threads import at_once

RUNS: list[str] = []


@shared_task(base=KeyedTask, name="tests.note")
def note(*, word: str, **_: object) -> None:
    RUNS.append(word)


@shared_task(base=KeyedTask, name="tests.stumble")
def stumble(**_: object) -> None:
    raise RuntimeError("it always fails")


@shared_task(base=KeyedTask, name="tests.not_yet")
def not_yet(**_: object) -> None:
    raise relay.NotYet("too early")


@pytest.fixture(autouse=True)
def _no_runs() -> Iterator[None]:
    RUNS.clear()
    yield
    relay.registered_tasks.cache_clear()


def decide(task: str = "tests.note", *, key: str = "k", **payload: Any) -> OutboxMessage:
    with transaction.atomic():
        outbox.enqueue(task, key=key, **payload)
    return OutboxMessage.objects.get(key=key)


def make_due() -> None:
    OutboxMessage.objects.update(available_at=now() - timedelta(minutes=10))


def let_leases_run_out() -> None:
    OutboxMessage.objects.exclude(leased_until=None).update(
        leased_until=now() - timedelta(minutes=10)
    )


@pytest.mark.django_db
def test_a_task_runs_once_and_its_row_is_closed() -> None:
    message = decide(word="hello")

    assert relay.relay_once(relay.run_here) == 1
    assert relay.relay_once(relay.run_here) == 0

    message.refresh_from_db()
    assert RUNS == ["hello"]
    assert message.done_at is not None
    assert (message.error, message.dead_at, message.leased_until) == ("", None, None)


@pytest.mark.django_db
def test_tasks_run_in_the_order_in_which_they_were_decided() -> None:
    for word in ("one", "two", "three"):
        decide(key=word, word=word)

    relay.relay_once(relay.run_here)

    assert RUNS == ["one", "two", "three"]


@pytest.mark.django_db
def test_what_a_killed_relay_had_in_hand_is_delivered_when_its_lease_runs_out() -> None:
    decide(word="hello")
    assert len(relay.claim(10)) == 1  # and then it dies

    assert relay.relay_once(relay.run_here) == 0
    let_leases_run_out()
    assert relay.relay_once(relay.run_here) == 1
    let_leases_run_out()
    assert relay.relay_once(relay.run_here) == 0

    assert RUNS == ["hello"]


@pytest.mark.django_db
def test_a_worker_that_dies_after_the_work_leads_to_a_second_run_with_one_effect(
    settings: Any, mailoutbox: list[Any]
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail = queue_mail()
    (claimed,) = relay.claim(10)
    mailer.send(mail.pk)  # and then it dies, without a word to the row

    let_leases_run_out()
    relay.relay_once(relay.run_here)

    assert OutboxMessage.objects.get(pk=claimed.id).done_at is not None
    assert len(mailoutbox) == 1


@pytest.mark.django_db
def test_a_task_that_fails_is_tried_for_three_days_then_waits_for_a_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    message = decide("tests.stumble")
    moment, pauses = now(), []
    # The relay's clock stands, so that a slow machine adds nothing to a pause.
    monkeypatch.setattr(relay, "now", lambda: moment)

    for _ in range(relay.MAX_ATTEMPTS):
        make_due()
        assert relay.relay_once(relay.run_here) == 1
        message.refresh_from_db()
        if message.dead_at is None:
            pauses.append((message.available_at - moment).total_seconds())
    make_due()

    assert pauses[:8] == [2, 15, 60, 300, 900, 1800, 3600, 3600]
    assert sum(pauses) // 3600 == 71
    assert (message.attempts, message.error) == (78, "RuntimeError: it always fails")
    assert message.dead_at is not None
    assert relay.relay_once(relay.run_here) == 0


@pytest.mark.django_db
def test_a_dead_message_that_staff_revive_is_tried_again() -> None:
    message = decide(word="hello")
    OutboxMessage.objects.update(dead_at=now(), attempts=5)

    assert relay.revive(message.pk)
    make_due()
    relay.relay_once(relay.run_here)

    assert RUNS == ["hello"]
    assert not relay.revive(message.pk)


@pytest.mark.django_db
def test_staff_who_mended_the_mail_server_need_not_wait_for_the_next_try() -> None:
    message = decide("tests.stumble")
    relay.relay_once(relay.run_here)

    assert relay.revive(message.pk)

    message.refresh_from_db()
    assert message.available_at <= now()
    assert (message.attempts, message.leased_until) == (0, None)


@pytest.mark.django_db
def test_a_task_that_kills_its_workers_is_given_up_before_it_kills_them_all() -> None:
    message = decide(word="hello")
    for _ in range(5):
        assert relay.record_start(message.pk)  # and then its worker dies

    let_leases_run_out()
    relay.relay_once(relay.run_here)

    message.refresh_from_db()
    assert RUNS == []
    assert message.error == "Its worker died 5 times while it ran."
    assert (message.dead_at is None, message.attempts) == (False, 0)


@pytest.mark.django_db
def test_a_task_that_reports_is_not_held_to_be_deadly_however_often_it_runs() -> None:
    message = decide("tests.stumble")

    for _ in range(7):
        make_due()
        relay.relay_once(relay.run_here)

    message.refresh_from_db()
    assert (message.attempts, message.unheard_runs, message.dead_at) == (7, 0, None)


@pytest.mark.django_db
def test_a_task_whose_time_has_not_come_waits_without_counting_a_failure() -> None:
    message = decide("tests.not_yet")
    before = now()

    relay.relay_once(relay.run_here)

    message.refresh_from_db()
    assert (message.attempts, message.unheard_runs) == (0, 0)
    assert round((message.available_at - before).total_seconds()) == 30


@pytest.mark.django_db
def test_a_message_that_comes_twice_out_of_the_broker_runs_once() -> None:
    message = decide(word="hello")
    (claimed,) = relay.claim(1)

    relay.run_here(claimed)
    relay.run_here(claimed)

    message.refresh_from_db()
    assert RUNS == ["hello"]
    assert (message.done_at is None, message.error) == (False, "")


@pytest.mark.django_db(transaction=True)
def test_no_more_lies_in_the_broker_than_is_done_before_its_lease_runs_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(relay, "MOST_PROMPT_LEASED", 3)
    for n in range(5):
        decide(key=f"k{n}", word="hello")
    assert len(relay.claim(2)) == 2
    (last,) = relay.claim(2)
    assert relay.claim(2) == []

    relay.run_here(last)

    assert len(relay.claim(2)) == 1
    let_leases_run_out()
    assert len(relay.claim(100)) == 3


@pytest.mark.django_db
def test_a_payment_is_handed_over_while_a_thousand_pictures_wait() -> None:
    for number in range(30):
        decide(key=f"picture {number}", priority=8)
    assert len(relay.claim(100)) == 20

    decide(key="payment")

    assert [claimed.task for claimed in relay.claim(100)] == ["tests.note"]
    assert OutboxMessage.objects.filter(priority=8, leased_until=None).count() == 10


def test_pictures_have_a_queue_of_their_own_that_every_worker_takes_from() -> None:
    routed = current_app.amqp.router.route({}, "catalog.make_renditions")

    assert routed["queue"].name == "slow"
    assert current_app.amqp.router.route({}, "shop.send_mail")["queue"].name == "celery"
    assert list(current_app.amqp.queues.consume_from) == ["celery", "slow"]


@pytest.mark.django_db
def test_one_bad_message_does_not_hold_up_the_others() -> None:
    decide("tests.there_is_no_such_task", key="bad")
    decide("tests.stumble", key="failing")
    decide(key="good", word="hello")

    relay.relay_once(relay.run_here)

    assert RUNS == ["hello"]
    errors = dict(OutboxMessage.objects.values_list("key", "error"))
    assert errors["good"] == ""
    assert errors["bad"].startswith("NotRegistered") or errors["bad"].startswith("KeyError")
    assert errors["failing"] == "RuntimeError: it always fails"


@pytest.mark.django_db
def test_a_delayed_message_waits_for_its_time() -> None:
    decide(delay=60, word="later")

    assert relay.relay_once(relay.run_here) == 0
    make_due()
    assert relay.relay_once(relay.run_here) == 1


@pytest.mark.django_db
def test_what_was_done_a_week_ago_is_forgotten_and_nothing_else() -> None:
    for key in ("old", "recent", "waiting"):
        decide(key=key, word=key)
    OutboxMessage.objects.filter(key="old").update(done_at=now() - timedelta(days=8))
    OutboxMessage.objects.filter(key="recent").update(done_at=now() - timedelta(days=6))

    assert relay.clear_done() == 1

    assert set(OutboxMessage.objects.values_list("key", flat=True)) == {"recent", "waiting"}


@pytest.mark.django_db
def test_a_worker_that_fails_after_the_task_was_done_elsewhere_changes_nothing() -> None:
    message = decide(word="hello")
    relay.relay_once(relay.run_here)

    relay.record_failure(message.pk, error="too late")

    message.refresh_from_db()
    assert (message.attempts, message.error) == (0, "")


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_relays_at_once_share_the_work_and_double_nothing() -> None:
    for number in range(40):
        decide(key=str(number), word=str(number))

    def work() -> int:
        return sum(relay.relay_once(relay.run_here, batch=3) for _ in range(20))

    counts = at_once(work, work, work)

    assert sum(counts) == 40
    assert sorted(RUNS, key=int) == [str(number) for number in range(40)]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_a_mail_that_two_workers_take_at_once_is_sent_once(
    settings: Any, mailoutbox: list[Any]
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    mail = queue_mail()

    results = at_once(*(lambda: mailer.send(mail.pk) for _ in range(4)))

    assert len(mailoutbox) == 1
    assert [result for result in results if result is True] == [True]
    assert all(
        result in (True, False) or isinstance(result, mailer.BeingSent) for result in results
    )
    assert Mail.objects.get().sent_at is not None


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_the_relay_process_delivers_within_a_moment_and_finishes_when_told_to_stop() -> None:
    with running_relay() as relay_process:
        warm_up = queue_mail(reference="first")
        wait_until_sent(warm_up)  # It is up, and waits for news now.
        time.sleep(0.3)
        started = time.monotonic()
        mail = queue_mail(reference="second")
        wait_until_sent(mail)
        waited = time.monotonic() - started
        relay_process.send_signal(signal.SIGTERM)
        assert relay_process.wait(15) == 0

    # Without the notification it would look again only every two seconds.
    assert waited < 1.5
    # It has planned the day's reconciliation besides.
    assert list(OutboxMessage.objects.filter(done_at=None, task="shop.send_mail")) == []


def queue_mail(reference: str = "1") -> Mail:
    with transaction.atomic():
        mailer.queue(
            kind="test", reference=reference, recipient="ada@example.com", subject="Hi", text="Hi"
        )
    return Mail.objects.get(reference=reference)


def wait_until_sent(mail: Mail) -> datetime:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        mail.refresh_from_db()
        if mail.sent_at:
            return mail.sent_at
        time.sleep(0.02)
    raise TimeoutError("the mail was never sent")


@contextmanager
def running_relay() -> Iterator[subprocess.Popen[bytes]]:
    database = urlsplit(os.environ["DATABASE_URL"])
    environment = os.environ | {
        "DATABASE_URL": database._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "relay", "--skip-checks"],
        cwd=settings.BASE_DIR,
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_periodic_jobs_name_tasks_that_exist() -> None:
    tasks = relay.registered_tasks()

    assert {entry["task"] for entry in current_app.conf.beat_schedule.values()} <= set(tasks)
