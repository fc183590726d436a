"""Typed readers for the environment: every fault is collected, named and told with its cure."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import environ
from environ.fileaware_mapping import FileAwareMapping

T = TypeVar("T")


class ConfigurationFaults(Exception):
    """The environment does not describe a shop that can start; the text lists every fault."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = list(faults)
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        count = len(self.faults)
        noun = "setting needs" if count == 1 else "settings need"
        super().__init__(
            f"{count} {noun} attention before the shop can start:\n{lines}\n"
            "Every setting is explained in .env.example."
        )


class Environment:
    """Reads variables through django-environ; `NAME_FILE` may hold the path of a secret's file."""

    def __init__(self, values: dict[str, str] | None = None) -> None:
        self.values = dict(os.environ if values is None else values)
        self.faults: list[str] = []
        self._reader = environ.FileAwareEnv()
        self._reader.ENVIRON = FileAwareMapping(self.values)

    def is_set(self, name: str) -> bool:
        return bool(self.values.get(name) or self.values.get(f"{name}_FILE"))

    def text(self, name: str, default: str = "", *, required: str = "") -> str:
        """Read a text; `required` says what to do when it is missing."""
        value = self._read(name, self._reader.str, default)
        if required and not value:
            self.faults.append(f"{name} is not set: {required}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        raw = self._read(name, self._reader.str, "").strip().lower()
        if not raw:
            return default
        if raw in {"1", "true", "yes", "on"}:
            return True
        if raw in {"0", "false", "no", "off"}:
            return False
        self.faults.append(f"{name} is {raw!r}: write true or false.")
        return default

    def number(self, name: str, default: int, *, at_least: int = 0, at_most: int = 10**9) -> int:
        raw = self._read(name, self._reader.str, "").strip()
        if not raw:
            return default
        try:
            value = int(raw)
        except ValueError:
            self.faults.append(f"{name} is {raw!r}: write a whole number.")
            return default
        if not at_least <= value <= at_most:
            self.faults.append(f"{name} is {value}: it must lie between {at_least} and {at_most}.")
            return default
        return value

    def words(self, name: str, default: list[str] | None = None) -> list[str]:
        """Read a comma-separated list."""
        raw = self._read(name, self._reader.str, "")
        words = [word.strip() for word in raw.split(",") if word.strip()]
        return words or list(default or [])

    def choice(self, name: str, default: str, choices: Iterable[str]) -> str:
        allowed = list(choices)
        value = self._read(name, self._reader.str, default)
        if value not in allowed:
            self.faults.append(f"{name} is {value!r}: choose one of {', '.join(allowed)}.")
            return default
        return value

    def database(self, name: str, default: str) -> dict[str, Any]:
        url = self._read(name, self._reader.str, "") or default
        return self._parse(name, url, environ.Env.db_url_config, "postgres://user:password@host/db")

    def email(self, name: str) -> dict[str, Any]:
        url = self._read(name, self._reader.str, "")
        if not url:
            return {}
        example = "smtp+tls://user:password@mail.example.com:587"
        parsed = self._parse(name, url, environ.Env.email_url_config, example)
        if parsed and "EMAIL_BACKEND" not in parsed:
            self.faults.append(f"{name} names no mail transport: write for example {example}.")
        return parsed

    def raise_faults(self) -> None:
        if self.faults:
            raise ConfigurationFaults(self.faults)

    def _read(self, name: str, reader: Callable[..., T], default: T) -> T:
        path = self.values.get(f"{name}_FILE")
        if path and not Path(path).is_file():
            self.faults.append(f"{name}_FILE points at {path}, which is not a readable file.")
            return default
        if not self.is_set(name):
            return default
        return reader(name, default=default)

    def _parse(
        self, name: str, url: str, parser: Callable[[str], dict[str, Any]], example: str
    ) -> dict[str, Any]:
        try:
            parsed = parser(url)
        except (environ.ImproperlyConfigured, ValueError, KeyError, AttributeError):
            parsed = {}
        if not parsed:
            self.faults.append(f"{name} cannot be read: write it like {example}.")
        return parsed
