"""Nothing on any page, in any state, keeps somebody from using it: axe, size, motion."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import pytest
from playwright.sync_api import Page

from payments.simulator.running import Simulator
from tests import pseudo
from tests.browser.axe import find_barriers
from tests.browser.conftest import Visit
from tests.browser.scenes import DESKTOP, PHONE, WALKS, Scene, Visitor, fill_the_rest
from tests.browser.shelves import Shelves
from tests.matrix.routes import ROWS
from tests.processes import running_web

WITHOUT_A_PAGE = {
    "livez": "for machines",
    "readyz": "for machines",
    "robots.txt": "for machines",
    ".well-known/gpc.json": "for machines",
    "sitemap.xml": "for machines",
    "sitemaps/<slug:name>.xml": "for machines",
    "feeds/google.xml": "for machines",
    "media/<path:name>": "pictures",
    "favicon.ico": "a picture",
    "site.webmanifest": "for machines",
    "service-worker.js": "for machines",
    "search/suggestions/": "a part of every page, opened over it",
    "cards/": "a part of a product's page",
    "cart/badge/": "a part of every page",
    "cart/drawer/": "the drawer, opened over a page",
    "orders/<slug:number>/status/": "a part of the order's page",
    "orders/<slug:number>/returned/": "leads on to the order's page",
    "accounts/password/set/": "leads on: everybody has a password",
    "accounts/2fa/recovery-codes/download/": "a file",
    "account/privacy/copies/<int:copy_id>/": "a file",
    "accounts/2fa/webauthn/login/": "for the script of the sign-in page",
    "accounts/login/code/confirm/": "leads on: nobody signs in by code",
}


@pytest.fixture(scope="module")
def web(django_db_setup: None, _simulator_process: Simulator, media_folder: Path) -> Iterator[str]:
    """The web process of a shop that can also be read from right to left."""
    with running_web(
        application="tests.pseudo_wsgi:application",
        SHOP_OFFLINE_PAGE="false",
        SIMULATOR_URL=_simulator_process.url,
        MEDIA_ROOT=str(media_folder),
    ) as address:
        yield address


def test_every_page_is_on_a_walk() -> None:
    pages = {row.route for row in ROWS if row.get != 405}
    walked = [route for _walk, routes in WALKS.values() for route in sorted(routes)]

    assert sorted([*walked, *WITHOUT_A_PAGE]) == sorted(pages)


def choose_looks(scene: Scene, number: int, language: str) -> list[tuple[int, str]]:
    """Look by day and by night, once wide and once narrow; from right to left at one of both.

    Colours and sizes are the same in every language, so there the looks take turns.
    """
    wide, narrow = (scene.width,) * 2 if scene.width else (DESKTOP, PHONE)
    if language == "en":
        return [(wide, "light"), (narrow, "dark")]
    return [[(wide, "dark")], [(narrow, "light")]][number % 2]


def look_closely(page: Page, scene: Scene, looks: list[tuple[int, str]]) -> list[str]:
    """Name the barriers; whoever walks on does so on a small screen."""
    found = []
    for width, scheme in looks:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        barriers = find_barriers(page, layer=scene.layer, is_mail=scene.is_mail)
        found += [f"{scene.name}, {width} px, {scheme}: {barrier}" for barrier in barriers]
    page.set_viewport_size({"width": scene.width or PHONE, "height": 900})
    return found


@pytest.mark.parametrize("language", ["en", pseudo.CODE])
@pytest.mark.parametrize("walk", WALKS)
def test_nothing_is_in_anybodys_way(
    walk: str, language: str, visit: Visit, shop: Simulator, shelves: Shelves, web: str,
    media_folder: Path,
) -> None:  # fmt: skip
    fill_the_rest(shelves, media_folder)
    visitor = Visitor(visit(), shop, shelves, web, language)
    found: list[str] = []
    take_walk, _routes = WALKS[walk]

    with pseudo.spoken() if language == pseudo.CODE else nullcontext():
        for number, scene in enumerate(take_walk(visitor)):
            looks = choose_looks(scene, number, language)
            found += look_closely(visitor.page, scene, looks)

    assert not found, "\n".join(found)
