"""Serve the many small style sheets and scripts as one file each, without a build step."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.contrib.staticfiles.utils import matches_patterns
from django.core.files.storage import FileSystemStorage

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
INDENT_AND_BLANK_LINES = re.compile(r"\n\s*")


@dataclass(frozen=True)
class Bundle:
    """One served file and the sources it is made of, as glob patterns in reading order."""

    name: str
    patterns: tuple[str, ...]

    def sources(self, folder: Path) -> list[Path]:
        return [path for pattern in self.patterns for path in sorted(folder.glob(pattern))]

    def text(self, folder: Path) -> str:
        joined = "\n".join(path.read_text("utf-8") for path in self.sources(folder))
        return INDENT_AND_BLANK_LINES.sub("\n", COMMENT.sub("", joined)).strip() + "\n"


BUNDLES = (
    Bundle(
        "css/emporium.css",
        (
            "css/layers.css",
            "css/fonts.css",
            "css/tokens.css",
            "css/reset.css",
            "css/base.css",
            "css/layout.css",
            "css/components/*.css",
            "css/pages/*.css",
            "css/utilities.css",
            "css/print.css",
        ),
    ),
    Bundle("js/emporium.js", ("js/elements/*.js",)),
    Bundle("js/passkeys.js", ("js/passkeys/*.js",)),
    Bundle("js/photos.js", ("js/photos/*.js",)),
)


def write_bundle(bundle: Bundle, *, source_folder: Path, target_folder: Path) -> Path:
    """Write the bundle if a source is newer than it, and return its path.

    The file is replaced in one step, so that several processes may do this at once.
    """
    target = target_folder / bundle.name
    text = bundle.text(source_folder)
    if target.exists() and target.read_text("utf-8") == text:
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    draft.write_text(text, "utf-8")
    draft.replace(target)
    return target


class BundleFinder(BaseFinder):
    """Find the bundles, such as `css/emporium.css`, made from the sources under `static/`."""

    def __init__(self, app_names: Iterable[str] | None = None, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.source_folder = Path(settings.BASE_DIR) / "static"
        self.target_folder = Path(settings.STATE_DIR) / "bundles"
        self.storage = FileSystemStorage(location=self.target_folder)

    def check(self, **kwargs: Any) -> list[Any]:
        return []

    def find(self, path: str, find_all: bool = False, **kwargs: Any) -> Any:
        found = [
            str(self._write(bundle)) for bundle in BUNDLES if bundle.name == path.replace("\\", "/")
        ]
        if find_all:
            return found
        return found[0] if found else []

    def list(self, ignore_patterns: Any) -> Iterator[tuple[str, FileSystemStorage]]:
        for bundle in BUNDLES:
            if not matches_patterns(bundle.name, ignore_patterns or []):
                self._write(bundle)
                yield bundle.name, self.storage

    def _write(self, bundle: Bundle) -> Path:
        return write_bundle(
            bundle, source_folder=self.source_folder, target_folder=self.target_folder
        )
