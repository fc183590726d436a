"""Fixtures for every test. The services behind them are started by `tests/services.py`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.cache import cache
from django.db import connection
from django.test import Client, TransactionTestCase
from django.utils import translation
from whitenoise.middleware import WhiteNoiseMiddleware

from catalog import index
from catalog.views.feed import Feed
from payments import gateways
from payments.simulator.running import Simulator, running_simulator
from shop import changes, invariants
from shop.services import limits
from tests import cleaning


@pytest.fixture(scope="session")
def redis_url() -> str:
    """Give the address of a real Redis, or skip with the reason; in CI there must be one."""
    if url := os.environ.get("TEST_REDIS_URL"):
        return url
    reason = "no Redis: install redis-server or valkey-server, or set TEST_REDIS_URL"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(autouse=True)
def _a_clean_start(settings: Any) -> None:
    """Forget what tests before left in this process: cached values, the language, readers of feeds.

    A test client's answer that nobody reads to its end is a reader until it is collected.
    """
    cache.clear()
    limits.forget_nearby()
    Feed.under_way.clear()
    changes.reset()
    index.reset()
    translation.activate(settings.LANGUAGE_CODE)


@pytest.fixture(autouse=True, scope="session")
def _static_files_are_listed_once() -> Iterator[None]:
    """Every test client loads the middleware anew, which would look at a thousand files each time."""
    known: dict[tuple[Any, ...], dict[str, Any]] = {}

    def remember(method: Callable[..., None]) -> Callable[..., None]:
        def list_files(self: WhiteNoiseMiddleware, *place: Any) -> None:
            key = (method.__name__, self.static_prefix, *place)
            if key not in known:
                had = set(self.files)
                method(self, *place)
                known[key] = {url: self.files[url] for url in self.files.keys() - had}
            self.files.update(known[key])

        return list_files

    with pytest.MonkeyPatch.context() as patch:
        for name in ("update_files_dictionary", "add_files_from_finders"):
            patch.setattr(WhiteNoiseMiddleware, name, remember(getattr(WhiteNoiseMiddleware, name)))
        yield


@pytest.fixture(autouse=True, scope="session")
def _passwords_are_hashed_in_no_time() -> Iterator[None]:
    """A password takes a second otherwise; another process can read what is written here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Argon2PasswordHasher, "time_cost", 1)
        patch.setattr(Argon2PasswordHasher, "memory_cost", 64)
        patch.setattr(Argon2PasswordHasher, "parallelism", 1)
        yield


@pytest.fixture(autouse=True)
def _forms_answer_at_once(settings: Any) -> None:
    settings.FORMS_ANSWER_AFTER_SECONDS = {}


@pytest.fixture(autouse=True, scope="session")
def _tables_are_emptied_at_little_cost() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", cleaning.empty_after_test)
        yield


@pytest.fixture(autouse=True)
def _media_in_a_folder_of_its_own(settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def _numbers_add_up(request: pytest.FixtureRequest) -> Iterator[None]:
    """Check every invariant after each database test, while its rows are still there."""
    fixtures = {"db", "transactional_db"} & set(request.fixturenames)
    has_database = bool(fixtures or request.node.get_closest_marker("django_db"))
    if has_database:
        request.getfixturevalue("_django_db_helper")  # Ours must end before its rows are gone.
    yield
    if has_database and not request.node.get_closest_marker("breaks_invariants"):
        connection.rollback() if not connection.in_atomic_block else None
        violations = invariants.find_violations()
        assert not violations, violations


@pytest.fixture(scope="session")
def _simulator_process() -> Iterator[Simulator]:
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture
def simulator(_simulator_process: Simulator, settings: Any) -> Simulator:
    """A payment provider that speaks HTTP; the shop's gateways to Stripe and PayPal point at it."""
    settings.STRIPE_API_BASE = settings.STRIPE_CHECKOUT_ORIGIN = _simulator_process.url
    settings.STRIPE_SECRET_KEY = "sk_test_simulator"
    settings.STRIPE_WEBHOOK_SECRETS = ["whsec_simulator"]
    settings.PAYPAL_API_BASE = settings.PAYPAL_CHECKOUT_ORIGIN = _simulator_process.url
    gateways.get_gateway.cache_clear()
    return _simulator_process


@pytest.fixture
def client() -> Client:
    """A browser that follows the rules: its forms need their CSRF token."""
    return Client(enforce_csrf_checks=True)
