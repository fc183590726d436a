"""What one process changes, every other learns: each change once, however late it is committed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from shop import changes
from shop.clock import now
from shop.models import Change
from shop.remembered import until_changed
from shop.services.changes import announce, prune
from shop.transactions import TransactionRuleBroken
from tests.journal import look_until_the_horizon_passes

Heard = list[set[str]]


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Heard:
    """What reaches whoever watches, a set for each look that found something."""
    batches: Heard = []
    monkeypatch.setattr(changes, "_followers", [])
    monkeypatch.setattr(changes, "_watchers", [lambda found, _xid: batches.append(set(found))])
    return batches


@contextmanager
def another_process() -> Iterator[psycopg.Connection[Any]]:
    parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context"):
        parameters.pop(name, None)
    with psycopg.connect(**parameters) as other:
        yield other


def write(other: psycopg.Connection[Any], subject: str) -> None:
    other.execute("INSERT INTO shop_change (subject) VALUES (%s)", [subject])


class TestInOneProcess:
    pytestmark = pytest.mark.django_db

    def test_what_was_announced_before_the_first_look_is_no_news(self, heard: Heard) -> None:
        announce("product:1")

        assert changes.catch_up() == 0
        assert heard == []

    def test_each_subject_arrives_once(self, heard: Heard) -> None:
        changes.catch_up()
        announce("product:1", "product:2", "product:1")
        announce("pages")

        assert [changes.catch_up(), changes.catch_up()] == [3, 0]
        assert heard == [{"product:1", "product:2", "pages"}]

        announce("product:1")
        assert changes.catch_up() == 1

    def test_nothing_is_written_for_nothing(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            announce()

    def test_what_rolls_back_is_not_told(self, heard: Heard) -> None:
        changes.catch_up()
        with transaction.atomic():
            announce("product:1")
            transaction.set_rollback(True)

        assert changes.catch_up() == 0
        assert heard == []

    def test_what_is_not_committed_yet_is_not_told(self, heard: Heard) -> None:
        changes.catch_up()
        with transaction.atomic():
            announce("product:1")
            assert changes.catch_up() == 0

        assert changes.catch_up() == 1

    def test_what_follows_from_a_change_is_told_with_it(
        self, heard: Heard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        second: list[set[str]] = []
        monkeypatch.setattr(
            changes,
            "_followers",
            [lambda found: {"category:7"}, lambda found: second.append(set(found)) or ()],
        )
        changes.catch_up()
        announce("product:1")
        changes.catch_up()

        assert second == heard == [{"product:1", "category:7"}]

    def test_whoever_failed_reads_everything_anew(
        self, heard: Heard, monkeypatch: pytest.MonkeyPatch, settings: Any, caplog: Any
    ) -> None:
        settings.CHANGES_POLL_SECONDS = 0.001
        changes.catch_up()

        def fail(found: frozenset[str]) -> tuple[()]:
            if "product:1" in found:
                raise ValueError("broken")
            return ()

        monkeypatch.setattr(changes, "_followers", [fail])
        monkeypatch.setattr(changes, "SECONDS_TO_RECOVER", 0.05)
        announce("product:1")
        changes.look_again()
        changes.catch_up()
        assert "taken in" in caplog.text
        changes.look_again()
        changes.catch_up()
        assert heard == [{changes.EVERYTHING}]  # Told at once, whatever the follower missed.

        time.sleep(0.06)
        changes.look_again()
        changes.catch_up()
        assert heard == [{changes.EVERYTHING}, {changes.EVERYTHING}]

    def test_whoever_was_away_for_too_long_reads_everything_anew(
        self, heard: Heard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        changes.catch_up()
        monkeypatch.setattr(changes, "LONGEST_PAUSE_SECONDS", -1)

        assert changes.catch_up() == 1
        assert heard == [{changes.EVERYTHING}]

    def test_the_journal_is_pruned(self) -> None:
        announce("product:1", "product:2")
        Change.objects.filter(subject="product:1").update(created_at=now() - timedelta(hours=3))

        assert prune() == 1
        assert [change.subject for change in Change.objects.all()] == ["product:2"]

    def test_a_look_is_not_counted_as_a_query(self, django_assert_num_queries: Any) -> None:
        with django_assert_num_queries(0):
            changes.catch_up()

    def test_a_value_is_kept_until_its_subject_changes(self, heard: Heard) -> None:
        reads: list[int] = []

        @until_changed("pages")
        def read() -> int:
            reads.append(1)
            return len(reads)

        assert [read(), read()] == [1, 1]
        announce("product:1")
        assert read() == 1
        announce("pages")
        assert [read(), read()] == [2, 2]

    def test_a_value_that_changes_while_it_is_read_is_not_kept(self, heard: Heard) -> None:
        reads: list[int] = []

        @until_changed("pages")
        def read() -> int:
            reads.append(1)
            if len(reads) == 1:
                announce("pages")
                changes.catch_up()
            return len(reads)

        assert [read(), read(), read()] == [1, 2, 2]


class TestSeveralProcesses:
    pytestmark = pytest.mark.django_db(transaction=True)

    def test_an_announcement_needs_a_transaction(self) -> None:
        with pytest.raises(TransactionRuleBroken):
            announce("product:1")

    def test_transactions_that_commit_out_of_order_are_all_heard_once(self, heard: Heard) -> None:
        changes.catch_up()
        with another_process() as slow, another_process() as quick:
            write(slow, "product:1")
            write(quick, "product:2")
            quick.commit()
            assert [changes.catch_up(), changes.catch_up()] == [1, 0]

            slow.commit()
            assert [changes.catch_up(), changes.catch_up()] == [1, 0]

        assert heard == [{"product:2"}, {"product:1"}]
        first, second = Change.objects.order_by("id")
        assert (first.subject, second.subject) == ("product:1", "product:2")  # Ids tell nothing.
        assert first.xid < second.xid

    def test_a_long_transaction_makes_nobody_hear_things_twice(self, heard: Heard) -> None:
        with another_process() as long, another_process() as other:
            write(long, "product:1")
            changes.catch_up()
            for number in range(2, 6):
                write(other, f"product:{number}")
                other.commit()
                changes.catch_up()
            long.rollback()
            changes.catch_up()

        assert heard == [{f"product:{number}"} for number in range(2, 6)]

    def test_the_horizon_waits_for_the_oldest_open_transaction(self) -> None:
        with another_process() as long, another_process() as other:
            write(long, "product:1")
            long_xid = int(long.execute("SELECT pg_current_xact_id()::text").fetchone()[0])
            write(other, "product:2")
            other.commit()
            changes.catch_up()
            assert changes.get_horizon() <= long_xid
            assert changes.get_start() > long_xid

            long.commit()
            look_until_the_horizon_passes(long_xid)

    def test_the_horizon_waits_until_everybody_has_taken_in_what_is_new(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        horizons: list[int] = []

        def follow(found: frozenset[str]) -> tuple[()]:
            horizons.append(changes.get_horizon())
            return ()

        changes.catch_up()
        monkeypatch.setattr(changes, "_followers", [follow])
        with another_process() as other:
            write(other, "product:1")
        changes.catch_up()

        (xid,) = Change.objects.values_list("xid", flat=True)
        assert horizons[0] <= xid
        look_until_the_horizon_passes(xid)

    def test_numbers_that_a_restored_dump_brought_along_are_no_news(self, heard: Heard) -> None:
        changes.catch_up()
        Change.objects.create(subject="everything", xid=10**12)
        with another_process() as other:
            write(other, "product:1")

        assert [changes.catch_up(), changes.catch_up()] == [1, 0]
        assert heard == [{"product:1"}]

    def test_who_lived_through_the_restoring_of_a_dump_reads_everything_anew(
        self, heard: Heard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        changes.catch_up()
        horizon = changes.get_horizon()
        for name, value in (("snapshot", changes.Snapshot(f"{10**12}:{10**12}:")), ("table", 1)):
            monkeypatch.setattr(changes._reader, name, value)
            with another_process() as other:
                write(other, "product:1")
            changes.catch_up()
            assert heard.pop() == {changes.EVERYTHING}
            assert horizon <= changes.get_horizon() < 10**12

        with another_process() as other:
            write(other, "product:2")
        assert changes.catch_up() == 1
        assert heard == [{"product:2"}]

    def test_what_was_read_before_the_first_look_is_read_anew_after_it(
        self, heard: Heard, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.CHANGES_POLL_SECONDS = 0.001
        titles = iter(["Imprint", "Legal notice"])

        @until_changed("pages")
        def read() -> str:
            return next(titles)

        with monkeypatch.context() as away:
            away.setattr(changes, "_LOOK", "SELECT 1 / 0")
            assert read() == "Imprint"
        with another_process() as other:
            write(other, "pages")

        changes.look_again()
        assert read() == "Legal notice"

    def test_many_writers_at_once_lose_nothing(self, heard: Heard) -> None:
        changes.catch_up()
        is_over = threading.Event()

        def work(number: int) -> None:
            with another_process() as other:
                for step in range(20):
                    write(other, f"product:{number * 100 + step}")
                    if step % 3 == 2:
                        other.rollback()
                    else:
                        other.commit()

        def look() -> None:
            while not is_over.is_set():
                changes.catch_up()
            connection.close()

        reader = threading.Thread(target=look)
        writers = [threading.Thread(target=work, args=[number]) for number in range(6)]
        reader.start()
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        is_over.set()
        reader.join()
        changes.catch_up()

        told = [subject for batch in heard for subject in batch]
        assert sorted(told) == sorted(Change.objects.values_list("subject", flat=True))
        assert len(told) == len(set(told)) == 6 * 14

    def test_a_process_looks_twice_a_second_and_sees_its_own_at_once(
        self, heard: Heard, settings: Any
    ) -> None:
        settings.CHANGES_POLL_SECONDS = 60
        changes.catch_up()
        with another_process() as other:
            write(other, "product:1")
        assert changes.catch_up() == 0

        with transaction.atomic():
            announce("product:2")
        assert changes.catch_up() == 2

    def test_while_one_thread_looks_others_go_on_with_what_is_known(
        self, heard: Heard, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.CHANGES_POLL_SECONDS = 60
        changes.catch_up()
        with somebody_looking(monkeypatch) as let_go_on:
            changes.look_again()
            assert changes.catch_up() == 0
            assert heard == []
            let_go_on()

        assert heard == [{"product:1"}]

    def test_after_a_pause_nobody_goes_on_before_the_look_is_over(
        self, heard: Heard, settings: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.CHANGES_POLL_SECONDS = 0.01
        changes.catch_up()
        time.sleep(0.05)
        with somebody_looking(monkeypatch) as let_go_on:
            threading.Timer(0.2, let_go_on).start()
            changes.catch_up()
            assert heard == [{"product:1"}]

    def test_a_database_that_goes_away_and_comes_back(
        self, heard: Heard, settings: Any, caplog: Any
    ) -> None:
        settings.CHANGES_POLL_SECONDS = 0.001
        changes.catch_up()
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            (pid,) = cursor.fetchone()
        with another_process() as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            write(other, "product:1")

        changes.look_again()
        assert changes.catch_up() == 0
        assert "cannot be read" in caplog.text

        changes.look_again()
        assert changes.catch_up() == 1


@contextmanager
def somebody_looking(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Have another thread in the middle of a look, until the function is called."""
    is_looking, may_go_on = threading.Event(), threading.Event()

    def linger(found: frozenset[str]) -> tuple[()]:
        is_looking.set()
        may_go_on.wait(10)
        return ()

    monkeypatch.setattr(changes, "_followers", [linger])
    with another_process() as other:
        write(other, "product:1")
    looker = threading.Thread(target=in_own_connection(changes.catch_up))
    changes.look_again()
    looker.start()
    assert is_looking.wait(10)
    try:
        yield may_go_on.set
    finally:
        may_go_on.set()
        looker.join()


def in_own_connection(action: Callable[[], Any]) -> Callable[[], None]:
    def run() -> None:
        try:
            action()
        finally:
            connection.close()

    return run
