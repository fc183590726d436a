"""The shop's own product CSV: its columns, and how a cell holds what a spreadsheet has no word for.

`catalog.exports.emporium` writes it, `catalog.imports.emporium` reads it, docs/product-csv.md tells
people. Whatever is written here is read back as it was, to the letter; tests prove it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

AXES = 3
"""So many options have columns in every file; a file has more when a product has more."""

PRODUCT_TITLES = {
    "handle": "Handle",
    "title": "Title",
    "seller": "Seller",
    "status": "Status",
    "published_at": "Published at",
    "category": "Category",
    "tax_class": "Tax class",
    "short_description": "Short description",
    "description": "Description",
    "care": "Care",
    "origin": "Origin",
    "tags": "Tags",
    "collections": "Collections",
    "attributes": "Attributes",
    "images": "Images",
    "seo_title": "SEO title",
    "seo_description": "SEO description",
}
VARIANT_TITLES = {
    "sku": "SKU",
    "price": "Price",
    "compare_at_price": "Compare-at price",
    "cost": "Cost",
    "currency": "Currency",
    "weight_grams": "Weight (g)",
    "barcode": "Barcode",
    "tracks_stock": "Stock counted",
    "stock": "Stock",
    "low_stock_at": "Low stock at",
    "is_active": "For sale",
    "variant_image": "Variant image",
}
YES, NO = "yes", "no"


def option_titles(axis: int) -> tuple[str, str, str]:
    """Name the columns of an option, counted from 1: its name, all its values, a variant's value.

    >>> option_titles(1)
    ('Option 1 name', 'Option 1 values', 'Option 1')
    """
    return f"Option {axis} name", f"Option {axis} values", f"Option {axis}"


def option_columns(axis: int) -> tuple[str, str, str]:
    return f"option{axis}_name", f"option{axis}_values", f"option{axis}"


def list_columns(axes: int = AXES) -> dict[str, str]:
    """Map the columns of a file, in their order, to their titles."""
    names = [
        zip(option_columns(axis), option_titles(axis), strict=True) for axis in range(1, axes + 1)
    ]
    options = [list(each) for each in names]
    return {
        **PRODUCT_TITLES,
        **dict(pair for each in options for pair in each[:2]),
        "sku": VARIANT_TITLES["sku"],
        **dict(each[2] for each in options),
        **VARIANT_TITLES,
    }


# Formulas -----------------------------------------------------------------------------------------

_DANGEROUS = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")
_PLAIN_NUMBER = re.compile(r"-[0-9]+(?:\.[0-9]+)?")


def neutralise(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would run as a formula.

    A negative number is none. A text that has the apostrophe already gets a second one, so that
    `restore` gives back every text.

    >>> [neutralise(cell) for cell in ("=1+1", "-5", "'quoted", "'=1+1")]
    ["'=1+1", '-5', "'quoted", "''=1+1"]
    """
    if _DANGEROUS.match(cell) and not _PLAIN_NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def restore(cell: str) -> str:
    """Take away the apostrophe that `neutralise` put there.

    >>> [restore(cell) for cell in ("'=1+1", "-5", "'quoted", "''=1+1")]
    ['=1+1', '-5', "'quoted", "'=1+1"]
    """
    if cell.startswith("'") and _DANGEROUS.match(cell):
        return cell[1:]
    return cell


# Several things in one cell -----------------------------------------------------------------------

BETWEEN = "|"
BETWEEN_STEPS = ">"
BETWEEN_DETAILS = ";"
LABEL_LIKE_SWATCH = re.compile(r"(?s).*\S\s+#[0-9a-fA-F]{6}\Z")
"""A label that ends like one with a colour behind it."""
_SPACE = " \t\r\n"
_LETTERS = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
_BY_LETTER = {"n": "\n", "r": "\r", "t": "\t", "s": " "}
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def escape(text: str, *, signs: str) -> str:
    """Write a text so that neither the signs nor line breaks in it are taken for the cell's own."""
    text = text.translate(_escapes(signs))
    if text.startswith(" "):
        text = rf"\s{text[1:]}"
    if text.endswith(" "):
        text = rf"{text[:-1]}\s"
    return text


@cache
def _escapes(signs: str) -> dict[int, str]:
    return str.maketrans({**{sign: f"\\{sign}" for sign in f"\\{signs}"}, **_LETTERS})


def unescape(text: str) -> str:
    return _ESCAPED.sub(_read_escape, text) if "\\" in text else text


def _read_escape(match: re.Match[str]) -> str:
    sign = match[1]
    if sign.isalnum():
        return _BY_LETTER.get(sign, match[0])
    return sign


def cut(text: str, sign: str) -> list[str]:
    """Split at a sign that is not escaped, leaving the pieces escaped but without space around."""
    if "\\" not in text:
        return [piece.strip(_SPACE) for piece in text.split(sign)]
    return [match[1].strip(_SPACE) for match in _pieces(sign).finditer(text)]


@cache
def _pieces(sign: str) -> re.Pattern[str]:
    sign = re.escape(sign)
    return re.compile(rf"(?:\A|{sign})((?:[^\\{sign}]|\\.?)*)", re.DOTALL)


def write_list(items: Iterable[str], *, sign: str = BETWEEN, signs: str = "") -> str:
    """Write several texts into one cell, with escapes for further `signs` that mean something.

    >>> write_list(["oak", "a | b"])
    'oak | a \\\\| b'
    """
    return f" {sign} ".join(escape(item, signs=sign + signs) for item in items)


def read_list(cell: str, *, sign: str = BETWEEN) -> tuple[str, ...]:
    """Read the texts that `write_list` wrote; nothing between two signs is no text."""
    return tuple(unescape(piece) for piece in cut(cell, sign) if piece)
