"""From the product to the provider without a mouse, always seeing where one is."""

from __future__ import annotations

from playwright.sync_api import Page

from orders.models import Order
from payments.simulator.running import Simulator
from tests.browser.shelves import Shelves
from tests.browser.shopper import ADA, expect_headline, expect_provider

MOST_PRESSES = 60
LONGEST_WAY = 25

FOCUS = """() => {
  const element = document.activeElement;
  const style = getComputedStyle(element);
  const box = element.getBoundingClientRect();
  const middle = [box.left + box.width / 2, box.top + Math.min(box.height, innerHeight) / 2];
  const top = document.elementFromPoint(...middle);
  const label = element.labels?.[0] ?? element;
  return {
    name: (element.ariaLabel || element.labels?.[0]?.textContent || element.textContent).trim(),
    isRinged: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
    isOnTop: element.contains(top) || label.contains(top),
  };
}"""


class Keyboard:
    """Presses keys, counts them, and insists that every stop of the way can be seen."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.presses = 0

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.presses += 1

    def tab_to(self, name: str, *, key: str = "Tab") -> None:
        way: list[str] = []
        while len(way) < LONGEST_WAY:
            self.press(key)
            stop = self.page.evaluate(FOCUS)
            assert stop["isRinged"], f"no ring around {stop}"
            assert stop["isOnTop"], f"out of sight or covered: {stop}"
            if stop["name"].startswith(name):
                return
            way.append(stop["name"])
        raise AssertionError(f"{key} does not lead to {name!r} but to {way}")

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)


def test_the_whole_way_to_the_provider_with_the_keyboard_alone(
    page: Page, shop: Simulator, shelves: Shelves, record_property
) -> None:
    page.goto("/products/dune-mug/")
    keyboard = Keyboard(page)

    keyboard.tab_to("Skip to the content")
    keyboard.press("Enter")
    keyboard.tab_to("Moss")
    keyboard.press("Enter")
    page.wait_for_url("**variant=MUG-MOSS")
    keyboard.tab_to("One more")
    keyboard.press("Space")
    keyboard.tab_to("Add to cart")
    keyboard.press("Enter")
    page.get_by_role("link", name="Go to checkout").wait_for()
    keyboard.tab_to("Go to checkout")
    keyboard.press("Enter")
    page.wait_for_url("**/checkout/")
    keyboard.tab_to("Skip to the content")
    keyboard.press("Enter")
    for label, text in ADA.items():
        keyboard.tab_to(label)
        keyboard.type(text)
    keyboard.press("Enter")
    expect_provider(page, shop)
    record_property("presses", keyboard.presses)
    assert keyboard.presses <= MOST_PRESSES

    keyboard.tab_to("Approve it")
    keyboard.press("ArrowDown")
    keyboard.press("ArrowUp")
    keyboard.press("Enter")
    expect_headline(page, "Thank you for your order")
    assert Order.objects.get().lines.get().quantity == 2
