"""A real Chromium before a real web process, with the payment simulator on another origin."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connections, transaction
from playwright.sync_api import Browser, Page, expect, sync_playwright

from payments.simulator.running import Simulator, running_simulator
from shop.services.changes import announce
from tests.browser.guard import Guard
from tests.browser.shelves import Shelves, fill_shelves
from tests.processes import running_web
from tests.smtp_sink import SmtpSink, running_smtp_sink

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE = 10_000
DESKTOP = {"width": 1280, "height": 900}

Visit = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(os.path.dirname(__file__)):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Start the machine's Chromium, or skip with the reason; in CI there must be one."""
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if program is None:
        reason = f"no Chromium: install one of {', '.join(PROGRAMS)}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread; the tests wait for it between their rows.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        expect.set_options(timeout=PATIENCE)
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def _simulator_process() -> Iterator[Simulator]:
    """A provider of our own, so that no webhook of ours reaches another package's test."""
    with running_simulator() as simulator:
        yield simulator


@pytest.fixture(scope="module")
def media_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("media")


@pytest.fixture(scope="module")
def web(django_db_setup: None, _simulator_process: Simulator, media_folder: Path) -> Iterator[str]:
    """The web process; it lives as long as its module, whose tests agree on the category menu."""
    chosen = {"SIMULATOR_URL": _simulator_process.url, "MEDIA_ROOT": str(media_folder)}
    # Requests that a worker sees are hidden from a test that wants to answer them itself.
    with running_web(SHOP_OFFLINE_PAGE="false", **chosen) as address:
        yield address


@pytest.fixture
def shop(
    web: str, media_folder: Path, transactional_db: None, simulator: Simulator, settings: Any
) -> Iterator[Simulator]:
    """An empty shop that is open; yields its payment provider, whose webhooks reach it."""
    settings.SHOP_URL, settings.MEDIA_ROOT = web, media_folder
    simulator.webhook_url = f"{web}/payments/webhooks/stripe/"
    simulator.paypal_webhook_url = f"{web}/payments/webhooks/paypal/"
    with transaction.atomic():
        announce("everything")  # The web process still knows the shop of the test before.
    yield simulator
    simulator.wait_for_deliveries()
    simulator.webhook_url = None
    connections.close_all()


@pytest.fixture
def shelves(shop: Simulator) -> Shelves:
    return fill_shelves()


@pytest.fixture
def visit(chromium: Browser, shop: Simulator, web: str) -> Iterator[Visit]:
    """Open browsers of further people: `visit(java_script_enabled=False)`; each has its guard."""
    contexts, guards = [], []

    def open_browser(origins: frozenset[str] | set[str] = frozenset(), **options: Any) -> Page:
        usual = {"base_url": web, "viewport": DESKTOP, "reduced_motion": "reduce"}
        context = chromium.new_context(**usual | {"locale": "en-GB"} | options)
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        guards.append(Guard(context, origins={web, shop.url, *origins}))
        page = context.new_page()
        page.guard = guards[-1]
        return page

    yield open_browser
    for context in contexts:
        context.close()
    for guard in guards:
        guard.assert_nothing_happened()


@pytest.fixture
def page(visit: Visit) -> Page:
    """Somebody with a browser."""
    return visit()


@pytest.fixture
def letterbox(settings: Any) -> Iterator[SmtpSink]:
    """A real mail server for what the relay sends, whether it runs here or in its own process."""
    with running_smtp_sink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        yield sink
