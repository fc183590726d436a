"""When the connection is gone, the browser shows the shop's own page; else it notices nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.server import free_port
from payments.simulator.running import Simulator
from tests.browser.conftest import DESKTOP, PATIENCE
from tests.browser.shelves import Shelves
from tests.browser.shopper import (
    answer_as_bank,
    expect_headline,
    go_to_provider,
)
from tests.processes import running_web

AWAKE = """async () => {
  const { active } = await navigator.serviceWorker.ready;
  if (active.state === "activated") return;
  await new Promise((done) => active.addEventListener("statechange", done, { once: true }));
}"""
GONE = """async () => {
  while ((await navigator.serviceWorker.getRegistrations()).length) {
    await new Promise((done) => setTimeout(done, 50));
  }
}"""
KEPT = """async () => {
  const names = await caches.keys();
  const kept = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
  return kept.flat().map(({ url }) => new URL(url).pathname);
}"""


@pytest.fixture(scope="module")
def web(django_db_setup: None, _simulator_process: Simulator, media_folder: Path) -> Iterator[str]:
    """The web process as shoppers have it, with its worker."""
    chosen = {"SIMULATOR_URL": _simulator_process.url, "MEDIA_ROOT": str(media_folder)}
    with running_web(SHOP_OFFLINE_PAGE="true", **chosen) as address:
        yield address


@pytest.fixture
def traveller(chromium: Browser) -> Iterator[Page]:
    """Somebody whose connection comes and goes, so without a guard against failed requests."""
    context = chromium.new_context(viewport=DESKTOP, reduced_motion="reduce")
    context.set_default_timeout(PATIENCE)
    yield context.new_page()
    context.close()


def arrive(page: Page, address: str) -> None:
    """Open a page and wait until the worker has everything."""
    page.goto(address)
    page.evaluate(AWAKE)


@pytest.mark.usefixtures("transactional_db", "django_db_setup")
def test_page_without_a_connection_is_ours_and_leads_back(traveller: Page) -> None:
    port = free_port()
    with running_web(port=port, SHOP_OFFLINE_PAGE="true") as address:
        arrive(traveller, f"{address}/")
        traveller.goto(f"{address}/cart/")
        traveller.goto(f"{address}/de/")

    traveller.goto(f"{address}/de/cart/?a=b")

    assert traveller.url == f"{address}/de/cart/?a=b"
    assert traveller.locator("html").get_attribute("lang") == "de"
    loaded = "document.fonts.ready.then(() => [...document.fonts].map((face) => face.status))"
    assert "error" not in traveller.evaluate(loaded)
    assert "loaded" in traveller.evaluate(loaded)
    traveller.goto(f"{address}/search/?q=mug")
    expect_headline(traveller, "The line has gone quiet")
    assert sorted(traveller.evaluate(KEPT)) == [
        "/de/offline/",
        "/offline/",
        "/static/css/emporium.css",
        "/static/favicon/favicon.svg",
        "/static/fonts/hanken-grotesk.woff2",
        "/static/fonts/newsreader-display.woff2",
    ]
    with running_web(port=port, SHOP_OFFLINE_PAGE="true"):
        traveller.get_by_role("link", name="Try again").click()
        traveller.wait_for_url(f"{address}/search/?q=mug")
        expect(traveller.get_by_role("main").get_by_role("searchbox")).to_have_value("mug")


@pytest.mark.usefixtures("transactional_db", "django_db_setup")
def test_worker_leaves_when_the_shop_wants_none(traveller: Page) -> None:
    port = free_port()
    with running_web(port=port, SHOP_OFFLINE_PAGE="true") as address:
        arrive(traveller, f"{address}/")

    with running_web(port=port, SHOP_OFFLINE_PAGE="false"):
        traveller.goto(f"{address}/")
        # What a browser does by itself within an hour.
        traveller.evaluate(
            "navigator.serviceWorker.register('/service-worker.js', { updateViaCache: 'none' })"
        )
        traveller.evaluate(GONE)

    assert traveller.evaluate("caches.keys()") == []


def test_whole_purchase_passes_the_worker(
    page: Page, shelves: Shelves, shop: Simulator, web: str
) -> None:
    arrive(page, f"{web}/")
    page.reload()
    assert page.evaluate("navigator.serviceWorker.controller.state") == "activated"

    go_to_provider(page, shop)
    answer_as_bank(page)

    expect_headline(page, "Thank you for your order")
    kept = page.evaluate(KEPT)
    assert [path for path in kept if "offline" not in path and "static" not in path] == []
