"""Does the time of an answer tell who has an account? `make bench ARGS="--enumeration"`.

Signs in with a wrong password, signs up, asks for a new password and buys as a guest, in turn with an
address that has an account and with one that has none, one request after the other. Then compares
both samples of each: their medians, by how much these may truly differ (an interval of nine tenths by
bootstrap), and how often an answer to a known address is the slower one (a half says nothing).
"""

from __future__ import annotations

import argparse
import re
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

import httpx

from bench import server
from bench.pages import HIDDEN_FIELD, SHOPPER

SAMPLES = 200
LIMIT_MS = 20.0
"""Beyond this two samples count as told apart."""
WARM_UP = 10
PRODUCTS = 40
PASSWORD = "a long enough password"
DRAWS = 2_000


@dataclass(frozen=True, slots=True)
class Compared:
    """Both samples of one form, in milliseconds; `low` and `high` bound the difference of medians."""

    known_ms: float
    unknown_ms: float
    ratio: float
    low_ms: float
    high_ms: float
    known_is_slower: float

    @property
    def is_told_apart(self) -> bool:
        return not -LIMIT_MS < self.low_ms <= self.high_ms < LIMIT_MS


def compare(known: Sequence[float], unknown: Sequence[float], *, seed: int = 1) -> Compared:
    """Compare two samples in milliseconds; the seed makes the draws of the bootstrap the same."""
    random = Random(seed)
    differences = sorted(
        statistics.median(random.choices(known, k=len(known)))
        - statistics.median(random.choices(unknown, k=len(unknown)))
        for _draw in range(DRAWS)
    )
    pairs = [(a > b) + (a == b) / 2 for a in known for b in unknown]
    return Compared(
        known_ms=statistics.median(known),
        unknown_ms=statistics.median(unknown),
        ratio=statistics.median(known) / statistics.median(unknown),
        low_ms=differences[round(0.05 * DRAWS)],
        high_ms=differences[round(0.95 * DRAWS) - 1],
        known_is_slower=statistics.mean(pairs),
    )


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Time every form and print the table; `faults` names the forms that tell."""
    with server.place() as here:
        variant = make_shop(options.samples)
        environment = {
            "TRUSTED_PROXY_COUNT": "1"
        }  # So that each visitor has an address of their own.
        with (
            server.provider(port=here.provider_port),
            server.web("config.wsgi:application", port=here.port, environment=environment),
        ):
            visitors = _Visitors(here.origin, variant)
            ways = {
                "sign in": visitors.sign_in,
                "sign up": visitors.sign_up,
                "new password": visitors.ask_for_a_new_password,
                "guest checkout": visitors.buy,
            }
            found = {name: _time(way, options.samples) for name, way in ways.items()}
    print(table(found))
    return {
        "samples": options.samples,
        "limit_ms": LIMIT_MS,
        "forms": {name: asdict(each) for name, each in found.items()},
        "faults": [
            f"{name} tells known addresses from unknown ones"
            for name, each in found.items()
            if each.is_told_apart
        ],
    }


def make_shop(samples: int) -> int:
    """Migrate, add something to buy and people with accounts; return what is bought."""
    import django

    django.setup()
    from allauth.account.models import EmailAddress
    from django.contrib.auth.hashers import make_password
    from django.core.management import call_command

    from accounts.models import User
    from bench import catalogue

    call_command("migrate", interactive=False, verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    catalogue.fill(PRODUCTS)
    password = make_password(PASSWORD)
    people = User.objects.bulk_create(
        User(email=_known(number), password=password) for number in range(samples + WARM_UP)
    )
    EmailAddress.objects.bulk_create(
        EmailAddress(user=person, email=person.email, verified=True, primary=True)
        for person in people
    )
    return catalogue.describe(PRODUCTS).variants[0]


def _known(number: int) -> str:
    return f"known-{number:06}@example.com"


def _unknown(number: int) -> str:
    return f"other-{number:06}@example.com"


def _time(way: Callable[[str], float], samples: int) -> Compared:
    """Let known and unknown addresses take turns, so that both see the same weather."""
    known, unknown = [], []
    for number in range(samples + WARM_UP):
        turns = [(known, _known(number)), (unknown, _unknown(number))]
        for sample, email in turns if number % 2 else reversed(turns):
            sample.append(way(email))
    return compare(known[WARM_UP:], unknown[WARM_UP:])


class _Visitors:
    """Each is a new one, with a network address of their own, so that no limit speaks for them."""

    def __init__(self, origin: str, variant: int) -> None:
        self.origin, self.variant = origin, variant
        self.count = 0

    def sign_in(self, email: str) -> float:
        typed = {"login": email, "password": "not the password"}
        return self._send("/accounts/login/", typed, status=200)

    def sign_up(self, email: str) -> float:
        typed = {"email": email, "password1": PASSWORD}
        return self._send("/accounts/signup/", typed, status=302)

    def ask_for_a_new_password(self, email: str) -> float:
        return self._send("/accounts/password/reset/", {"email": email}, status=302)

    def buy(self, email: str) -> float:
        with self._come() as visitor:
            visitor.post("/cart/add/", data={"variant": str(self.variant), "quantity": "1"})
            return self._submit(visitor, "/checkout/", SHOPPER | {"email": email}, status=302)

    def _send(self, path: str, typed: dict[str, str], *, status: int) -> float:
        with self._come() as visitor:
            return self._submit(visitor, path, typed, status=status)

    def _come(self) -> httpx.Client:
        self.count += 1
        host, rest = self.count % 250 + 1, self.count // 250
        address = f"10.{rest // 250}.{rest % 250}.{host}"
        return httpx.Client(base_url=self.origin, headers={"X-Forwarded-For": address}, timeout=60)

    def _submit(
        self, visitor: httpx.Client, path: str, typed: dict[str, str], *, status: int
    ) -> float:
        """Fill in the form and send it off; return the milliseconds until its answer was there."""
        hidden = dict(HIDDEN_FIELD.findall(visitor.get(path).text))
        began = time.perf_counter()
        answer = visitor.post(path, data=hidden | typed)
        spent = time.perf_counter() - began
        if answer.status_code != status:
            title = re.search(r"<title>(.*?)</title>", answer.text, re.DOTALL)
            raise server.NotStarted(
                f"{path} answered {answer.status_code}, not {status}: {title and title[1]}"
            )
        return 1000 * spent


def table(found: dict[str, Compared]) -> str:
    """Lay the forms out, a line each."""
    heads = ("known ms", "unknown ms", "ratio", "difference, 90 %", "slower", "")
    lines = [f"\n{'':<16}" + "".join(f"{head:>18}" for head in heads)]
    for name, each in found.items():
        figures = (
            f"{each.known_ms:.1f}", f"{each.unknown_ms:.1f}", f"{each.ratio:.3f}",
            f"{each.low_ms:+.1f} to {each.high_ms:+.1f}", f"{each.known_is_slower:.2f}",
            "TELLS" if each.is_told_apart else "does not tell",
        )  # fmt: skip
        lines.append(f"{name:<16}" + "".join(f"{figure:>18}" for figure in figures))
    return "\n".join(lines)
