"""The web gives up on what no visitor waits for; everything else takes the time it needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.processes import ROOT, environment

ASK = """
from django.db import connection
with connection.cursor() as cursor:
    cursor.execute("SHOW statement_timeout")
    print(cursor.fetchone()[0])
    cursor.execute("SHOW lock_timeout")
    print(cursor.fetchone()[0])
"""


def ask_after(first: str, **chosen: str) -> list[str]:
    return run(first + ASK, **chosen)


def run(code: str, **chosen: str) -> list[str]:
    answer = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment(**chosen),
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.split()


@pytest.mark.django_db(transaction=True)
def test_a_page_gives_up_on_a_statement_and_a_command_does_not() -> None:
    web = ask_after("import config.wsgi", WEB_STATEMENT_TIMEOUT_MS="7000")
    command = ask_after("import django; django.setup()", DJANGO_SETTINGS_MODULE="config.settings")

    assert web == ["7s", "3s"]
    assert command == ["0", "3s"]


READ = """
import config.wsgi
from catalog.index import following
print(following.is_built())
"""


@pytest.mark.django_db(transaction=True)
def test_a_web_process_has_read_the_catalogue_before_it_serves_and_starts_without_a_database() -> (
    None
):
    there = run(READ)
    away = run(READ, DATABASE_URL="postgres://nobody@127.0.0.1:1/nothing")

    assert there == ["True"]
    assert away == ["False"]
