"""The style guide shows everything there is, colours can be read, and photographs come close."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from PIL import Image
from playwright.sync_api import Page, expect

from shop.styleguide import ICONS, read_tokens
from tests.browser.conftest import Visit
from tests.browser.shelves import Shelves
from tests.factories.catalog import ImageAssetFactory, ProductImageFactory

COMPONENTS = sorted(
    path.stem for path in (Path(settings.BASE_DIR) / "templates" / "components").glob("*.html")
)
FRAME = {"document_head", "site_header", "site_footer"}
"""Components that are around every page, and so around the style guide too."""

TEXTS = [
    *((ink, ground) for ink in ("ink", "ink-soft") for ground in ("paper", "surface", "raised")),
    *(("on-accent", "accent"), ("sale", "paper"), ("danger", "paper"), ("danger", "danger-soft")),
    *(("good", "paper"), ("ink", "accent-soft"), ("on-band", "band"), ("on-band-soft", "band")),
]


def brightness(colour: str) -> float:
    """Return the relative luminance of `#rrggbb`, as WCAG defines it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((brightness(one), brightness(other)))
    return (light + 0.05) / (dark + 0.05)


def test_text_has_the_highest_contrast_by_day_and_by_night() -> None:
    light = {token.name: token.value for token in read_tokens()}
    dark = light | {token.name: token.dark for token in read_tokens() if token.dark}

    faint = [
        (ink, ground)
        for colours in (light, dark)
        for ink, ground in TEXTS
        if contrast(colours[ink], colours[ground]) < 7
    ]

    assert faint == []


def test_every_icon_is_in_the_guide() -> None:
    sprite = (Path(settings.BASE_DIR) / "static" / "icons" / "sprite.svg").read_text("utf-8")

    assert sorted(ICONS) == sorted(re.findall(r'<symbol id="([a-z]+)"', sprite))


@pytest.mark.parametrize("width", [320, 1280])
def test_guide_shows_every_component(visit: Visit, shelves: Shelves, width: int) -> None:
    page = visit(viewport={"width": width, "height": 900})
    page.goto("/styleguide/")

    shown = page.locator(".guide__part > h3").all_inner_texts()

    assert set(COMPONENTS) - set(shown) - FRAME == set()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0


@pytest.fixture
def _photographs(shelves: Shelves, media_folder: Path) -> None:
    """Give the mug two photographs, whose files are there."""
    (media_folder / "originals").mkdir(exist_ok=True)
    for name in ("front", "back"):
        original = f"originals/{name}.png"
        Image.new("RGB", (80, 100), "tan").save(media_folder / original)
        asset = ImageAssetFactory(base="", original=original, renditions={}, ready_at=None)
        ProductImageFactory(product=shelves.mug, asset=asset, alt=f"The {name}")


@pytest.mark.usefixtures("_photographs")
def test_photographs_are_looked_at_closely_with_the_keyboard(page: Page) -> None:
    page.goto("/products/dune-mug/")
    first = page.get_by_role("link", name="Enlarge: The front")
    first.focus()

    page.keyboard.press("Enter")

    photo = page.get_by_role("dialog", name="Photographs, enlarged")
    expect(photo.get_by_role("img")).to_have_attribute("alt", "The front")
    expect(photo.get_by_role("status")).to_have_text("1 / 2")
    page.keyboard.press("ArrowRight")
    expect(photo.get_by_role("img")).to_have_attribute("alt", "The back")
    photo.get_by_role("button", name="Look closer").press("Enter")
    expect(photo.get_by_role("button", name="Look closer")).to_have_attribute(
        "aria-pressed", "true"
    )
    page.keyboard.press("Escape")
    expect(photo).to_be_hidden()
    expect(page.get_by_role("link", name="Enlarge: The back")).to_be_focused()


@pytest.mark.usefixtures("_photographs")
def test_photograph_is_a_plain_link_without_scripts(visit: Visit) -> None:
    page = visit(java_script_enabled=False)
    page.goto("/products/dune-mug/")
    link = page.get_by_role("link", name="Enlarge: The front")

    photograph = page.request.get(str(link.get_attribute("href")))

    assert photograph.headers["content-type"] == "image/png"


def test_page_that_is_pointed_at_is_fetched_before_the_click(page: Page, shelves: Shelves) -> None:
    page.goto("/categories/table/")

    with page.expect_request("**/products/alm-board/") as asked:
        page.get_by_role("link", name="Alm board").hover()

    assert asked.value.headers["sec-purpose"] == "prefetch"
