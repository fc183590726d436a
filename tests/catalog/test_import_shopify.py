from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from catalog.models import AttributeValue, ImportPicture, Product, ProductVariant
from tests.catalog.pictures import picture
from tests.catalog.rows import fingerprint
from tests.factories.accounts import SellerFactory

pytestmark = pytest.mark.django_db

HEADER = (
    "Handle,Title,Body (HTML),Vendor,Type,Tags,Published,Option1 Name,Option1 Value,Variant SKU,"
    "Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,Variant Price,"
    "Variant Compare At Price,Image Src,Image Alt Text"
)


def run(path: Path, **options: Any) -> list[str]:
    output = io.StringIO()
    call_command("import_products", str(path), format="shopify", stdout=output, **options)
    return output.getvalue().splitlines()


def untouched() -> dict[str, Any]:
    """Where all rows lie, except those that tell of the import itself."""
    places = fingerprint("catalog", "shop", "accounts")
    return {table: rows for table, rows in places.items() if table != "catalog_importrun"}


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write an export from lines, under the usual header."""

    def write(*lines: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
        path = tmp_path / "export.csv"
        path.write_bytes("\n".join([header, *lines, ""]).encode(encoding))
        return path

    return write


@pytest.fixture(autouse=True)
def _a_seller() -> None:
    SellerFactory(slug="first")


@pytest.mark.parametrize(
    ("name", "products", "variants", "tracked"),
    [
        ("home-and-garden", 20, 21, 1),
        ("apparel", 20, 22, 0),
        ("jewelery", 20, 23, 0),
        ("shopify_sample_product_template", 3, 16, 4),
    ],
)
def test_real_export_comes_in_whole_and_a_second_time_changes_nothing(
    shared: Callable[[str], Path], name: str, products: int, variants: int, tracked: int
) -> None:
    path = shared(f"catalogues/shopify/{name}.csv")

    first = run(path)

    assert first[-1] == (
        f"Products: {products} created, 0 updated, 0 unchanged, 0 refused. "
        "Rows: 0 refused, 0 noted."
    )
    assert Product.objects.count() == products
    assert ProductVariant.objects.count() == variants
    assert ProductVariant.objects.filter(tracks_stock=True).count() == tracked
    before = untouched()

    second = run(path)

    assert second[-1] == (
        f"Products: 0 created, 0 updated, {products} unchanged, 0 refused. "
        "Rows: 0 refused, 0 noted."
    )
    assert untouched() == before


def test_every_price_and_option_of_the_home_export_is_there(
    shared: Callable[[str], Path],
) -> None:
    path = shared("catalogues/shopify/home-and-garden.csv")
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))

    run(path)

    expected = sorted(
        (
            row["Handle"],
            "" if row["Option1 Value"] == "Default Title" else row["Option1 Value"],
            Decimal(row["Variant Price"]),
            Decimal(row["Variant Compare At Price"]) if row["Variant Compare At Price"] else None,
        )
        for row in rows
    )
    found = ProductVariant.objects.values_list(
        "product__slug", "label", "price", "compare_at_price"
    )
    assert sorted(found) == expected
    pot = Product.objects.get(slug="clay-plant-pot")
    assert pot.description == "<p>Classic blown clay pot for plants</p>"
    assert pot.category.path == "outdoor"
    assert pot.tags == ["Pot", "Plants"]
    assert pot.is_available
    assert AttributeValue.objects.get(product=pot, attribute__code="brand").text == "Company 123"


def test_bicycle_shop_with_repeated_skus_comes_in(shared: Callable[[str], Path]) -> None:
    lines = run(shared("catalogues/shopify/bicycles.csv"))

    assert lines[-1] == (
        "Products: 284 created, 0 updated, 0 unchanged, 0 refused. Rows: 4 refused, 46 noted."
    )
    assert any(
        line.startswith("Refused: line 498, pure-fix-basic-tee, Variant SKU: ") for line in lines
    )
    assert Product.objects.filter(status=Product.Status.DRAFT).count() == 58


def test_dry_run_says_the_same_and_changes_nothing(write: Callable[..., Path]) -> None:
    path = write("mug,Mug,,Havre,Cups,,true,Title,Default Title,MUG,330,shopify,3,24.00,,,")
    before = fingerprint("catalog", "shop", "accounts")

    lines = run(path, dry_run=True)

    assert lines[-2:] == [
        "Products: 1 created, 0 updated, 0 unchanged, 0 refused. Rows: 0 refused, 0 noted.",
        "This was a dry run: nothing was changed.",
    ]
    assert fingerprint("catalog", "shop", "accounts") == before


def test_broken_rows_are_named_and_the_rest_goes_in(write: Callable[..., Path]) -> None:
    path = write(
        'mug,Mug,"<p>Two',
        'lines</p>",,,,true,Glaze,Moss,MUG-MOSS,330,shopify,3,24.00,,,',
        "mug,,,,,,,,Ink,MUG-INK,330,shopify,3,lots,,,",
        "mug,,,,,,,,,MUG-NONE,330,shopify,3,24.00,,,",
        ",Nameless,,,,,true,Title,Default Title,N,0,,1,5.00,,,",
        "untitled,,,,,,true,Title,Default Title,U,0,,1,5.00,,,",
        "cup,Cup,,,,,true,Title,Default Title,CUP,0,,1,-5.00,,,",
        "vase,Vase,,,,,true,Title,Default Title,VASE,0,shopify,-2,48.00,,,",
    )

    lines = run(path)

    assert lines == [
        "Note: line 9, vase, Variant Inventory Qty: Oversold by 2 pieces; counted as 0.",
        "Refused: line 4, mug, Variant Price: “lots” is not a number; write it like 12.50.",
        "Refused: line 5, mug, Option1 Value: The value of the option Glaze is missing.",
        "Refused: line 6, Handle: The handle is missing: give the product's.",
        "Refused: line 7, untitled, Title: The title is missing on the product's first row.",
        "Refused: line 8, cup, Variant Price: An amount cannot be negative.",
        "Refused: line 8, cup, Variant Price: No row of the product can be sold: each was refused.",
        "Products: 2 created, 0 updated, 0 unchanged, 2 refused. Rows: 6 refused, 1 noted.",
    ]
    assert list(ProductVariant.objects.order_by("sku").values_list("sku", flat=True)) == [
        "MUG-MOSS",
        "VASE",
    ]


def test_current_column_layout_is_read(write: Callable[..., Path]) -> None:
    header = (
        "Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,"
        "Status,SKU,Barcode,Option1 name,Option1 value,Price,Compare-at price,Charge tax,"
        "Inventory tracker,Inventory quantity,Continue selling when out of stock,"
        "Weight value (grams),Product image URL,Image alt text"
    )
    path = write(
        "Mug,mug,<p>Fine</p>,Havre,Home & Garden > Kitchen,Cups,tea,TRUE,Active,MUG,4006381333931,"
        "Title,Default Title,24.00,30.00,TRUE,shopify,7,DENY,330,,",
        header=header,
    )

    lines = run(path)

    assert lines == [
        "Products: 1 created, 0 updated, 0 unchanged, 0 refused. Rows: 0 refused, 0 noted."
    ]
    variant = ProductVariant.objects.get(sku="MUG")
    assert (variant.price, variant.compare_at_price) == (Decimal("24.00"), Decimal("30.00"))
    assert (variant.weight_grams, variant.stock_level.on_hand) == (330, 7)
    assert variant.product.category.path == "home-garden/kitchen"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_files_from_spreadsheets_with_a_byte_order_mark_are_read(
    write: Callable[..., Path], encoding: str
) -> None:
    path = write("cafe,Café crème,,,,,true,,,C,0,,1,5.00,,,", encoding=encoding)

    run(path)

    assert Product.objects.get().title == "Café crème"


def test_semicolons_of_a_european_spreadsheet_are_read(write: Callable[..., Path]) -> None:
    path = write("mug;Mug, large;5.00", header="Handle;Title;Variant Price", encoding="utf-8")

    run(path)

    assert Product.objects.get().title == "Mug, large"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"Handle,Title,Variant Price\ncaf\xc3\xa9,Caf\xe9,5\n", "not UTF-8: line 2"),
        (b"Handle,Title,Variant Price\nmug,Mug\x8d\xff,5\n", "not UTF-8: line 2"),
        (b'Handle,Title,Variant Price\nmug,"Mug,5\n', "opened in the row .* line 2"),
        (b"sku,name\n1,2\n", "The column Handle, Title, Variant Price is missing. .* Shopify"),
        (b"", "The column Handle, Title, Variant Price is missing"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "a PNG file, no CSV"),
        (b"PK\x03\x04\x14\x00", "an? XLSX/ZIP file, no CSV"),
        (gzip.compress(b"Handle,Title,Variant Price\n" * 9)[:-9], "gzip file is damaged"),
    ],
)
def test_unreadable_file_is_refused_whole_with_its_cure(
    tmp_path: Path, content: bytes, message: str
) -> None:
    path = tmp_path / "export.csv"
    path.write_bytes(content)

    with pytest.raises(CommandError, match=message):
        run(path)

    assert not Product.objects.exists()


def test_missing_file_and_unknown_seller_are_said_plainly(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="cannot be read: No such file or directory"):
        run(tmp_path / "nowhere.csv")
    with pytest.raises(CommandError, match="There is no seller nobody"):
        run(write("mug,Mug,,,,,true,,,M,0,,1,5.00,,,"), seller="nobody")


def test_pictures_come_from_a_folder_and_never_from_the_network(
    write: Callable[..., Path], tmp_path: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "mug.jpg").write_bytes(picture(size=(40, 50)).getvalue())
    (folder / "broken.jpg").write_bytes(b"no picture")
    path = write(
        "mug,Mug,,,,,true,,,M,0,,1,5.00,,https://cdn.example.com/f/mug_925x.jpg?v=1,A mug",
        "mug,,,,,,,,,,,,,,,https://cdn.example.com/f/broken.jpg,",
        "mug,,,,,,,,,,,,,,,https://cdn.example.com/f/missing.jpg,",
    )

    lines = run(path, images_from=folder)

    image = Product.objects.get().images.get()
    assert (image.alt, image.asset.width) == ("A mug", 40)
    assert lines[0].startswith(
        "Note: line 2, mug, Image Src: broken.jpg: This file is not a picture"
    )
    assert lines[1].startswith("Pictures left out: 1. ")
    assert not ImportPicture.objects.exists()


def test_seller_is_chosen_by_slug(write: Callable[..., Path]) -> None:
    SellerFactory(slug="second")

    run(write("mug,Mug,,,,,true,,,M,0,,1,5.00,,,"), seller="second")

    assert Product.objects.get().seller.slug == "second"
