"""Reads facts in words ("320 ml", "Yes", "Stoneware") as typed attribute values."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.text import slugify

from catalog.models import Attribute, AttributeValue

NUMBER_AND_UNIT = re.compile(
    r"(?P<number>-?\d{1,9}(?:[.,]\d{1,4})?)\s*(?P<unit>[^\W\d_]{0,6}|%|°C)"
)
PLAIN_NUMBER = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,4})?")
YES = {"yes", "true", "ja"}
NO = {"no", "false", "nein"}
UNITS: tuple[dict[str, Decimal], ...] = (
    {"ml": Decimal(1), "cl": Decimal(10), "dl": Decimal(100), "l": Decimal(1000)},
    {"mg": Decimal("0.001"), "g": Decimal(1), "kg": Decimal(1000)},
    {"mm": Decimal(1), "cm": Decimal(10), "m": Decimal(1000)},
)


@dataclass(frozen=True, slots=True)
class Fact:
    """A typed value; `facet` is how filters write it in a URL."""

    facet: str
    text: str = ""
    number: Decimal | None = None
    boolean: bool | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    number: Decimal
    unit: str


def guess_kind(texts: Sequence[str]) -> tuple[Attribute.Kind, str]:
    """Guess what kind of facts these are, and the unit of numbers; words that differ are text."""
    words = {text.strip().lower() for text in texts}
    if words and words <= YES | NO:
        return Attribute.Kind.BOOLEAN, ""
    measures = [_read_measures(text) for text in texts]
    if measures and all(measures):
        units = {measure.unit for found in measures for measure in found}
        if len(units) == 1:
            return Attribute.Kind.NUMBER, units.pop()
        smallest = _smallest_common_unit(units)
        if smallest:
            return Attribute.Kind.NUMBER, smallest
    return Attribute.Kind.TEXT, ""


def read(texts: Iterable[str], *, kind: str, unit: str) -> list[Fact]:
    """Read the values of one attribute of one product; what does not fit the kind stays text."""
    found: dict[str, Fact] = {}
    for text in texts:
        for fact in _read_one(" ".join(text.split()), kind=kind, unit=unit):
            found.setdefault(fact.facet, fact)
    return list(found.values())


def write(value: AttributeValue) -> str:
    """Write a typed value in the words that `read` understands."""
    unit = value.attribute.unit if value.number is not None else ""
    return write_value(value.text, value.number, value.boolean, unit=unit)


def write_value(text: str, number: Decimal | None, boolean: bool | None, *, unit: str) -> str:
    """Write the columns of a typed value in the words that `read` understands."""
    if boolean is not None:
        return "yes" if boolean else "no"
    if number is not None:
        return f"{number.normalize():f} {unit}".strip()
    return text


def make_facet(text: str) -> str:
    """Return the words as a URL writes them; signs that no slug can hold become a short hash."""
    slug = slugify(text, allow_unicode=True)[:80].strip("-")
    return slug or hashlib.sha256(text.encode()).hexdigest()[:12]


def make_code(name: str) -> str:
    """Return the code that an attribute of this name has unless it got another one."""
    return make_facet(name)[:60]


def _read_one(text: str, *, kind: str, unit: str) -> list[Fact]:
    if not text:
        return []
    if kind == Attribute.Kind.BOOLEAN and text.lower() in YES | NO:
        is_yes = text.lower() in YES
        return [Fact(facet="yes" if is_yes else "no", boolean=is_yes)]
    if kind == Attribute.Kind.NUMBER:
        numbers: list[Decimal | None] = [_read_exactly(text, unit)]
        if numbers == [None]:
            numbers = [_convert(measure, unit) for measure in _read_measures(text)]
        if numbers and None not in numbers:
            return [
                Fact(facet=f"{number.normalize():f}", number=number)
                for number in numbers
                if number is not None
            ]
    return [Fact(facet=make_facet(text), text=text[:250])]


def _read_exactly(text: str, unit: str) -> Decimal | None:
    """Read a number as `write` writes it, whatever the unit and however large the number."""
    number = text.removesuffix(f" {unit}") if unit else text
    if PLAIN_NUMBER.fullmatch(number) and (not unit or number != text):
        return Decimal(number)
    return None


def _read_measures(text: str) -> list[Measure]:
    """Read "320 ml" as one measure and "1.2 l and 0.75 l" as two; anything else as none."""
    measures = []
    for part in text.strip().split(" and "):
        match = NUMBER_AND_UNIT.fullmatch(part.strip())
        if match is None:
            return []
        number = Decimal(match["number"].replace(",", "."))
        measures.append(Measure(number, match["unit"]))
    return measures


def _convert(measure: Measure, unit: str) -> Decimal | None:
    if measure.unit == unit:
        return measure.number
    for family in UNITS:
        if measure.unit in family and unit in family:
            converted = measure.number * family[measure.unit] / family[unit]
            return converted.quantize(Decimal("0.0001"))
    return None


def _smallest_common_unit(units: set[str]) -> str:
    for family in UNITS:
        if units <= family.keys():
            return min(units, key=lambda unit: family[unit])
    return ""
