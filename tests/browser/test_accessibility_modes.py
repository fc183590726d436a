"""What people ask their devices for: less motion, colours of their own, large targets, the keyboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Locator, Page, expect

from payments.simulator.running import Simulator
from shop.bundles import BUNDLES
from shop.styleguide import read_tokens
from tests.browser.conftest import Visit
from tests.browser.fit import find_misfits
from tests.browser.scenes import DESKTOP, PHONE, Visitor, hang_photographs
from tests.browser.shelves import Shelves
from tests.browser.test_design import contrast

MOST_STOPS = 150
SECONDS_TO_SCROLL = 0.4
ASIDE = "footer, .languages, .breadcrumbs, .terms, .product__maker, .field__hint"
"""Links beside the way from the shelf to the door: they keep to WCAG's 24 px."""

STOP = """() => {
  const element = document.activeElement;
  const { left, top, width, height } = element.getBoundingClientRect();
  const above = document.elementFromPoint(left + width / 2, top + Math.min(height, innerHeight) / 2);
  const label = element.labels?.[0] ?? element;
  const isRinged = (one) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(one);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  };
  let ringed = element;
  while (ringed && !isRinged(ringed)) ringed = ringed.parentElement;
  return {
    what: `${element.outerHTML.slice(0, 100)} ${element.textContent.trim().slice(0, 30)}`,
    isRinged: Boolean(ringed),
    isOnTop: element.contains(above) || label.contains(above),
  };
}"""

IS_LAST_IN_DRAWER = "document.activeElement.matches('dialog a:last-of-type')"

MOVING = """() => {
  const isLong = (value) => value.split(",").some((part) => parseFloat(part) > 0);
  const found = new Set();
  for (const element of document.querySelectorAll("*")) {
    for (const part of ["", "::before", "::after", "::backdrop"]) {
      const style = getComputedStyle(element, part);
      if (isLong(style.transitionDuration) || isLong(style.animationDuration)) {
        found.add(`${element.tagName.toLowerCase()}.${element.className}${part}`);
      }
    }
  }
  return [...found];
}"""

SMALL = """(aside) => [...document.querySelectorAll("a[href], button, summary, input, select, textarea")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true }))
  .filter((element) => element.type !== "hidden" && !element.closest("[aria-hidden=true], .skip"))
  .filter((element) => !element.closest(".visually-hidden"))
  .map((element) => [element, element.closest("label.choice") ?? element])
  .filter(([element, target]) => {
    const isInText = getComputedStyle(element).display === "inline";
    const least = element.closest(aside) ? 24 : 44;
    const { width, height } = target.getBoundingClientRect();
    return !isInText && (width < 24 || height < least - 0.1);
  })
  .map(([element, target]) => {
    const { width, height } = target.getBoundingClientRect();
    return `${element.outerHTML.slice(0, 120)} ${width.toFixed()} x ${height.toFixed()}`;
  })"""


@pytest.fixture
def walk(
    visit: Visit, shop: Simulator, shelves: Shelves, web: str, media_folder: Path
) -> Iterator[tuple[Page, Iterator[str]]]:
    hang_photographs(shelves, media_folder)
    options = {"viewport": {"width": PHONE, "height": 844}, "has_touch": True}
    visitor = Visitor(visit(**options), shop, shelves, web, "en")
    return visitor.page, see_the_main_pages(visitor)


def see_the_main_pages(visitor: Visitor) -> Iterator[str]:
    """Stop at each kind of page once, with something in the cart."""
    page = visitor.page
    for path in (
        *("/", "/categories/table/tableware/", "/search/?q=mug", "/sellers/haven/"),
        *("/pages/about/", "/accounts/login/", "/accounts/signup/"),
        "/products/dune-mug/?variant=MUG-MOSS",
    ):
        visitor.go(path)
        yield path
    visitor.press("Add to cart")
    expect(page.locator("dialog[open] .line").first).to_be_visible()
    yield "drawer"
    visitor.go("/cart/")
    yield "cart"
    visitor.go("/checkout/")
    yield "checkout"


def test_edges_and_the_focus_ring_stand_out_from_every_ground() -> None:
    light = {token.name: token.value for token in read_tokens()}
    dark = light | {token.name: token.dark for token in read_tokens() if token.dark}

    faint = [
        (edge, ground)
        for colours in (light, dark)
        for edge in ("line-strong", "accent", "focus", "danger")
        for ground in ("paper", "surface", "raised")
        if contrast(colours[edge], colours[ground]) < 3
    ]

    assert faint == []


def test_no_style_sheet_turns_the_screen() -> None:
    styles = BUNDLES[0].text(Path(settings.BASE_DIR) / "static")

    assert "orientation" not in styles


def test_nothing_moves_for_those_who_asked_for_less_motion(walk) -> None:
    page, stops = walk
    found = {stop: moving for stop in stops if (moving := page.evaluate(MOVING))}

    assert found == {}
    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(MOVING) != []


def test_main_targets_are_large_enough_for_a_thumb(walk) -> None:
    page, stops = walk

    found = [f"{stop}: {small}" for stop in stops for small in page.evaluate(SMALL, ASIDE)]

    assert not found, "\n".join(found)


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
def test_what_has_the_focus_is_seen_on_every_page(walk, width: int) -> None:
    page, stops = walk
    page.set_viewport_size({"width": width, "height": 844})
    hidden = []

    for stop in stops:
        for _press in range(MOST_STOPS):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement === document.body"):
                break
            seen = page.evaluate(STOP)
            if not seen["isOnTop"]:
                page.wait_for_timeout(SECONDS_TO_SCROLL * 1000)
                seen = page.evaluate(STOP)
            if not (seen["isRinged"] and seen["isOnTop"]):
                hidden.append(f"{stop}: {seen}")
            if stop == "drawer" and page.evaluate(IS_LAST_IN_DRAWER):
                break
        else:
            hidden.append(f"{stop}: the keyboard does not come out of it")

    assert not hidden, "\n".join(hidden)


SPACED = """() => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`* {
    line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important;
  }
  p { margin-block-end: 2em !important; }`);
  document.adoptedStyleSheets = [sheet];
}"""


def test_nothing_is_lost_when_people_space_the_text(walk) -> None:
    page, stops = walk
    misfits = []

    for stop in stops:
        page.evaluate(SPACED)
        misfits += [f"{stop}: {misfit}" for misfit in find_misfits(page)]

    assert misfits == []


def edge_of(choice: Locator) -> str:
    return str(choice.evaluate("(choice) => getComputedStyle(choice).borderTopWidth"))


def test_colours_of_ones_own_leave_choices_and_focus_to_be_seen(walk) -> None:
    page, stops = walk
    page.emulate_media(forced_colors="active")
    chosen = page.locator(".option [aria-current]")
    other = page.locator(".option__choice:not([aria-current])").first

    for stop in stops:
        page.keyboard.press("Tab")
        assert page.evaluate(STOP)["isRinged"], stop
        if stop.startswith("/products/"):
            assert (edge_of(chosen), edge_of(other)) == ("3px", "1px")
            dot = chosen.locator("circle")
            assert dot.evaluate("(dot) => getComputedStyle(dot).fill") == "rgb(91, 106, 76)"
        if stop == "checkout":
            chosen_ways = page.get_by_role("radio", checked=True)
            expect(chosen_ways).to_have_count(2)
            for way in chosen_ways.all():
                expect(way).to_be_visible()
