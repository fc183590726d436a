"""Reads the cells of WooCommerce's product CSV: lists, attributes, texts, sale dates."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from html import unescape

from django.utils import timezone

from catalog.imports.cells import read_list
from catalog.imports.reading import Row
from catalog.models import Attribute
from catalog.record_rules import LONGEST
from catalog.records import AttributeRecord, ImageRecord
from shop.richtext import clean_html, paragraphs, to_text

UNIT = re.compile(r"\((?P<unit>\w+)\)")
COLUMN = re.compile(r"attribute(\d+)name")
NOT_ESCAPED_COMMA = re.compile(r"(?<!\\),")
GUARDED = re.compile(r"'[=+\-@\t\r]")
"""What WooCommerce writes before a cell that a spreadsheet would take for a formula."""
DIMENSIONS = {"length": "Length", "width": "Width", "height": "Height"}


@dataclass(frozen=True, slots=True)
class Axis:
    """An attribute on which variations differ, with the choices of the parent."""

    name: str
    choices: tuple[str, ...]


def read_text(cell: str) -> str:
    """Drop the apostrophe that WooCommerce writes before what looks like a formula."""
    return cell[1:] if GUARDED.match(cell) else cell


def split(cell: str) -> list[str]:
    """Split at commas that are not written as "\\,"."""
    parts = (part.replace("\\,", ",").strip() for part in NOT_ESCAPED_COMMA.split(read_text(cell)))
    return [part for part in parts if part]


def read_types(row: Row) -> list[str]:
    return (read_list(row["type"].lower()) and [*read_list(row["type"].lower())]) or ["simple"]


def read_position(row: Row) -> int:
    return int(row["position"]) if row["position"].isdecimal() and len(row["position"]) < 9 else 0


def read_attributes(row: Row) -> dict[str, AttributeRecord]:
    """Read what the numbered columns say, by name; a variation leaves out what may be anything."""
    found: dict[str, AttributeRecord] = {}
    numbers = sorted(int(column[1]) for cell in row.cells if (column := COLUMN.fullmatch(cell)))
    for number in numbers:
        name = read_text(row[f"attribute{number}name"])
        values = tuple(dict.fromkeys(split(row[f"attribute{number}value"])))
        is_seen = row[f"attribute{number}visible"] != "0"
        if name and values:
            found[name] = AttributeRecord(name, values, is_filter=is_seen, position=10)
    return found


def find_axes(attributes: Mapping[str, AttributeRecord], rows: Sequence[Row]) -> list[Axis]:
    """Find the attributes on which variations may differ; all choices are in the parent's order."""
    named = {
        read_text(cell)
        for row in rows
        for name, cell in row.cells.items()
        if name.startswith("attribute") and name.endswith("name")
    }
    axes = []
    for name in [*attributes, *sorted(named - attributes.keys())]:
        if name not in named:
            continue
        choices = dict.fromkeys(attributes[name].values if name in attributes else ())
        for row in rows:
            own = read_attributes(row).get(name)
            choices |= dict.fromkeys(own.values if own else ())
        if choices:
            axes.append(Axis(name, tuple(choices)))
    return axes


def read_facts(row: Row, columns: Mapping[str, str]) -> Iterator[AttributeRecord]:
    brands = tuple(split(row["brands"]))
    if brands:
        yield AttributeRecord("Brand", brands, kind=Attribute.Kind.TEXT, position=5)
    for column, name in DIMENSIONS.items():
        found = UNIT.search(columns.get(column, ""))
        if row[column] and found:
            yield AttributeRecord(name, (f"{row[column]} {found['unit']}",), position=20)


def read_texts(row: Row) -> tuple[str, str]:
    """Read the short description as plain text; what is too long for one opens the description."""
    description = _read_html(row["description"])
    short_html = _read_html(row["short"])
    short = unescape(to_text(clean_html(short_html)))
    if len(short) <= LONGEST["short_description"]:
        return short, description
    cut = short[: LONGEST["short_description"] - 1].rpartition(" ")[0]
    return f"{cut}…", f"{short_html}\n{description}"


def _read_html(cell: str) -> str:
    html = read_text(cell).replace("\\n", "\n").replace("\\r", "")
    return html if re.search(r"<(p|ul|ol|table|div|h\d)\b", html) else _paragraphs(html)


def _paragraphs(html: str) -> str:
    """Put plain text with single tags into paragraphs, as WordPress shows it."""
    if "<" not in html and "&" not in html:
        return paragraphs(html)
    blocks = [block.strip() for block in re.split(r"\n\s*\n", html) if block.strip()]
    return "\n".join(f"<p>{block}</p>" for block in blocks)


def read_tags(row: Row, other_categories: Sequence[str]) -> tuple[str, ...]:
    """Read the tags; of the categories after the first, each is a tag by its last step."""
    names = [path.rpartition(">")[2].strip() for path in other_categories]
    tags = dict.fromkeys([*split(row["tags"]), *names])
    return tuple(tag for tag in tags if tag)


def read_images(rows: Sequence[Row]) -> tuple[ImageRecord, ...]:
    addresses = dict.fromkeys(address for row in rows for address in split(row["images"]))
    return tuple(ImageRecord(address) for address in addresses)


def is_on_sale(row: Row) -> bool:
    """Say whether the sale price holds today: an empty date is no limit."""
    today = timezone.localdate()
    starts, ends = _read_date(row["sale_starts"]), _read_date(row["sale_ends"])
    return not (starts and starts > today) and not (ends and ends < today)


def _read_date(cell: str) -> date | None:
    try:
        return datetime.fromisoformat(cell).date() if cell else None
    except ValueError:
        return None
