"""Files as they really come: packed, in odd encodings, broken here and there, with traps inside."""

from __future__ import annotations

import csv
import gzip
import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.imports import decoding
from catalog.imports import lines as lines_of_csv
from catalog.imports.reading import UnreadableFile
from catalog.imports.sheets import ReadGroup, open_sheet
from catalog.imports.shopify import ShopifyReader
from catalog.models import Product, ProductVariant
from tests.catalog.importing import run_import
from tests.factories.accounts import SellerFactory
from tests.shared import naughty_strings

HEADER = "Handle,Title,Body (HTML),Option1 Name,Option1 Value,Variant SKU,Variant Price"


def read(content: bytes) -> list[ReadGroup]:
    with open_sheet(io.BytesIO(content), ShopifyReader) as sheet:
        return list(sheet.read())


def lines(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def titles(groups: list[ReadGroup]) -> list[str]:
    return [group.product.record.title for group in groups if group.product]


def said(groups: list[ReadGroup]) -> list[str]:
    return [str(finding) for group in groups for finding in group.findings]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_encodings_and_gzip_are_told_apart_by_what_is_in_the_file(
    encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    text = f"{HEADER}\ncafe,Café crème – groß,,,,C,5.00\n"

    groups = read(pack(text.encode(encoding)))

    assert titles(groups) == ["Café crème – groß"]
    western = [
        "The file is not UTF-8 and was read as Windows-1252. If letters such as é or ß look wrong, "
        "save it as “CSV UTF-8” and import it again."
    ]
    assert said(groups) == (western if encoding == "cp1252" else [])


def test_letter_cut_in_two_between_blocks_is_one_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BLOCK", 7)

    groups = read(f"{HEADER}\ncafe,{'é' * 99},,,,C,5.00\n".encode())

    assert titles(groups) == ["é" * 99]


def test_file_that_unpacks_to_more_than_it_may_is_refused() -> None:
    bomb = gzip.compress(f"{HEADER}\n".encode() + b"a" * 50_000_000)

    with (
        pytest.raises(UnreadableFile, match="Unpacked, the file is larger than 3 MB"),
        open_sheet(io.BytesIO(bomb), ShopifyReader, most_bytes=3 * 1024 * 1024),
    ):
        pass


def test_what_is_broken_at_the_end_of_a_file_is_known_before_its_beginning_is_used() -> None:
    content = lines("mug,Mug,,,,M,5.00", 'vase,"Vase,,,,V,5.00', "bowl,Bowl,,,,B,5.00")

    with pytest.raises(UnreadableFile, match="opened in the row that begins on line 3"):
        read(content)


def test_cell_of_five_megabytes_is_refused_as_a_row() -> None:
    content = lines("mug,Mug,,,,M,5.00", f'vase,Vase,"{"x" * 5_000_000}",,,V,5.00', "b,B,,,,B,1")

    groups = read(content)

    assert titles(groups) == ["Mug", "B"]
    assert said(groups) == [
        "line 3, vase, Body (HTML): The cell has 5000000 characters; 1,000,000 are the most."
    ]


def test_ragged_rows_are_named_and_the_product_they_belong_to_loses_nothing_else() -> None:
    content = lines(
        "mug,Mug,,Glaze,Moss,M1,5.00,,,",
        "mug,,,,Ink,M2,5.00,surplus",
        "mug,,,,Salt,M3,5.00",
        "short",
    )

    groups = read(content)

    assert titles(groups) == ["Mug"]
    mug = next(group.product for group in groups if group.product)
    assert [variant.sku for variant in mug.record.variants] == ["M1", "M3"]
    assert not mug.is_whole
    assert said(groups) == [
        "line 3, mug: The row has more cells than the header; a quotation mark is missing.",
        "line 5, short, Title: The title is missing on the product's first row.",
    ]


def test_stray_quotation_mark_costs_one_row() -> None:
    content = lines("mug,Mug,,,,M,5.00", 'vase,"Vase "tall" one",,,,V,5.00', "bowl,Bowl,,,,B,5.00")

    groups = read(content)

    assert titles(groups) == ["Mug", "Bowl"]
    assert said(groups) == [
        "line 3: A quotation mark stands where none may be. Inside a quoted cell write two of "
        'them: "".'
    ]


def test_nul_is_left_out_and_said() -> None:
    groups = read(lines("mug,M\0ug,,,,M,5.00"))

    assert titles(groups) == ["Mug"]
    assert said(groups) == ["line 2: A character that no text can hold was left out (NUL)."]


def test_handle_that_comes_back_later_is_one_product_and_said() -> None:
    groups = read(
        lines("mug,Mug,,Glaze,Moss,M1,5", "vase,Vase,,,,V,9", "mug,,,,Ink,M2,6", "mug,,,,Ink,M3,6")
    )

    assert titles(groups) == ["Mug", "Vase"]
    mug = next(group.product for group in groups if group.product)
    assert [variant.sku for variant in mug.record.variants] == ["M1", "M2"]
    assert said(groups) == [
        "line 5, mug, Option1 Value: Line 4 has the same options already: Ink.",
        "line 4, mug: The product goes on here after line 2, with others between; its rows were "
        "taken together.",
    ]


def test_two_products_under_one_handle_are_one_and_the_second_is_named() -> None:
    groups = read(lines("mug,Mug,,,,M1,5", "mug,Other mug,,,,M2,6"))

    assert titles(groups) == ["Mug"]
    assert said(groups) == [
        "line 3, mug, Option1 Value: Line 2 has the same options already: none."
    ]


def test_product_with_thousands_of_rows_is_refused_without_reading_them() -> None:
    rows = [f"mug,Mug,,Nr,{number},M{number},5" for number in range(5_001)]

    groups = read(lines(*rows))

    assert titles(groups) == []
    assert said(groups) == ["line 2, mug: 5001 rows belong to this product; 5,000 are the most."]


def test_columns_in_any_order_and_case_and_twice_are_found() -> None:
    groups = read(lines("5.00,Mug,mug,9.00", header="VARIANT PRICE,title, Handle ,Variant Price"))

    record = next(group.product for group in groups if group.product).record
    assert (record.handle, record.variants[0].price) == ("mug", 5)


def test_metafields_become_attributes() -> None:
    header = (
        "Handle,Title,Vendor,Variant Price,Fabric (product.metafields.custom.fabric),"
        "Metafield: specs.is_washable [boolean],Color (product.metafields.shopify.color-pattern),"
        "Pair (product.metafields.custom.pair)"
    )
    row = 'tee,Tee,Havre,9,"[""Wool"", ""Silk""]",true,red; blue,gid://shopify/Product/1'

    groups = read(lines(row, header=header))

    record = next(group.product for group in groups if group.product).record
    assert [(each.name, each.values) for each in record.attributes] == [
        ("Brand", ("Havre",)),
        ("Fabric", ("Wool", "Silk")),
        ("Is washable", ("true",)),
        ("Color", ("red", "blue")),
    ]


def test_reading_may_begin_behind_any_product() -> None:
    content = lines(*(f"p{number},P {number},,,,S{number},5" for number in range(1, 6)))

    with open_sheet(io.BytesIO(content), ShopifyReader) as sheet:
        assert sheet.total == 5
        rest = list(sheet.read(after=3))

    assert titles(rest) == ["P 4", "P 5"]


def test_hundred_thousand_rows_need_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(HEADER.split(","))
        for number in range(20_000):
            rows.writerow([f"p{number}", "P", "words " * 50, "", "", f"S{number}", "5.00"])
    assert path.stat().st_size > 6_000_000

    tracemalloc.start()
    with path.open("rb") as file, open_sheet(file, ShopifyReader) as sheet:
        count = sum(1 for group in sheet.read() if group.product)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 20_000
    assert peak < 6_000_000


@pytest.mark.django_db
def test_naughty_strings_go_in_as_they_are_or_are_refused_by_name(tmp_path: Path) -> None:
    SellerFactory()
    path = tmp_path / "naughty.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(
            ["Handle", "Title", "Body (HTML)", "Tags", "Type", "Variant SKU", "Variant Price"]
        )
        texts = [text for text in naughty_strings() if text.strip()]
        for number, text in enumerate(texts):
            rows.writerow([f"n{number}", text, text, text[:50], text, "", "1.00"])
            rows.writerow([text, "Title", text, "", "", text, text])

    report = run_import(path)[-1]

    assert report.startswith("Products: ")
    assert Product.objects.count() > 500
    for product in Product.objects.iterator():
        assert "<script" not in product.description.lower()
        assert "onerror=" not in product.description.lower() or "<" not in product.description
    assert ProductVariant.objects.exclude(price=1).count() < 20


@pytest.mark.django_db
def test_scripts_in_descriptions_are_cut_out(tmp_path: Path) -> None:
    SellerFactory()
    path = tmp_path / "export.csv"
    path.write_bytes(
        lines(
            'mug,<script>alert(1)</script>,"<p onclick=""x()"">Fine<script>alert(1)</script>'
            '<img src=x onerror=alert(1)><a href=""javascript:x()"">here</a></p>",,,M,5'
        )
    )

    run_import(path)

    product = Product.objects.get()
    assert product.description == '<p>Fine<a rel="noopener nofollow">here</a></p>'
    assert product.title == "<script>alert(1)</script>"


def test_longest_quote_ends_the_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_of_csv, "LONGEST_QUOTE", 10_000)

    with pytest.raises(UnreadableFile, match="opened in the row that begins on line 2"):
        read(lines('mug,"Mug,,,,M,5.00', *(["vase,Vase,,,,V,5.00"] * 1_000)))


@pytest.mark.parametrize("row", ["a" * 20_000, '"a\n",' * 5_000, "," * 20_000])
def test_row_that_never_ends_is_not_read_to_its_end(
    monkeypatch: pytest.MonkeyPatch, row: str
) -> None:
    monkeypatch.setattr(lines_of_csv, "LONGEST_QUOTE", 10_000)

    with pytest.raises(UnreadableFile, match="row that begins on line 3"):
        read(lines("mug,Mug,,,,M,5.00", row))
    with pytest.raises(UnreadableFile):
        read(row.encode())


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("cell", "values"),
    [
        ("[" * 100_000, None),
        (r'["wool\ud800", "silk\u0000"]', ["wool?", "silk"]),
    ],
)
def test_json_that_nobody_can_hold_does_not_end_the_import(
    tmp_path: Path, cell: str, values: list[str] | None
) -> None:
    SellerFactory()
    path = tmp_path / "tees.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["Handle", "Title", "Variant Price", "Fabric (product.metafields.custom.fabric)"]
        )
        writer.writerow(["tee", "Tee", "9", cell])

    run_import(path)

    facts = Product.objects.get().attribute_values.order_by("pk")
    assert [fact.text for fact in facts] == (values or [])
