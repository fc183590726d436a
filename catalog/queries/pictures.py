"""Pictures as pages show them: addresses of renditions, made without asking the storage."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

from django.conf import settings
from django.templatetags.static import static
from django.utils.translation import gettext as _

from catalog.queries.links import absolute
from catalog.queries.rows import fetch_rows

Source = tuple[str, str]
"""A media type with the `srcset` of its files."""

MODERN_FORMATS = {"avif": "image/avif", "webp": "image/webp"}
FALLBACK_WIDTH = 800
HERO_WIDTHS = (640, 1000, 1400, 2000)
HERO_SIZE = (2000, 900)


@dataclass(frozen=True, slots=True)
class Picture:
    """A photograph; `width` and `height` are those of the original and give the proportions.

    `src` and `small` are in a format that everything can show, mail programs too.
    """

    alt: str
    width: int
    height: int
    sources: tuple[Source, ...]
    src: str
    small: str = ""

    @property
    def absolute(self) -> str:
        """The file of middling size, as other sites can fetch it."""
        return absolute(self.src)

    @property
    def largest(self) -> str:
        """The widest file in the most common format, to look at closely."""
        if not self.sources:
            return self.src
        _mime, srcset = self.sources[-1]
        return srcset.rpartition(", ")[2].split(" ")[0]


ASSET_COLUMNS = "asset.original, asset.base, asset.renditions, asset.width, asset.height"


def make_picture(
    alt: str, original: str | None, base: str, renditions: str, width: int, height: int
) -> Picture | None:
    """Build a picture from the columns of its asset; `renditions` is the JSON as text.

    Until the renditions are made, the original is shown. No original, no picture.
    """
    if not original:
        return None
    sources, src, small = _addresses(settings.MEDIA_URL, original, base, renditions)
    return Picture(alt=alt, width=width, height=height, sources=sources, src=src, small=small)


def get_mail_picture(picture: Picture | None) -> str:
    """Return the absolute address of the smallest file; none while it is still being made."""
    return absolute(picture.small) if picture and picture.small else ""


def list_product_pictures(product_ids: Collection[int]) -> dict[int, list[tuple[int, Picture]]]:
    """Return the pictures of products, each with its image's id, in their order; one statement."""
    rows = fetch_rows(
        f"""
        SELECT image.product_id, image.id, image.alt, {ASSET_COLUMNS}
        FROM catalog_productimage image JOIN catalog_imageasset asset ON asset.id = image.asset_id
        WHERE image.product_id = ANY(%(products)s)
        ORDER BY image.product_id, image.position, image.id
        """,
        {"products": list(product_ids)},
    )
    found: dict[int, list[tuple[int, Picture]]] = {}
    for product_id, image_id, *columns in rows:
        if picture := make_picture(*columns):
            found.setdefault(product_id, []).append((image_id, picture))
    return found


def list_variant_pictures(variants: Mapping[int, tuple[int, int | None]]) -> dict[int, Picture]:
    """Return the picture of each variant, given its product's and its own image's id.

    A variant without an image of its own shows the first one of its product. One statement.
    """
    if not variants:
        return {}
    pictures = list_product_pictures({product_id for product_id, _image_id in variants.values()})
    first = {product_id: shown[0][1] for product_id, shown in pictures.items()}
    by_image = dict(pair for shown in pictures.values() for pair in shown)
    found = {
        variant_id: by_image.get(image_id or 0) or first.get(product_id)
        for variant_id, (product_id, image_id) in variants.items()
    }
    return {variant_id: picture for variant_id, picture in found.items() if picture is not None}


def get_hero_picture() -> Picture:
    """Return the wide photograph of the front page, which is part of the project."""
    sources, src = _hero_addresses()
    width, height = HERO_SIZE
    alt = _("An oak table in morning light with a vase, a teapot, cups, bowls and candles")
    return Picture(alt=alt, width=width, height=height, sources=sources, src=src)


@lru_cache(maxsize=8192)
def _addresses(
    media_url: str, original: str, base: str, renditions: str
) -> tuple[tuple[Source, ...], str, str]:
    """Spell out the files of an asset; the renditions are part of the key, so none goes stale."""
    widths_by_format: dict[str, list[int]] = json.loads(renditions) if base else {}
    prefix = f"{media_url.rstrip('/')}/{base}"
    sources = tuple(
        (mime, ", ".join(f"{prefix}-{width}.{name} {width}w" for width in sorted(widths)))
        for name, mime in MODERN_FORMATS.items()
        if (widths := widths_by_format.get(name))
    )
    fallbacks = sorted(widths_by_format.get("jpeg", []))
    if not fallbacks:
        return sources, f"{media_url.rstrip('/')}/{original}", ""
    fitting = [width for width in fallbacks if width <= FALLBACK_WIDTH] or fallbacks[:1]
    return sources, f"{prefix}-{fitting[-1]}.jpg", f"{prefix}-{fallbacks[0]}.jpg"


@cache
def _hero_addresses() -> tuple[tuple[Source, ...], str]:
    sources = tuple(
        (
            mime,
            ", ".join(f"{static(f'images/hero-{width}.{name}')} {width}w" for width in HERO_WIDTHS),
        )
        for name, mime in MODERN_FORMATS.items()
    )
    return sources, static("images/hero-1400.jpg")
