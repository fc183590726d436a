"""`make run` on a bare machine: what it installs, what it says, and that it leaves nothing behind."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.server import free_port
from config.launch import LaunchFailed, require_alive, supervising

ROOT = Path(__file__).resolve().parents[2]
PROJECT_FOLDERS = (
    *("config", "shop", "accounts", "catalog", "cart", "payments", "orders"),
    *("templates", "static", "locale"),
)


@pytest.fixture
def signals() -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.fixture
def bare_checkout(tmp_path: Path) -> Path:
    """Make a checkout whose virtual environment holds programs that only note their arguments."""
    (tmp_path / "config").mkdir()
    shutil.copy(ROOT / "config" / "run.py", tmp_path / "config")
    (tmp_path / "requirements.txt").write_text("django==5.2\n")
    (tmp_path / "requirements-dev.txt").write_text("pytest==9\n")
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    (tmp_path / ".venv" / "pyvenv.cfg").write_text("version = 3.11\n")
    for name in ("python", "pip", "uv"):
        make_program(programs / name, f'echo {name} "$@" >> {tmp_path}/calls')
    return tmp_path


def make_program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def setup(checkout: Path, profile: str = "run") -> list[str]:
    """Run the set-up and give the program names and actions that it called."""
    calls = checkout / "calls"
    calls.unlink(missing_ok=True)
    subprocess.run([sys.executable, "config/run.py", "--setup", profile], cwd=checkout, check=True)
    lines = calls.read_text().splitlines() if calls.exists() else []
    return [" ".join(word for word in line.split() if not word.startswith("/")) for line in lines]


def run_shop(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "config/run.py"],
        cwd=checkout,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_packages_are_installed_once(bare_checkout: Path) -> None:
    first = setup(bare_checkout)
    second = setup(bare_checkout)

    assert first == ["uv pip install -q --python -r"]
    assert second == []


def test_changed_requirements_are_installed_again(bare_checkout: Path) -> None:
    setup(bare_checkout)
    (bare_checkout / "requirements.txt").write_text("django==5.3\n")

    assert setup(bare_checkout) == ["uv pip install -q --python -r"]


def test_development_packages_contain_those_of_the_shop(bare_checkout: Path) -> None:
    development = setup(bare_checkout, "dev")
    shop = setup(bare_checkout, "run")

    assert development == ["uv pip install -q --python -r -r"]
    assert shop == []


def test_pip_steps_in_where_uv_does_not_manage(bare_checkout: Path) -> None:
    make_program(bare_checkout / ".venv" / "bin" / "uv", "exit 1")

    assert setup(bare_checkout) == ["python -m pip install -q -r"]


def test_a_failed_installation_says_so_and_is_tried_again(bare_checkout: Path) -> None:
    for name in ("python", "uv"):
        make_program(bare_checkout / ".venv" / "bin" / name, "exit 1")

    answer = run_shop(bare_checkout, PORT=str(free_port()))

    assert answer.returncode == 1
    assert "The packages could not be installed" in answer.stderr
    assert not (bare_checkout / ".venv" / ".installed-run").exists()


def test_a_taken_port_is_told_before_anything_is_installed(bare_checkout: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        answer = run_shop(bare_checkout, PORT=str(port))

    assert answer.returncode == 1
    assert f"Port {port} of 127.0.0.1 cannot be used" in answer.stderr
    assert "choose another port: PORT=8080 make run" in answer.stderr
    assert not (bare_checkout / "calls").exists()


@pytest.mark.parametrize("port", ["many", "0", "65536", "-1"])
def test_a_wrong_port_is_named(bare_checkout: Path, port: str) -> None:
    answer = run_shop(bare_checkout, PORT=port)

    assert answer.returncode == 1
    assert f"PORT is {port!r}: choose a number from 1 to 65535" in answer.stderr


def test_a_process_that_dies_is_named_and_takes_the_others_with_it(signals: None) -> None:
    waits, dies = ("sleep", "60"), (sys.executable, "-c", "raise SystemExit(3)")

    with supervising({"relay": waits, "web": dies}) as children:
        children[1].process.wait()
        with pytest.raises(LaunchFailed) as failure:
            require_alive(children)

    assert "The web process ended with status 3, so everything was stopped." in str(failure.value)
    assert [child.process.returncode for child in children] == [-signal.SIGTERM, 3]


def test_workers_of_a_process_are_not_orphaned(signals: None, tmp_path: Path) -> None:
    note = tmp_path / "worker"
    program = f"sleep 60 & echo $! > {note}.new; mv {note}.new {note}; wait"

    with supervising({"web": ("sh", "-c", program)}):
        while not note.exists():
            time.sleep(0.01)
    worker = Path(f"/proc/{note.read_text().strip()}/stat")

    deadline = time.monotonic() + 5
    while worker.exists() and worker.read_text().split()[2] != "Z":
        assert time.monotonic() < deadline, "the worker is still running"
        time.sleep(0.01)


def test_the_whole_shop_starts_answers_and_leaves_nothing_running() -> None:
    checkout = Path(tempfile.mkdtemp(prefix="emporium-run-"))
    checkout.chmod(stat.S_IRWXU | stat.S_IXOTH | stat.S_IROTH)
    port = free_port(in_a_row=2)  # the simulator takes the next one
    environment = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "PORT"}}
    for name in (*PROJECT_FOLDERS, "manage.py", "requirements.txt", "requirements-dev.txt"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        if (ROOT / name).exists():
            copy(ROOT / name, checkout / name)
    (checkout / ".venv").symlink_to(ROOT / ".venv")

    shop = subprocess.Popen(
        [sys.executable, "config/run.py"],
        cwd=checkout,
        env={**environment, "PORT": str(port)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert shop.stdout is not None
    said = []
    for line in shop.stdout:
        said.append(line)
        if "Ctrl-C stops everything" in line:
            break
    else:
        pytest.fail("The shop did not open:\n" + "".join(said))
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as page:
        status, html = page.status, page.read().decode()
    shop.terminate()
    rest = shop.stdout.read()
    code = shop.wait(timeout=60)
    pid_file = checkout / "var" / "postgres" / "data" / "postmaster.pid"
    is_database_running = pid_file.exists()
    shutil.rmtree(checkout)

    assert f"Emporium is open: http://127.0.0.1:{port}/\n" in said
    assert (status, "Emporium" in html) == (200, True)
    # The relay and the simulator say that they have started whenever they have, even this late.
    started = ("The relay is running", "Payment simulator at")
    last_words = [line for line in rest.splitlines() if line and not line.startswith(started)]
    assert (code, last_words) == (0, ["Stopping the payment simulator.", "The shop is closed."])
    assert is_database_running is False
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
