"""Addresses that are proposed while a street is typed: by mouse, by keyboard, and never in the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from payments.simulator.running import Simulator
from tests.browser.shelves import Shelves
from tests.browser.shopper import put_in_cart
from tests.orders.photon import Photon, address, running_photon
from tests.processes import running_web


@pytest.fixture(scope="module")
def photon() -> Iterator[Photon]:
    with running_photon() as photon:
        photon.knows = [address("Unter den Linden", "1"), address("Unter den Eichen", "87")]
        yield photon


@pytest.fixture(scope="module")
def web(
    django_db_setup: None, _simulator_process: Simulator, media_folder: Path, photon: Photon
) -> Iterator[str]:
    """The web process of a shop that has a geocoder."""
    with running_web(
        SIMULATOR_URL=_simulator_process.url, MEDIA_ROOT=str(media_folder), PHOTON_URL=photon.url
    ) as url:
        yield url


def test_an_address_is_found_while_its_street_is_typed_and_picked_with_the_keyboard(
    page: Page, shelves: Shelves
) -> None:
    put_in_cart(page)
    page.goto("/checkout/")
    page.get_by_label("Full name").fill("Ada Lovelace")
    street = page.get_by_label("Street and house number")

    street.press_sequentially("Unter den", delay=20)
    expect(page.get_by_role("button", name="Unter den Linden 1, 10117 Berlin")).to_be_visible()
    expect(street).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(street).to_have_value("Unter den Linden 1")
    expect(street).to_be_focused()
    expect(page.get_by_label("Postcode")).to_have_value("10117")
    expect(page.get_by_label("City")).to_have_value("Berlin")
    expect(page.get_by_label("Full name")).to_have_value("Ada Lovelace")
    expect(page.get_by_role("button", name="Unter den")).to_have_count(0)


def test_proposals_go_when_somebody_types_on_elsewhere(page: Page, shelves: Shelves) -> None:
    put_in_cart(page)
    page.goto("/checkout/")
    page.get_by_label("Street and house number").press_sequentially("Unter den", delay=20)
    proposal = page.get_by_role("button", name="Unter den Eichen 87, 10117 Berlin")
    expect(proposal).to_be_visible()

    page.get_by_label("City").focus()

    expect(proposal).to_be_hidden()
    page.get_by_label("Street and house number").focus()
    proposal.click()
    expect(page.get_by_label("Street and house number")).to_have_value("Unter den Eichen 87")
