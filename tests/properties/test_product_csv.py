"""Whatever stands in the catalogue: the shop's own CSV gives it back, and holds no formula."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from catalog import facts
from catalog.exports import files
from catalog.exports.emporium import EmporiumWriter
from catalog.exports.pages import OwnedProduct
from catalog.imports.emporium import EmporiumReader
from catalog.imports.reading import ReadProduct
from catalog.imports.sheets import open_sheet
from catalog.models import Attribute, Product
from catalog.product_csv import neutralise, read_list, restore, write_list
from catalog.records import (
    AttributeRecord,
    CategoryStep,
    ImageRecord,
    OptionRecord,
    OptionValueRecord,
    ProductRecord,
    VariantRecord,
)

DANGEROUS = tuple("=+-@\t\r\n")
# Mostly what means something in the file, a spreadsheet or a regular expression.
SIGNS = st.sampled_from(
    [*"=+-@\t\r\n'\"|\\;:,>[]#/ ab5é＝", "#7b7f63", "\\n", "\\s", "-5", "\u00a0"]
)
ANYTHING = st.text(
    st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), max_size=12
)
TEXTS = st.lists(SIGNS | ANYTHING, max_size=8).map("".join)
CELLS = TEXTS.map(str.strip)
WORDS = CELLS.filter(bool).map(lambda text: text[:60].strip()).filter(bool)
SLUGS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,20}[a-z0-9])?", fullmatch=True)
STEPS = st.builds(CategoryStep, SLUGS, WORDS)
AMOUNTS = st.decimals(min_value=0, max_value=Decimal("999999999.99"), places=2)
PIECES = st.integers(0, 2_147_483_647)


CALM = hypothesis_settings(
    deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@CALM
@given(TEXTS)
def test_every_text_comes_back_from_a_neutral_cell(text: str) -> None:
    assert restore(neutralise(text)) == text


@CALM
@given(TEXTS)
def test_no_cell_begins_like_a_formula_unless_it_is_a_number(text: str) -> None:
    cell = neutralise(text)

    assert not cell.startswith(DANGEROUS) or float(cell) <= 0


@CALM
@given(st.text(alphabet="abc 'é5.") | st.from_regex(r"-[0-9]{1,4}", fullmatch=True))
def test_harmless_cells_are_left_as_they_are(text: str) -> None:
    assert neutralise(text) == text


@CALM
@given(st.lists(TEXTS.filter(bool)), st.sampled_from("|;>"))
def test_every_list_of_texts_comes_back(texts: list[str], sign: str) -> None:
    assert list(read_list(write_list(texts, sign=sign), sign=sign)) == texts


def attributes() -> st.SearchStrategy[tuple[AttributeRecord, ...]]:
    names = WORDS.filter(lambda name: facts.make_code(name))
    one = st.builds(
        AttributeRecord,
        name=names,
        values=st.lists(WORDS, max_size=3).map(tuple),
        kind=st.sampled_from(Attribute.Kind),
        unit=st.just("") | WORDS.map(lambda text: text[:20].strip()),
        is_filter=st.booleans(),
        position=st.integers(0, 32_767),
        code=st.just(""),
    ).map(with_code)
    return st.lists(one, max_size=3, unique_by=lambda fact: fact.code).map(tuple)


def with_code(fact: AttributeRecord) -> AttributeRecord:
    code = facts.make_code(fact.name)
    return AttributeRecord(
        **{name: getattr(fact, name) for name in fact.__slots__} | {"code": code}
    )


@st.composite
def products(draw: st.DrawFn) -> OwnedProduct:
    axes = draw(st.lists(WORDS, max_size=4, unique=True))
    options = tuple(
        OptionRecord(
            name,
            tuple(
                OptionValueRecord(label, draw(st.sampled_from(["", "#7b7f63", "#FFFFFF"])))
                for label in draw(st.lists(WORDS, min_size=1, max_size=4, unique=True))
            ),
        )
        for name in axes
    )
    combinations = draw(
        st.lists(
            st.tuples(*(st.sampled_from([each.label for each in one.values]) for one in options)),
            min_size=1,
            max_size=4,
            unique=True,
        )
    )
    images = draw(st.lists(image(), max_size=3, unique_by=lambda each: each.source))
    skus = draw(
        st.lists(WORDS, min_size=len(combinations), max_size=len(combinations), unique=True)
    )
    record = ProductRecord(
        handle=draw(SLUGS),
        title=draw(WORDS),
        short_description=draw(CELLS),
        description=draw(CELLS),
        care=draw(CELLS),
        origin=draw(CELLS),
        tags=tuple(draw(st.lists(CELLS.filter(bool), max_size=3, unique=True))),
        collections=tuple(draw(st.lists(STEPS, max_size=3, unique_by=lambda each: each.slug))),
        category=tuple(draw(st.lists(STEPS, max_size=3))),
        tax_class=draw(SLUGS),
        status=draw(st.sampled_from(Product.Status)),
        options=options,
        variants=tuple(
            draw(variant(labels, sku, [each.source for each in images]))
            for labels, sku in zip(combinations, skus, strict=True)
        ),
        attributes=draw(attributes()),
        images=tuple(images),
        seo_title=draw(CELLS),
        seo_description=draw(CELLS),
        published_at=draw(
            st.none()
            | st.datetimes(datetime(1950, 1, 1), datetime(2900, 1, 1), timezones=st.just(UTC))
        ),
    )
    return OwnedProduct(record, seller=draw(SLUGS))


def image() -> st.SearchStrategy[ImageRecord]:
    sources = SLUGS.map(lambda name: f"https://shop.example/media/originals/{name}.webp")
    return st.builds(ImageRecord, sources, CELLS)


def variant(
    labels: tuple[str, ...], sku: str, sources: list[str]
) -> st.SearchStrategy[VariantRecord]:
    return st.builds(
        VariantRecord,
        price=AMOUNTS,
        sku=st.just(sku),
        options=st.just(labels),
        compare_at_price=st.none() | AMOUNTS,
        cost=st.none() | AMOUNTS,
        weight_grams=PIECES,
        barcode=st.from_regex(r"[0-9A-Z-]{0,14}", fullmatch=True),
        tracks_stock=st.booleans(),
        stock=st.none() | PIECES,
        low_stock_at=st.none() | PIECES,
        is_active=st.booleans(),
        image=st.sampled_from(["", *sources]),
    )


def read_back(*found: OwnedProduct) -> list[Any]:
    """Write products into a file and read it, as an import does."""
    writer = EmporiumWriter(max(len(each.record.options) for each in found))
    rows = [row for product in found for row in writer.rows(product)]
    text = files.MARK + files.to_text([writer.header(), *rows])
    with open_sheet(io.BytesIO(text.encode()), EmporiumReader) as sheet:
        return [
            item
            for group in sheet.read()
            for item in (*group.findings, group.product)
            if item is not None
        ]


@hypothesis_settings(CALM, max_examples=40, phases=[Phase.explicit, Phase.generate])
@given(products())
def test_every_product_comes_back_from_the_file(product: OwnedProduct) -> None:
    (found,) = read_back(product)

    assert isinstance(found, ReadProduct), found
    code_known = tuple(with_code(fact) for fact in found.record.attributes)
    record = ProductRecord(
        **{name: getattr(found.record, name) for name in found.record.__slots__}
        | {"attributes": code_known}
    )
    assert record == product.record
    assert (found.seller, found.line, found.is_whole) == (product.seller, 2, True)
