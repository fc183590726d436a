"""The database that the shop brings along: started once, shared, stopped by the last one."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import environ
import psycopg
import pytest

from config import postgres
from config.postgres import Cluster, DatabaseNotStarted
from config.postgres_programs import Account, find_programs, place_outside
from tests.services import new_folder

ROOT = Path(__file__).resolve().parents[2]
root_only = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives the server to a helper")


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    folder = new_folder()
    yield folder
    Cluster(folder).destroy()


@pytest.fixture
def cluster(home: Path) -> Iterator[Cluster]:
    cluster = Cluster(home, durable=False)
    yield cluster
    cluster.release()


@pytest.fixture
def no_database_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "DATABASE_URL_FILE", "EMPORIUM_MODE"):
        monkeypatch.delenv(name, raising=False)


def answers(cluster: Cluster) -> bool:
    try:
        psycopg.connect(cluster.url()).close()
    except psycopg.OperationalError:
        return False
    return True


def ask(cluster: Cluster, question: str) -> str:
    with psycopg.connect(cluster.url()) as connection:
        return str(connection.execute(question).fetchone()[0])


def server_pid(cluster: Cluster) -> int:
    return int((cluster.data / "postmaster.pid").read_text().split()[0])


def test_first_start_makes_an_empty_emporium_database(cluster: Cluster) -> None:
    cluster.hold()

    assert ask(cluster, "SELECT current_database()") == "emporium"
    assert ask(cluster, "SELECT lower('ÀÉÖ')") == "àéö"
    assert ask(cluster, "SHOW server_encoding") == "UTF8"


def test_the_server_listens_on_no_network_address(cluster: Cluster) -> None:
    cluster.hold()

    assert ask(cluster, "SHOW listen_addresses") == ""
    assert stat.S_IMODE(cluster.sockets.stat().st_mode) == 0o700


def test_a_shop_keeps_its_data_through_a_power_cut_and_a_test_does_not_care(home: Path) -> None:
    shop, throw_away = Cluster(home), Cluster(home, durable=False)

    shop.hold()
    of_shop = ask(shop, "SHOW fsync")
    shop.release()
    throw_away.hold()
    of_tests = ask(throw_away, "SHOW fsync")
    throw_away.release()

    assert (of_shop, of_tests) == ("on", "off")


def test_the_server_runs_until_its_last_user_leaves(home: Path) -> None:
    first, second = Cluster(home, durable=False), Cluster(home, durable=False)

    first.hold()
    second.hold()
    first.release()
    after_first = answers(second)
    second.release()

    assert after_first is True
    assert answers(second) is False
    assert not (second.data / "postmaster.pid").exists()


def test_data_is_there_again_after_a_restart(home: Path) -> None:
    first, second = Cluster(home, durable=False), Cluster(home, durable=False)
    first.hold()
    with psycopg.connect(first.url()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    first.release()

    second.hold()
    kept = ask(second, "SELECT answer FROM kept")
    second.release()

    assert kept == "42"


def test_a_killed_user_does_not_keep_the_server_alive(home: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from config.postgres import Cluster\n"
        "Cluster(Path(sys.argv[1]), durable=False).hold(); print('held', flush=True); time.sleep(60)"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", program, home], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert user.stdout is not None
    assert user.stdout.readline() == "held\n"
    user.kill()
    user.communicate()
    other = Cluster(home, durable=False)

    other.hold()
    while_held = answers(other)
    other.release()

    assert while_held is True
    assert answers(other) is False


def test_a_killed_server_is_started_again(home: Path) -> None:
    first, second = Cluster(home, durable=False), Cluster(home, durable=False)
    first.hold()
    os.kill(server_pid(first), signal.SIGKILL)
    while answers(first):
        time.sleep(0.01)

    second.hold()
    answered = answers(second)
    second.release()
    first.release()

    assert answered is True


def test_a_process_id_that_now_belongs_to_another_program_is_no_hindrance(home: Path) -> None:
    cluster = Cluster(home, durable=False)
    cluster.hold()
    cluster.release()
    pid_file = cluster.data / "postmaster.pid"
    pid_file.write_text(
        f"{os.getpid()}\n{cluster.data}\n1\n5432\n{cluster.sockets}\n\n  1  1\nready   \n"
    )

    cluster.hold()
    answered = answers(cluster)
    cluster.release()

    assert answered is True


def test_ten_processes_that_start_at_once_share_one_server(home: Path) -> None:
    program = (
        "import sys, psycopg; from pathlib import Path; from config.postgres import Cluster\n"
        "cluster = Cluster(Path(sys.argv[1]), durable=False); cluster.hold()\n"
        "psycopg.connect(cluster.url()).close(); print('bought')"
    )
    users = [
        subprocess.Popen([sys.executable, "-c", program, home], cwd=ROOT, stdout=subprocess.PIPE)
        for _user in range(10)
    ]
    said = [user.communicate(timeout=60)[0] for user in users]

    assert said == [b"bought\n"] * 10
    assert answers(Cluster(home)) is False


def test_a_database_of_another_version_is_refused_with_a_way_out(home: Path) -> None:
    cluster = Cluster(home, durable=False)
    cluster.hold()
    cluster.release()
    version_file = cluster.data / "PG_VERSION"
    version = version_file.read_text()
    version_file.write_text("9\n")

    with pytest.raises(DatabaseNotStarted) as refusal:
        cluster.hold()
    version_file.write_text(version)

    assert "made by PostgreSQL 9, and only PostgreSQL 9 can open it" in str(refusal.value)
    assert "Install PostgreSQL 9, or set DATABASE_URL to another server." in str(refusal.value)


def test_a_server_that_cannot_start_shows_the_end_of_its_log(home: Path) -> None:
    cluster = Cluster(home, durable=False, settings={"shared_buffers": "nonsense"})

    with pytest.raises(DatabaseNotStarted) as refusal:
        cluster.hold()

    assert 'invalid value for parameter "shared_buffers"' in str(refusal.value)
    assert "or set DATABASE_URL to a PostgreSQL server." in str(refusal.value)


@pytest.mark.parametrize("name", ["a, very long " + "path " * 20, "with 'quotes' & $(dollars)"])
def test_a_peculiar_folder_works(name: str) -> None:
    home = new_folder() / name / "postgres"
    cluster = Cluster(home, durable=False)

    cluster.hold()
    parsed = environ.Env.db_url_config(cluster.url())
    with psycopg.connect(
        dbname=parsed["NAME"],
        user=parsed["USER"],
        port=parsed["PORT"],
        host=parsed["OPTIONS"]["host"],
    ) as connection:
        answer = connection.execute("SELECT 1").fetchone()
    cluster.destroy()
    shutil.rmtree(home.parents[1])

    assert answer == (1,)


@pytest.mark.parametrize("choice", ["installed", "embedded"])
def test_installed_and_embedded_programs_both_work(
    choice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPORIUM_POSTGRES_BIN", choice)
    home = new_folder()
    cluster = Cluster(home, durable=False)
    try:
        find_programs(cluster.account)
    except DatabaseNotStarted:
        pytest.skip(f"this machine has no {choice} PostgreSQL")

    cluster.hold()
    answered = answers(cluster)
    cluster.destroy()

    assert answered is True
    assert not home.exists()


@root_only
def test_a_folder_of_somebody_else_is_refused() -> None:
    nobody = Account.for_home(Path("/nowhere"))
    if not nobody.can_reach(ROOT / "config") or not Path("/usr/bin/python3").exists():
        pytest.skip(f"the user {nobody.name} cannot run this checkout")
    home = new_folder()
    home.mkdir()
    program = (
        "import sys; from pathlib import Path; from config.postgres import Cluster\n"
        "Cluster(Path(sys.argv[1])).hold()"
    )

    answer = subprocess.run(
        ["/usr/bin/python3", "-B", "-c", program, home],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
        **nobody.identity(),
    )
    home.rmdir()

    assert f"{home} belongs to the user root." in answer.stderr


@root_only
def test_roots_private_folder_stays_private(tmp_path: Path) -> None:
    checkout = tmp_path / "private" / "checkout"
    shutil.copytree(ROOT / "config", checkout / "config")
    tmp_path.chmod(0o700)
    program = (
        "from config import postgres, postgres_programs as programs\n"
        "print(postgres.local_database_url()); print(postgres.ensure_started())\n"
        "print(programs.place_outside())"
    )
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DATABASE_URL")}

    answer = subprocess.run(
        [sys.executable, "-c", program],
        cwd=checkout,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    announced, started, outside = answer.stdout.splitlines()
    shutil.rmtree(outside)

    assert announced == started == f"postgres://postgres@:5432/emporium?host={quoted(outside)}"
    assert outside != str(place_outside())
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
    assert not (checkout / "var").exists()


def quoted(outside: str) -> str:
    return f"{outside}/postgres".replace("/", "%2F")


def test_a_chosen_database_is_used_and_none_is_started(
    monkeypatch: pytest.MonkeyPatch, no_database_chosen: None
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://shop@db.example.com/shop")

    assert postgres.ensure_started() == "postgres://shop@db.example.com/shop"
    assert postgres.lease_descriptors() == ()


def test_production_never_starts_a_database(
    monkeypatch: pytest.MonkeyPatch, no_database_chosen: None
) -> None:
    monkeypatch.setenv("EMPORIUM_MODE", "production")

    assert postgres.ensure_started() == ""
    assert postgres.lease_descriptors() == ()


def test_naming_the_local_database_touches_nothing() -> None:
    before = sorted(path.name for path in ROOT.iterdir())

    url = postgres.local_database_url()

    assert url.startswith("postgres://postgres@:5432/emporium?host=%2F")
    assert sorted(path.name for path in ROOT.iterdir()) == before


def test_children_inherit_the_lease_only_on_purpose(cluster: Cluster) -> None:
    cluster.hold()

    assert cluster.lease is not None
    assert os.get_inheritable(cluster.lease) is False
