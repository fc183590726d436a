"""Idempotency keys: the same request twice gets the first answer, byte for byte.

Source: https://docs.stripe.com/api/idempotent_requests. Answers are kept once an operation has
begun, refusals included; parameters that fail their check are not kept, and keys live 24 hours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256

from payments.simulator.errors import (
    IdempotencyKeyInUse,
    IdempotencyMismatch,
    InvalidParameter,
    Refusal,
)
from payments.simulator.provider import Provider
from payments.simulator.store import Document, StoredAnswer, to_json

KEY_LIFE = 24 * 60 * 60
LONGEST_KEY = 255


@dataclass(frozen=True)
class Outcome:
    status: int
    body: str
    is_replayed: bool = False


def fingerprint(method: str, path: str, form: str) -> str:
    """Tell requests apart by what they ask for, whatever the order of their fields."""
    fields = "&".join(sorted(form.split("&")))
    return sha256(f"{method} {path}\n{fields}".encode()).hexdigest()


def run_once(
    provider: Provider,
    key: str,
    request_fingerprint: str,
    perform: Callable[[], Document],
    *,
    before_work: Callable[[], None],
) -> Outcome:
    """Perform and keep the answer in one transaction, or repeat the answer kept before."""
    if len(key) > LONGEST_KEY:
        raise InvalidParameter(f"Idempotency keys can be up to {LONGEST_KEY} characters long.")
    with _hold(provider, key):
        kept = provider.store.get_answer(key)
        if kept and kept.created > provider.now() - KEY_LIFE:
            if kept.fingerprint != request_fingerprint:
                raise IdempotencyMismatch(
                    "Keys for idempotent requests can only be used with the same parameters they "
                    "were first used with. Try using a key other than "
                    f"'{key}' if you meant to execute a different request."
                )
            return Outcome(kept.status, kept.body, is_replayed=True)
        before_work()
        try:
            with provider.store.transaction():
                outcome = Outcome(200, to_json(perform()))
                _keep(provider, key, request_fingerprint, outcome)
        except InvalidParameter:
            raise
        except Refusal as refusal:
            outcome = Outcome(refusal.status, to_json(refusal.envelope()))
            _keep(provider, key, request_fingerprint, outcome)
        return outcome


@contextmanager
def _hold(provider: Provider, key: str) -> Iterator[None]:
    with provider.keys_lock:
        if key in provider.keys_in_use:
            raise IdempotencyKeyInUse(
                f"There is currently another in-progress request using this key: '{key}'.",
                code="idempotency_key_in_use",
            )
        provider.keys_in_use.add(key)
    try:
        yield
    finally:
        with provider.keys_lock:
            provider.keys_in_use.discard(key)


def _keep(provider: Provider, key: str, request_fingerprint: str, outcome: Outcome) -> None:
    provider.store.keep_answer(
        key, StoredAnswer(request_fingerprint, outcome.status, outcome.body, provider.now())
    )
