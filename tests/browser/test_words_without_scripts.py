"""With scripts blocked every page says what it says with them, and every form can be sent."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from payments.simulator.running import Simulator
from tests.browser.addresses import FOR_MEMBERS, PAGES, fill_in
from tests.browser.conftest import Visit
from tests.browser.long_names import LongNames, fill_with_long_names, place_long_order
from tests.browser.shopper import sign_in

WORDS = """() => {
  // What only a script can do is offered by scripts alone.
  const alone = "password-field button, passkey-form";
  for (const element of document.querySelectorAll(alone)) element.remove();
  return [...new Set(document.querySelector("main").innerText.split(/\\s+/))];
}"""
FORMS_WITHOUT_BUTTON = """() => [...document.querySelectorAll("main form")]
  .filter((form) => form.checkVisibility())
  .filter((form) => ![...form.elements].some((element) =>
    element.type === "submit" && element.checkVisibility()))
  .map((form) => form.action)"""


@pytest.fixture
def plain(visit: Visit) -> Page:
    """A browser that runs no scripts."""
    return visit(java_script_enabled=False)


@pytest.fixture
def names(shop: Simulator) -> LongNames:
    return fill_with_long_names()


def test_every_page_says_as_much_without_scripts(
    page: Page, plain: Page, names: LongNames, web: str
) -> None:
    for browser in (page, plain):
        browser.guard.expect(401)
    silent = compare(page, plain, [fill_in(found[0], names) for found in PAGES.values()])
    for browser in (page, plain):
        sign_in(browser, names.person, web)
    place_long_order(names.works, delivery_code="for-4", language="en", user=names.person)
    silent += compare(page, plain, [fill_in(found[0], names) for found in FOR_MEMBERS.values()])

    assert not silent, "\n".join(silent)


def compare(page: Page, plain: Page, addresses: list[str]) -> list[str]:
    """List what can be read or sent with scripts alone."""
    faults = []
    for address in addresses:
        page.goto(address)
        plain.goto(address)
        # What runs no scripts of its pages still answers to the test.
        missing = set(page.evaluate(WORDS)) - set(plain.evaluate(WORDS))
        headline = plain.get_by_role("heading", level=1)
        if missing:
            faults.append(f"{address}: {sorted(missing)} cannot be read")
        if headline.count() != 1 or not headline.is_visible():
            faults.append(f"{address}: no headline")
        faults += [
            f"{address}: nothing sends the form to {action}"
            for action in plain.evaluate(FORMS_WITHOUT_BUTTON)
        ]
    return faults
