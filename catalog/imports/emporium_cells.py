"""Reads the cells of the shop's own product CSV: what one of them says of a product or a variant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from catalog import facts
from catalog.imports.cells import make_slug
from catalog.imports.reading import Row, RowRefused
from catalog.models import Attribute, Product
from catalog.product_csv import (
    BETWEEN,
    BETWEEN_DETAILS,
    BETWEEN_STEPS,
    cut,
    option_columns,
    read_list,
    unescape,
)
from catalog.records import (
    AttributeRecord,
    CategoryStep,
    ImageRecord,
    OptionRecord,
    OptionValueRecord,
    VariantRecord,
)

TRUE, FALSE = facts.YES | {"1"}, facts.NO | {"0"}
CHOICE = re.compile(r"(?s)(.*\S)\s+(#[0-9a-fA-F]{6})")
STEP = re.compile(r"(?s)((?:[^\\\[]|\\.)*)(?:\[([^\]]*)\]\s*)?")
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,120}")
FACT = re.compile(r"(?s)((?:[^\\\[:]|\\.)*)(?:\[((?:[^\\\]]|\\.)*)\]\s*)?:(.*)")
CODE = re.compile(r"[-\w]{1,60}")
LAST_POSITION = 32_767
DECIMAL_COMMA = re.compile(r"(-?[0-9]+),([0-9]{1,2})")
NUMBERS = ("price", "compare_at_price", "cost", "weight_grams", "stock", "low_stock_at")
LONGEST_PATH = 600


def accept_commas(row: Row) -> Row:
    """Write numbers with a decimal point: spreadsheets of half of Europe write a comma."""
    commas = {
        name: f"{match[1]}.{match[2]}"
        for name in NUMBERS
        if (match := DECIMAL_COMMA.fullmatch(row[name]))
    }
    return Row(row.line, {**row.cells, **commas}) if commas else row


def read_flag(row: Row, column: str) -> bool:
    word = row[column].casefold()
    if word and word not in TRUE | FALSE:
        raise RowRefused(column, _("Write yes or no."))
    return word not in FALSE


def read_status(row: Row) -> Product.Status:
    word = row["status"].lower()
    if not word:
        return Product.Status.ACTIVE
    if word not in Product.Status.values:
        raise RowRefused("status", _("Write active, draft or archived."))
    return Product.Status(word)


def read_tax_class(row: Row) -> str:
    code = row["tax_class"] or "standard"
    if not re.fullmatch(r"[-a-zA-Z0-9_]{1,40}", code):
        raise RowRefused(
            "tax_class", _("Write the code of a tax class in letters, digits and dashes.")
        )
    return code


def read_moment(row: Row) -> datetime | None:
    if not row["published_at"]:
        return None
    try:
        moment = datetime.fromisoformat(row["published_at"])
    except ValueError:
        moment = None
    if moment is None or not 1900 < moment.year < 3000:
        raise RowRefused("published_at", _("Write date and time like 2026-03-01T09:00+01:00."))
    return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


def read_category(row: Row) -> tuple[CategoryStep, ...]:
    """Read "Table & kitchen > Mugs"; a slug in brackets stands where it is not made of the name."""
    refusal = _("“%(step)s” is no category: write names with > between them.")
    steps = _read_steps(row, "category", BETWEEN_STEPS, refusal)
    if len("/".join(step.slug for step in steps)) > LONGEST_PATH:
        raise RowRefused("category", _("The way through the categories is too long."))
    return steps


def read_collections(row: Row) -> tuple[CategoryStep, ...]:
    """Read "Spring | For tea [tea]", each collection once."""
    refusal = _("“%(step)s” is no collection: write names with | between them.")
    steps = _read_steps(row, "collections", BETWEEN, refusal)
    return tuple({step.slug: step for step in steps}.values())


def _read_steps(row: Row, column: str, sign: str, refusal: str) -> tuple[CategoryStep, ...]:
    steps = []
    for piece in cut(row[column], sign):
        if not piece:
            continue
        match = STEP.fullmatch(piece)
        name = unescape((match[1] if match else piece).strip())
        slug = (match[2] if match else None) or make_slug(name)
        if not name or not SLUG.fullmatch(slug):
            raise RowRefused(column, refusal % {"step": piece[:40]})
        steps.append(CategoryStep(slug, name))
    return tuple(steps)


def read_options(
    first: Row, axes: Mapping[int, str], variants: Iterable[VariantRecord]
) -> Iterator[OptionRecord]:
    """Read the options with their values in order; values that only variants have come last."""
    for place, (number, name) in enumerate(axes.items()):
        choices: dict[str, str | None] = {}
        for piece in cut(first[option_columns(number)[1]], BETWEEN):
            if piece:
                match = CHOICE.fullmatch(piece)
                label, swatch = (match[1], match[2]) if match else (piece, "")
                choices.setdefault(unescape(label), swatch)
        for variant in variants:
            choices.setdefault(variant.options[place], None)
        yield OptionRecord(name, tuple(OptionValueRecord(*choice) for choice in choices.items()))


def read_facts(row: Row) -> Iterator[AttributeRecord]:
    """Read one attribute from each line: "Capacity [number; unit=ml]: 320 ml | 450 ml"."""
    seen: set[str] = set()
    for line in row["attributes"].split("\n"):
        if not line.strip():
            continue
        match = FACT.fullmatch(line.strip())
        name = unescape(match[1].strip()) if match else ""
        if match is None or not name:
            raise RowRefused(
                "attributes",
                _("“%(line)s” is no fact: write one on a line, such as Material: oak | steel.")
                % {"line": line.strip()[:40]},
            )
        fact = _describe_fact(name, match[2] or "", read_list(match[3]))
        code = fact.code or facts.make_code(name)
        if code in seen:
            raise RowRefused(
                "attributes",
                _("%(name)s is there twice; write its values on one line.") % {"name": name[:40]},
            )
        seen.add(code)
        yield fact


def _describe_fact(name: str, details: str, values: tuple[str, ...]) -> AttributeRecord:
    kind: Attribute.Kind | None = None
    said: dict[str, str] = {}
    for piece in filter(None, cut(details, BETWEEN_DETAILS)):
        word, sign, rest = unescape(piece).partition("=")
        if sign:
            said[word.strip()] = rest.strip()
        elif word in Attribute.Kind.values:
            kind = Attribute.Kind(word)
        else:
            raise RowRefused(
                "attributes",
                _("“%(word)s” is no kind of fact: write text, number, boolean or colour.")
                % {"word": word[:40]},
            )
    position, code = said.get("position", "0"), said.get("code", "")
    is_place = re.fullmatch(r"[0-9]{1,5}", position) and int(position) <= LAST_POSITION
    if not is_place or (code and not CODE.fullmatch(code)):
        raise RowRefused(
            "attributes",
            _("The words in brackets behind %(name)s do not fit.") % {"name": name[:40]},
        )
    return AttributeRecord(
        name=name,
        values=values,
        kind=kind,
        unit=said.get("unit", ""),
        is_filter=said.get("filter", "yes") not in FALSE,
        position=int(position),
        code=code,
    )


def read_images(row: Row, variants: Iterable[VariantRecord]) -> Iterator[ImageRecord]:
    """Read one picture from each line, its address and behind it the words for it."""
    seen: set[str] = set()
    for line in row["images"].split("\n"):
        source, _space, alt = line.strip().partition(" ")
        if source and source not in seen:
            seen.add(source)
            yield ImageRecord(source, unescape(alt.strip()))
    for variant in variants:
        if variant.image and variant.image not in seen:
            seen.add(variant.image)
            yield ImageRecord(variant.image)
