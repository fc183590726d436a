"""A PostgreSQL of the shop's own, for the first run and for tests: no port, no service, no root.

The server listens on a Unix socket in a folder that only its user can enter. Every process that
uses it holds a lease (a shared lock on a file); the last one to leave stops the server.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from config.postgres_programs import (
    CHECKOUT,
    Account,
    DatabaseNotStarted,
    Programs,
    find_programs,
    make_own_folder,
    place_outside,
    short_hash,
)

__all__ = [
    "Cluster",
    "DatabaseNotStarted",
    "ensure_started",
    "lease_descriptors",
    "local_database_url",
]

DATABASE = "emporium"
PORT = 5432  # names the socket file; nothing listens on the network
LONGEST_SOCKET_PATH = 103  # macOS; Linux allows 107
PATIENCE_SECONDS = 120
FAST_AND_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}

_shared: Cluster | None = None


def local_database_url() -> str:
    """Name the database of this checkout, without starting or touching anything."""
    return _cluster_url(_local_home(), DATABASE)


def ensure_started() -> str:
    """Make sure a database answers, and return its address.

    An address from the environment wins and nothing is started; the answer is then DATABASE_URL
    as it stands, empty if a file holds it. Raises DatabaseNotStarted.
    """
    global _shared
    is_chosen = os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE")
    if is_chosen or os.environ.get("EMPORIUM_MODE") == "production":
        return os.environ.get("DATABASE_URL", "")
    if _shared is None:
        _shared = Cluster(_local_home())
    _shared.hold()
    return _shared.url()


def lease_descriptors() -> tuple[int, ...]:
    """Give what a child process should inherit to keep the server running as long as it lives."""
    return () if _shared is None or _shared.lease is None else (_shared.lease,)


class Cluster:
    """One PostgreSQL data folder with its server, shared by any number of processes.

    A cluster that is not durable is faster and lost in a power cut: right for tests.
    """

    def __init__(
        self,
        home: Path,
        *,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        self.data = home / "data"
        self.log = home / "server.log"
        self.account = Account.for_home(home)
        self.sockets = _socket_folder(home, self.account)
        self.lease: int | None = None
        self._holder = 0
        self._durable = durable
        self._settings = {
            **({} if durable else FAST_AND_FORGETFUL),
            "log_checkpoints": "off",
            **(settings or {}),
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": str(self.sockets),
            "unix_socket_permissions": "0700",
        }

    def url(self, database: str = DATABASE) -> str:
        return _cluster_url(self.home, database)

    def hold(self) -> None:
        """Start the server unless it runs, and keep it until `release` or the end of the process.

        Raises DatabaseNotStarted.
        """
        if self.lease is not None:
            return
        try:
            self._make_folders()
            with self._guard():
                lease = self._open("lease")
                fcntl.flock(lease, fcntl.LOCK_SH)
                try:
                    self._start()
                except BaseException:
                    with suppress(OSError, DatabaseNotStarted):
                        self._stop_if_last(lease)
                    os.close(lease)
                    raise
        except OSError as error:
            raise DatabaseNotStarted(
                f"The shop's own database cannot be kept in {self.home}: {error}. Make that folder "
                "writable, or set DATABASE_URL to a PostgreSQL server."
            ) from error
        self.lease, self._holder = lease, os.getpid()
        atexit.register(self._release_at_exit)

    def release(self) -> None:
        """Give the lease back; stop the server if nobody else holds one."""
        if self.lease is None or self._holder != os.getpid():
            return
        lease, self.lease = self.lease, None
        atexit.unregister(self._release_at_exit)
        try:
            with self._guard():
                self._stop_if_last(lease)
        except FileNotFoundError:
            pass  # the folder was deleted under a running server, which then stops by itself
        finally:
            os.close(lease)

    def crash(self) -> None:
        """End the server as a crash does and start it again: for proofs, on data of their own.

        Raises DatabaseNotStarted.
        """
        with self._guard():
            programs = find_programs(self.account, major=self._major())
            command = [programs.path("pg_ctl"), "stop", "-w", "-m", "immediate"]
            self._run([*command, "-t", str(PATIENCE_SECONDS), "-D", "data"])
            self._start()

    def destroy(self) -> None:
        """Stop the server and delete the data. Only for clusters that tests make."""
        self.release()
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.sockets, ignore_errors=True)

    def _release_at_exit(self) -> None:
        try:
            self.release()
        except DatabaseNotStarted as error:
            print(error, file=sys.stderr)

    # Files ----------------------------------------------------------------------------------------

    def _make_folders(self) -> None:
        if not self.account.can_reach(self.home):
            raise DatabaseNotStarted(
                f"PostgreSQL runs as the user {self.account.name}, who cannot enter the folders "
                f"above {self.home}. Run the shop as an ordinary user, or set DATABASE_URL."
            )
        make_own_folder(self.home, self.account)
        make_own_folder(self.sockets, self.account)

    @contextmanager
    def _guard(self) -> Iterator[None]:
        """Let one process at a time start or stop the server."""
        guard = self._open("guard")
        try:
            fcntl.flock(guard, fcntl.LOCK_EX)
            yield
        finally:
            os.close(guard)

    def _open(self, name: str) -> int:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
        descriptor = os.open(self.home / name, flags, 0o600)
        # The helper may write here: root must not be led to give away a file that lies elsewhere.
        if not self.account.is_current and os.fstat(descriptor).st_nlink == 1:
            os.fchown(descriptor, self.account.uid, self.account.gid)
        return descriptor

    # Server ---------------------------------------------------------------------------------------

    def _start(self) -> None:
        state = self._wait_while_busy()
        if state == "ready":
            return
        if not self.data.exists():
            self._create()
        programs = find_programs(self.account, major=self._major())
        for left_over in self.sockets.glob(f".s.PGSQL.{PORT}*"):
            left_over.unlink()
        options = " ".join(f"-c {shlex.quote(f'{k}={v}')}" for k, v in self._settings.items())
        command = [programs.path("pg_ctl"), "start", "-w", "-t", str(PATIENCE_SECONDS)]
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            if self.log.exists():
                self.log.replace(self.log.with_name("server.log.1"))
            answer = self._run([*command, "-D", "data", "-l", self.log.name, "-o", options])
            if answer.returncode == 0:
                return
            # A killed server's last queries may hold its memory for a moment.
            if "shared memory block" not in self._end_of_log() or time.monotonic() > deadline:
                break
            time.sleep(0.5)
        raise DatabaseNotStarted(
            f"PostgreSQL {programs.version} did not start. The end of {self.log} says:\n"
            f"{self._end_of_log() or _indented(answer.stdout)}\n"
            "Free what it complains about (disk space, memory, another server on the same "
            "folder) and try again, or set DATABASE_URL to a PostgreSQL server."
        )

    def _stop_if_last(self, lease: int) -> None:
        try:
            fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        if self._state() == "absent":
            return
        programs = find_programs(self.account, major=self._major())
        command = [programs.path("pg_ctl"), "stop", "-w", "-m", "fast"]
        answer = self._run([*command, "-t", str(PATIENCE_SECONDS), "-D", "data"])
        if answer.returncode and self._state() != "absent":
            raise DatabaseNotStarted(
                f"PostgreSQL did not stop within {PATIENCE_SECONDS} seconds:\n"
                f"{_indented(answer.stdout)}\nIts process id is the first line of "
                f"{self.data / 'postmaster.pid'}."
            )

    def _create(self) -> None:
        """Make the data folder under another name first: a folder named `data` is complete."""
        programs = find_programs(self.account)
        draft = self.data.with_name("data.new")
        shutil.rmtree(draft, ignore_errors=True)
        character_type = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        initialise = [
            *(
                programs.path("initdb"),
                "-D",
                draft.name,
                "--username=postgres",
                "--auth=trust",
            ),
            *("--encoding=UTF8", "--locale=C", f"--lc-ctype={character_type}"),
            *("--no-instructions", *([] if self._durable else ["--no-sync"])),
        ]
        self._require(programs, initialise)
        settings = [part for k, v in self._settings.items() for part in ("-c", f"{k}={v}")]
        single_user = [
            programs.path("postgres"),
            "--single",
            "-D",
            draft.name,
            *settings,
        ]
        self._require(programs, [*single_user, "postgres"], f"CREATE DATABASE {DATABASE};\n")
        draft.rename(self.data)

    def _require(self, programs: Programs, command: list[str], text: str = "") -> None:
        answer = self._run(command, text)
        if answer.returncode or re.search(r"\b(ERROR|FATAL|PANIC):", answer.stdout):
            raise DatabaseNotStarted(
                f"PostgreSQL {programs.version} could not make a database in {self.home}:\n"
                f"{_indented(answer.stdout)}\n"
                "The folder must lie on a disk with room and Unix permissions; or set DATABASE_URL "
                "to a PostgreSQL server."
            )

    def _run(self, command: list[str], text: str = "") -> subprocess.CompletedProcess[str]:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_"))}
        try:
            return subprocess.run(
                command,
                check=False,
                cwd=self.home,
                env={**environment, "LC_ALL": "C"},
                input=text,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                **self.account.identity(),
            )
        except PermissionError as error:
            raise DatabaseNotStarted(
                f"PostgreSQL cannot be run as the user {self.account.name} here ({error}). Run the "
                "shop as an ordinary user, or set DATABASE_URL."
            ) from error

    # State ----------------------------------------------------------------------------------------

    def _major(self) -> int:
        return int((self.data / "PG_VERSION").read_text())

    def _wait_while_busy(self) -> str:
        """Wait for a server that somebody left while it was starting or stopping."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (state := self._state()) == "busy":
            if time.monotonic() > deadline:
                raise DatabaseNotStarted(
                    f"The PostgreSQL server in {self.data} neither answers nor ends. The end of "
                    f"{self.log} says:\n{self._end_of_log()}"
                )
            time.sleep(0.1)
        return state

    def _state(self) -> str:
        """Answer `ready`, `busy` or `absent`; forget a pid that now belongs to something else."""
        pid_file = self.data / "postmaster.pid"
        try:
            lines = pid_file.read_text().splitlines()
            pid = int(lines[0])
        except (FileNotFoundError, IndexError, ValueError):
            return "absent"
        if self._answers():
            says_ready = len(lines) > 7 and lines[7].strip() == "ready"
            return "ready" if says_ready else "busy"
        if not _is_alive(pid):
            return "absent"
        if not self._is_our_server(pid):
            pid_file.unlink(missing_ok=True)
            return "absent"
        return "busy"

    def _is_our_server(self, pid: int) -> bool:
        process = Path(f"/proc/{pid}")
        if not process.exists():
            return True
        try:
            if (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return False  # ended, but nobody collects it, as in containers without an init
            return os.path.samefile(process / "cwd", self.data)
        except PermissionError:  # root without CAP_SYS_PTRACE, as in many containers
            return (process / "comm").read_text().strip() == "postgres"
        except OSError:
            return False

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            try:
                client.connect(str(self.sockets / f".s.PGSQL.{PORT}"))
            except OSError:
                return False
        return True

    def _end_of_log(self) -> str:
        try:
            return _indented("\n".join(self.log.read_text(errors="replace").splitlines()[-15:]))
        except OSError:
            return ""


def _local_home() -> Path:
    """Find the cluster of this checkout; root's may lie outside, where its helper can reach it."""
    inside = CHECKOUT / "var" / "postgres"
    if os.geteuid() != 0:
        return inside
    outside = place_outside() / "postgres"
    for home in (inside, outside):
        if (home / "data").exists():
            return home
    return inside if Account.for_home(inside).can_reach(inside) else outside


def _socket_folder(home: Path, account: Account) -> Path:
    """Use the cluster's folder, or a short one where its path is too long or too peculiar."""
    is_short = len(os.fsencode(home)) + len(f"/.s.PGSQL.{PORT}") <= LONGEST_SOCKET_PATH
    if is_short and re.fullmatch(r"[\w/. +@~-]+", str(home), re.ASCII):
        return home
    return Path("/tmp") / f"emporium-{short_hash(f'{home}:{account.uid}')}"


def _cluster_url(home: Path, database: str) -> str:
    folder = quote(str(_socket_folder(home, Account.for_home(home))), safe="")
    return f"postgres://postgres@:{PORT}/{database}?host={folder}"


def _is_alive(pid: int) -> bool:
    with suppress(PermissionError):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return False
    return True


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-15:])
