"""What the demo catalogue states about its products, as attributes that shoppers filter by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from catalog.models import Attribute
from catalog.records import AttributeRecord

Kind = Attribute.Kind

MATERIALS = {
    "stoneware": "Stoneware",
    "earthenware": "Earthenware",
    "glass": "Glass",
    "oak": "Oak",
    "walnut": "Walnut",
    "ash": "Ash",
    "beech": "Beech",
    "solid wood": "Wood",
    "wood frame": "Wood",
    "steel": "Steel",
    "brass": "Brass",
    "linen": "Linen",
    "cotton": "Cotton",
    "lambswool": "Wool",
    "paper": "Paper",
    "wax": "Wax",
}
NOT_THE_MATERIAL = (
    "brass plating",
    "brass-plated",
    "brass second hand",
    "acrylic glass",
    "laminated",
)
COLOURED = {"Glaze", "Glass", "Base", "Colour", "Clay", "Finish", "Top"}
NO_COLOURS = {"Oak", "Walnut", "Brass", "Clear"}
KINDS = {
    "Capacity": (Kind.NUMBER, "ml", True),
    "Dishwasher safe": (Kind.BOOLEAN, "", True),
    "Waterproof": (Kind.BOOLEAN, "", False),
    "Vegan": (Kind.BOOLEAN, "", False),
    "Drainage hole": (Kind.BOOLEAN, "", False),
    "Cover removable": (Kind.BOOLEAN, "", False),
    "Loop": (Kind.BOOLEAN, "", False),
}
"""Kind, unit and whether shoppers filter by it, of attributes that are not plain text."""


def collect(entry: Mapping[str, Any]) -> tuple[AttributeRecord, ...]:
    """Collect the attributes of one product of catalog.json."""
    return tuple(record for record in _list(entry) if record.values)


def _list(entry: Mapping[str, Any]) -> Iterator[AttributeRecord]:
    yield AttributeRecord("Colour", _colours(entry), kind=Kind.COLOUR, position=1)
    yield AttributeRecord("Material", _materials(entry), kind=Kind.TEXT, position=2)
    for name, value in entry["attributes"].items():
        kind, unit, is_filter = KINDS.get(name, (Kind.TEXT, "", False))
        yield AttributeRecord(
            name, (value,), kind=kind, unit=unit, is_filter=is_filter, position=10
        )
    yield AttributeRecord(
        "Made of",
        (", ".join(entry["materials"]),),
        kind=Kind.TEXT,
        is_filter=False,
        position=20,
    )
    for code, value in (entry["dimensions"] or {}).items():
        yield _measure(code, value)
    yield AttributeRecord(
        "Weight",
        (f"{entry['weight_g']} g",),
        kind=Kind.NUMBER,
        unit="g",
        is_filter=False,
        position=40,
    )


def _colours(entry: Mapping[str, Any]) -> tuple[str, ...]:
    labels = [
        value["label"]
        for option in entry["options"]
        if option["name"] in COLOURED
        for value in option["values"]
    ]
    return tuple(label for label in labels if label not in NO_COLOURS)


def _materials(entry: Mapping[str, Any]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for words in map(str.lower, entry["materials"]):
        if not any(phrase in words for phrase in NOT_THE_MATERIAL):
            padded = f" {words.replace(',', ' ').replace('-', ' ')} "
            found |= {name: None for word, name in MATERIALS.items() if f" {word} " in padded}
    for option in entry["options"]:
        if option["name"] in {"Wood", "Top", "Finish"}:
            labels = [value["label"] for value in option["values"]]
            found |= {label: None for label in labels if label in MATERIALS.values()}
    if found.keys() & {"Oak", "Walnut", "Ash", "Beech"}:
        found["Wood"] = None
    return tuple(found)


def _measure(code: str, value: float | str) -> AttributeRecord:
    """Name a dimension such as "diameter_cm" and state it in centimetres."""
    name = code.removesuffix("_cm").replace("_", " ").capitalize()
    return AttributeRecord(
        name,
        (f"{value} cm",),
        kind=Kind.TEXT if isinstance(value, str) else Kind.NUMBER,
        unit="" if isinstance(value, str) else "cm",
        is_filter=False,
        position=30,
    )
