"""What browsers look for at the root: icon, manifest, and the worker of the offline page."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client


def read_kept(text: str) -> dict[str, Any]:
    """Return what the worker's script says it keeps."""
    kept: dict[str, Any] = json.loads(text.removeprefix("const KEPT = ").partition(";\n")[0])
    return kept


def test_icon_is_there_under_its_oldest_name() -> None:
    answer = Client().get("/favicon.ico")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    assert answer.content.startswith(b"\x89PNG")


def test_shop_on_a_phones_screen_has_its_name_and_icons(settings: Any) -> None:
    settings.SHOP_NAME = "Haven"

    answer = Client().get("/site.webmanifest")

    assert answer.headers["Content-Type"] == "application/manifest+json"
    facts = answer.json()
    assert (facts["name"], facts["start_url"]) == ("Haven", "/")
    for icon in facts["icons"]:
        assert finders.find(icon["src"].removeprefix("/static/"))


def test_worker_keeps_the_offline_pages_and_what_they_look_like_and_nothing_else() -> None:
    answer = Client().get("/service-worker.js")

    kept = read_kept(answer.content.decode())
    assert kept["pages"] == {"": "/offline/", "de": "/de/offline/"}
    assert kept["files"] == [
        "/static/css/emporium.css",
        "/static/fonts/hanken-grotesk.woff2",
        "/static/fonts/newsreader-display.woff2",
        "/static/favicon/favicon.svg",
    ]
    page = Client().get("/offline/").content.decode()
    assert [path for path in kept["files"] if f'"{path}"' not in page] == []


def test_worker_is_a_new_one_when_the_page_says_something_else(settings: Any) -> None:
    first = Client().get("/service-worker.js")
    again = Client().get("/service-worker.js", headers={"if-none-match": first.headers["ETag"]})
    settings.SHOP_NAME = "Haven"
    renamed = Client().get("/service-worker.js")

    assert (again.status_code, again.content) == (304, b"")
    assert (
        read_kept(first.content.decode())["release"]
        != read_kept(renamed.content.decode())["release"]
    )


@pytest.mark.django_db
def test_pages_name_the_worker_only_while_there_is_one(settings: Any) -> None:
    settings.DEBUG = True  # Heads are not remembered then.
    assert 'name="offline-worker" content="/service-worker.js"' in get("/de/search/")

    settings.SHOP_OFFLINE_PAGE = False

    assert "offline-worker" not in get("/de/search/")
    farewell = get("/service-worker.js")
    assert "unregister()" in farewell
    assert "fetch" not in farewell


@pytest.mark.parametrize("path", ["/offline/", "/de/offline/"])
def test_offline_page_needs_neither_scripts_nor_database(path: str) -> None:
    page = get(path)

    assert "<script" not in page
    assert '<a class="button" href="">' in page


def get(path: str) -> str:
    return Client().get(path).content.decode()
