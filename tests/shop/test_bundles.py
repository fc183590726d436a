from __future__ import annotations

import re
from pathlib import Path

import brotli
import pytest
from django.conf import settings
from django.contrib.staticfiles import finders

from shop.bundles import BUNDLES, Bundle, write_bundle

STYLES, SCRIPTS, *_FOR_SOME_PAGES = BUNDLES
SOURCES = Path(settings.BASE_DIR) / "static"
KILOBYTE = 1024


def test_style_sheet_starts_with_the_order_of_the_layers() -> None:
    text = STYLES.text(SOURCES)

    assert text.startswith(
        "@layer reset, tokens, base, layout, components, pages, utilities, print;\n"
    )


def test_every_component_page_and_element_is_part_of_a_bundle() -> None:
    bundled = {path for bundle in BUNDLES for path in bundle.sources(SOURCES)}

    folders = ("css/components/*.css", "css/pages/*.css", "js/*/*.js")
    sources = {path for pattern in folders for path in SOURCES.glob(pattern)}
    assert sources - bundled == set(SOURCES.glob("js/admin/*.js"))


def test_every_rule_lives_in_a_layer() -> None:
    outside = [
        path.name
        for path in STYLES.sources(SOURCES)
        if not re.match(r"@layer [a-z, ]+(;| \{\n.*\n\}\n\Z)", path.read_text(), re.DOTALL)
    ]

    assert outside == []


@pytest.mark.parametrize(("bundle", "limit"), [(STYLES, 15 * KILOBYTE), (SCRIPTS, 3 * KILOBYTE)])
def test_bundle_keeps_to_its_budget(bundle: Bundle, limit: int) -> None:
    size = len(brotli.compress(bundle.text(SOURCES).encode(), quality=5))

    assert size <= limit


def test_server_finds_every_bundle() -> None:
    found = [finders.find(bundle.name) for bundle in BUNDLES]

    assert [Path(str(path)).read_text() for path in found] == [
        bundle.text(SOURCES) for bundle in BUNDLES
    ]


def test_bundle_follows_a_changed_source(tmp_path: Path) -> None:
    bundle = Bundle("all.css", ("css/*.css",))
    source = tmp_path / "css" / "one.css"
    source.parent.mkdir()
    source.write_text("/* gone */\na {\n  color: red;\n}\n")
    first = write_bundle(bundle, source_folder=tmp_path, target_folder=tmp_path / "out").read_text()

    source.write_text("b {}\n")
    second = write_bundle(bundle, source_folder=tmp_path, target_folder=tmp_path / "out")

    assert first == "a {\ncolor: red;\n}\n"
    assert second.read_text() == "b {}\n"
    assert [path.name for path in second.parent.iterdir()] == ["all.css"]
