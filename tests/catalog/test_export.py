"""What goes out comes back: exports, and what importing them does."""

from __future__ import annotations

import csv
import gzip
import io
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection, transaction

from accounts.models import Seller
from catalog.demo import loader
from catalog.exports import files, pages
from catalog.exports.pages import Choice
from catalog.models import (
    Attribute,
    Collection,
    CollectionItem,
    ImageAsset,
    ImportRun,
    Product,
    ProductVariant,
)
from catalog.records import (
    AttributeRecord,
    CategoryStep,
    ImageRecord,
    OptionRecord,
    OptionValueRecord,
    VariantRecord,
)
from catalog.services import collections, publishing
from catalog.services.media import add_image
from tests.admin_forms import sign_in
from tests.catalog.pictures import picture
from tests.catalog.records import FIRST_COUNT, mug, vase
from tests.catalog.rows import fingerprint
from tests.catalog.whole import describe_catalogue, empty_the_shop, list_differences
from tests.factories.accounts import SellerFactory, SellerMemberFactory, UserFactory
from tests.factories.catalog import (
    BuyableProductFactory,
    OptionFactory,
    OptionValueFactory,
    ProductFactory,
    VariantFactory,
)

Kind = Attribute.Kind
SHOP = settings.SHOP_URL
pytestmark = pytest.mark.django_db
IMPORT_TABLES = {
    *("catalog_importrun", "catalog_importpart", "catalog_importfinding", "catalog_importpicture"),
    "catalog_picturesource",
}


def export(path: Path, **options: Any) -> list[dict[str, str]]:
    call_command("export_products", output=path, stdout=io.StringIO(), **options)
    return read(path)


def read(path: Path) -> list[dict[str, str]]:
    content = path.read_bytes()
    return parse((gzip.decompress(content) if path.suffix == ".gz" else content).decode())


def parse(text: str) -> list[dict[str, str]]:
    assert text.startswith(files.MARK)
    return list(csv.DictReader(io.StringIO(text.removeprefix(files.MARK), newline="")))


def bring_in(path: Path, format: str = "emporium", **options: Any) -> ImportRun:
    call_command("import_products", str(path), format=format, stdout=io.StringIO(), **options)
    return ImportRun.objects.latest("pk")


def counts(run: ImportRun) -> tuple[int, int, int, int]:
    """Created, updated, unchanged, refused."""
    return run.created, run.updated, run.unchanged, run.refused


def catalogue_rows() -> dict[str, list[tuple[int, str]]]:
    rows = fingerprint("catalog")
    return {table: places for table, places in rows.items() if table not in IMPORT_TABLES}


def assert_round_trip(tmp_path: Path) -> int:
    """Import an export into the full shop, then into an empty one; return how many products."""
    path = tmp_path / "export.csv"
    whole, rows = describe_catalogue(), catalogue_rows()
    count = len(whole["products"])
    export(path)

    into_the_full_one = bring_in(path)
    assert list_differences(whole, describe_catalogue()) == []
    assert counts(into_the_full_one) == (0, 0, count, 0)
    assert catalogue_rows() == rows

    empty_the_shop()
    assert counts(bring_in(path, from_start=True)) == (count, 0, 0, 0)
    assert list_differences(whole, describe_catalogue()) == []

    again = tmp_path / "again.csv"
    export(again)
    assert again.read_bytes() == path.read_bytes()
    return count


def test_demo_shop_goes_round(tmp_path: Path) -> None:
    list(loader.load())

    assert assert_round_trip(tmp_path) == len(loader.read_catalog()["products"])


@pytest.mark.parametrize(
    ("format", "name"),
    [
        ("shopify", "shopify/home-and-garden"),
        ("shopify", "shopify/apparel"),
        ("shopify", "shopify/jewelery"),
        ("shopify", "shopify/bicycles"),
        ("shopify", "shopify/shopify_sample_product_template"),
        ("woocommerce", "woocommerce/sample_products"),
    ],
)
def test_real_catalogue_goes_round(
    shared: Callable[[str], Path], tmp_path: Path, format: str, name: str
) -> None:
    SellerFactory(slug="first")
    path = shared(f"catalogues/{name}.csv")
    run = bring_in(path, format, no_images=True)

    assert assert_round_trip(tmp_path) == run.created


def save(record: Any, seller: Any, assets: Any = None) -> Product:
    return publishing.save_product(
        record, seller=seller, stock_taking=FIRST_COUNT, assets=assets
    ).product


def make_collection(slug: str, name: str, *products: str, kind: str = "hand") -> Collection:
    return collections.save(Collection(slug=slug, name=name, kind=kind), products=products)


def make_strange_shop() -> None:
    """Products of two sellers with everything that a file could trip over."""
    first, second = SellerFactory(slug="first"), SellerFactory(slug="second")
    save(mug(), first)
    other = VariantRecord(Decimal("9.99"), "OTHER", stock=0)
    save(mug(title="Dune mug of another maker", options=(), variants=(other,)), second)
    glaze = OptionRecord(
        "Glaze | finish",
        (
            OptionValueRecord("Moss", "#7b7f63"),
            OptionValueRecord("like #aabbcc", ""),
            OptionValueRecord("never made", ""),
        ),
    )
    size = OptionRecord("=Size", (OptionValueRecord("-5", ""), OptionValueRecord("'quoted", "")))
    save(
        vase(
            handle="Knop_Vase-" + "long-" * 29 + "x",
            title='=HYPERLINK("https://evil.example","Vase")',
            short_description="@SUM(1)",
            description="<p>-1 &amp; more</p>\n<ul><li>one, two</li></ul>",
            care="'=1\r\n\r\nWipe \\ dry",
            origin="Göteborg, “Sweden”",
            tags=("oak | ash", "-7", "tag > tag"),
            category=(CategoryStep("things", "Things > all"), CategoryStep("a-vase", "Vases [new]")),
            tax_class="reduced",
            options=(glaze, size),
            variants=(
                VariantRecord(
                    Decimal("48.00"), "=VASE", ("Moss", "-5"), Decimal("60"), Decimal("12.34"), 900,
                    "0401234567890", stock=5, low_stock_at=2,
                ),
                VariantRecord(Decimal("0"), "+VASE", ("Moss", "'quoted"), tracks_stock=False),
                VariantRecord(
                    Decimal("50"), "-VASE", ("like #aabbcc", "-5"), stock=1, is_active=False
                ),
            ),
            attributes=(
                AttributeRecord("Capacity: full [l]", ("0.75 fl oz/h",), Kind.NUMBER, "fl oz/h"),
                AttributeRecord("Burns", ("Yes",), Kind.BOOLEAN, is_filter=False, position=7),
                AttributeRecord("Made of", ("a | b", "=c"), Kind.TEXT, code="stuff"),
            ),
            seo_title="Vase – buy it",
            published_at=datetime(2020, 2, 29, 12, 30, 1, 123456, tzinfo=UTC),
        ),
        second,
    )  # fmt: skip
    save(vase(handle="draft", status=Product.Status.DRAFT, variants=()), first)
    by_hand = ProductFactory(seller=first, slug="by-hand")
    option = OptionFactory(product=by_hand, position=4)
    for label in ("Zinc", "Ash"):
        value = OptionValueFactory(option=option, label=label, position=9)
        VariantFactory(product=by_hand, sku=f"HAND-{label}", position=3, values=[value])
    with transaction.atomic():
        publishing.finish(by_hand)
        publishing.finish(ProductFactory(seller=second, slug="bare", title="Nothing to buy yet"))
    make_collection("tea", "Tea | time [5 o'clock]", "by-hand", "dune-mug")
    make_collection("spring", "Spring", "dune-mug")
    make_collection("cheap", "Cheap", kind="rule")


def test_strange_products_go_round(tmp_path: Path) -> None:
    make_strange_shop()

    assert assert_round_trip(tmp_path) == 6


def test_collections_are_as_the_file_has_them(tmp_path: Path) -> None:
    SellerFactory(slug="first")
    for handle in ("mug", "vase"):
        save(
            vase(handle=handle, variants=(VariantRecord(Decimal(5), handle),)), Seller.objects.get()
        )
    make_collection("spring", "Spring", "vase", "mug")
    make_collection("sale", "Sale", kind="rule")
    path = tmp_path / "collections.csv"
    header = "Handle,Title,SKU,Price,Collections\n"
    path.write_text(
        f'{header}mug,Knop vase,mug,5,"Spring | For tea [tea]"\nvase,Knop vase,vase,5,Sale\n'
    )

    run = bring_in(path)

    assert counts(run) == (0, 2, 0, 0)
    items = CollectionItem.objects.order_by("collection__slug", "position")
    placed = [("spring", "mug"), ("tea", "mug")]
    assert list(items.values_list("collection__slug", "product__slug")) == placed
    assert Collection.objects.get(slug="tea").name == "For tea"
    finding = run.findings.get()
    assert (finding.line, finding.column, finding.is_remark) == (3, "Collections", True)
    assert counts(bring_in(path, from_start=True)) == (0, 0, 2, 0)
    path.write_text("Handle,Title,SKU,Price\nmug,Knop vase,mug,5\n")
    assert counts(bring_in(path)) == (0, 0, 1, 0)
    path.write_text(f"{header}mug,Knop vase,mug,5,\nvase,Knop vase,vase,5,Spring\n")
    assert counts(bring_in(path)) == (0, 2, 0, 0)
    assert list(items.values_list("collection__slug", "product__slug")) == [("spring", "vase")]


def test_active_product_without_a_variant_says_so_and_a_forgotten_price_is_none(
    tmp_path: Path,
) -> None:
    SellerFactory(slug="first")
    path = tmp_path / "bare.csv"
    path.write_text("Handle,Title,Status,Price,For sale\nbare,Bare,active,,no\nmug,Mug,active,,\n")

    run = bring_in(path)

    assert counts(run) == (1, 0, 0, 1)
    assert Product.objects.get().slug == "bare"
    assert run.findings.get().message == "There is nothing to buy: no variant has a price."
    assert counts(bring_in(path)) == (0, 0, 1, 1)


def test_no_cell_of_any_export_begins_like_a_formula(tmp_path: Path) -> None:
    make_strange_shop()

    for format in files.WRITERS:
        cells = {
            cell for row in export(tmp_path / "out.csv", format=format) for cell in row.values()
        }
        assert [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))] == []
        assert {cell for cell in cells if cell.startswith("-")} <= {"-5", "-7"}


def test_pictures_of_an_export_come_from_a_folder_into_another_shop(tmp_path: Path) -> None:
    first = SellerFactory(slug="first")
    asset = add_image(picture(size=(40, 50)))
    record = vase(images=(ImageRecord("vase", "A vase | on a = table"),))
    shown = replace(record, variants=(replace(record.variants[0], image="vase"),))
    save(shown, first, assets={"vase": asset})
    path = tmp_path / "export.csv"
    rows = export(path)
    assert rows[0]["Images"] == f"{SHOP}/media/{asset.original.name} A vase | on a = table"
    empty_the_shop()
    ImageAsset.objects.all().delete()

    run = bring_in(path, images_from=Path(settings.MEDIA_ROOT) / "originals")

    assert counts(run) == (1, 0, 0, 0)
    image = Product.objects.get().images.get()
    assert (image.alt, image.asset.width) == ("A vase | on a = table", 40)
    assert ProductVariant.objects.get().image == image


def test_a_file_of_few_columns_changes_only_those(tmp_path: Path) -> None:
    make_strange_shop()
    before = describe_catalogue()
    path = tmp_path / "prices.csv"
    path.write_text(
        "Title;Handle;SKU;Price;Option 1 name;Option 1\n"
        "Dune mug;dune-mug;MUG-MOSS;25,5;Glaze;Moss\n"
        ";dune-mug;MUG-INK;26,50;;Ink\n"
    )

    assert counts(bring_in(path, seller="first")) == (0, 1, 0, 0)

    assert ProductVariant.objects.get(sku="MUG-MOSS").price == Decimal("25.50")
    ProductVariant.objects.filter(sku="MUG-MOSS").update(price=Decimal("24.00"))
    Product.objects.filter(slug="dune-mug").update(price_from=Decimal("24.00"))
    assert list_differences(before, describe_catalogue()) == []


GOOD = "mug,Mug,Glaze,,MUG-{0},{0},24.00,EUR,3,,,yes"
HEADER = (
    "Handle,Title,Option 1 name,Option 1 values,SKU,Option 1,Price,Currency,Stock,Barcode,"
    "Attributes,For sale"
)


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ("mug,,,,MUG-2,Ink,lots,,,,,", "Price", "“lots” is not a number; write it like 12.50."),
        ("mug,,,,MUG-2,Ink,,,,,,", "Price", "The price is missing."),
        (
            "mug,,,,MUG-2,Ink,5,USD,,,,",
            "Currency",
            "The amounts are in USD; this shop sells in EUR.",
        ),
        ("mug,,,,MUG-2,,5,,,,,", "Option 1", "The value of the option Glaze is missing."),
        ("mug,,,,MUG-2,Moss,5,,,,,", "Option 1", "Line 2 has the same options already: Moss."),
        ("mug,Vase,,,MUG-2,Ink,5,,,,,", "Title", "Line 2 has the same handle for another product."),
        ("mug,,,,MUG-Moss,Ink,5,,,,,", "SKU", "MUG-Moss stands on line 2 already"),
        ("mug,,,,MUG-2,Ink,5,,-1,,,", "Stock", "This number cannot be negative."),
        ("mug,,,,MUG-2,Ink,5,,,4.00638E+12,,", "Barcode", "A spreadsheet has shortened the number"),
        ("mug,,,,MUG-2,Ink,5,,,,,perhaps", "For sale", "Write yes or no."),
    ],
)
def test_a_broken_row_keeps_its_whole_product_out_and_the_rest_goes_in(
    tmp_path: Path, row: str, column: str, message: str
) -> None:
    SellerFactory(slug="first")
    path = tmp_path / "broken.csv"
    path.write_text("\n".join([HEADER, GOOD.format("Moss"), row, "vase,Vase,,,V,,5,,,,,", ""]))

    run = bring_in(path)

    assert counts(run) == (1, 0, 0, 1)
    assert list(Product.objects.values_list("slug", flat=True)) == ["vase"]
    found = run.findings.order_by("pk").values_list("line", "handle", "column")
    assert list(found) == [(3, "mug", column), (2, "mug", "")]
    assert run.findings.get(line=3).message.startswith(message)
    assert "left out whole" in run.findings.get(line=2).message


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("Capacity", "“Capacity” is no fact: write one on a line"),
        ("Capacity [weight]: 5", "“weight” is no kind of fact"),
        ("Capacity [position=-1]: 5", "The words in brackets behind Capacity do not fit."),
        ("A: 1\na: 2", "a is there twice; write its values on one line."),
    ],
)
def test_a_fact_that_cannot_be_read_is_named(tmp_path: Path, cell: str, message: str) -> None:
    SellerFactory(slug="first")
    path = tmp_path / "broken.csv"
    path.write_text(f'{HEADER}\nvase,Vase,,,V,,5,,,,"{cell}",\n')

    run = bring_in(path)

    assert counts(run) == (0, 0, 0, 1)
    finding = run.findings.get()
    assert (finding.line, finding.column) == (2, "Attributes")
    assert finding.message.startswith(message)


def test_an_unknown_seller_in_the_file_is_refused_by_name(tmp_path: Path) -> None:
    SellerFactory(slug="first")
    path = tmp_path / "sellers.csv"
    path.write_text("Handle,Title,Price,Seller\nvase,Vase,5,nobody\nmug,Mug,5,first\n")

    run = bring_in(path)

    assert counts(run) == (1, 0, 0, 1)
    assert (run.findings.get().column, Product.objects.get().slug) == ("Seller", "mug")


def test_one_sellers_products_go_out_packed_and_nobody_elses(tmp_path: Path) -> None:
    make_strange_shop()

    rows = export(tmp_path / "first.csv.gz", seller=["first"])

    assert {row["Handle"] for row in rows} == {"dune-mug", "draft", "by-hand"}
    assert {row["Seller"] for row in rows if row["Title"]} == {"first"}
    with pytest.raises(CommandError, match="There is no seller third"):
        export(tmp_path / "third.csv", seller=["third"])
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        export(tmp_path / "nowhere" / "out.csv")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["first.csv.gz"]


def test_export_for_shopify_holds_what_shopify_has_columns_for(tmp_path: Path) -> None:
    save(mug(tags=("tea", "blue"), category=(CategoryStep("mugs", "Mugs"),)), SellerFactory())
    path = tmp_path / "shopify.csv"

    rows = export(path, format="shopify")

    assert [row["Option1 Value"] for row in rows] == ["Moss", "Ink"]
    before = describe_catalogue()
    run = bring_in(path, "shopify", no_images=True)
    assert counts(run)[3] == 0
    changed = {part for _slug, part, *_values in list_differences(before, describe_catalogue())}
    assert changed <= {"facts", "search"}
    assert Product.objects.get().category.path == "mugs"


def test_statements_follow_the_pages_not_the_products(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(pages, "PAGE", 2)
    products = [BuyableProductFactory() for _number in range(5)]

    # The savepoint of a test around them, the count, axes, categories; then three pages and the
    # empty one behind.
    with django_assert_num_queries(2 + 3 + 3 * 6 + 1):
        text = "".join(files.write())

    assert [row["Handle"] for row in parse(text)] == [product.slug for product in products]
    chosen = "".join(files.write(Choice(ids=[products[3].pk, products[0].pk, 0])))
    assert [row["Handle"] for row in parse(chosen)] == [
        products[0].slug,
        products[3].slug,
    ]


@pytest.mark.django_db(transaction=True)
def test_an_export_shows_one_moment_whatever_happens_meanwhile() -> None:
    BuyableProductFactory(slug="early", title="As it was")
    pieces = files.write()
    header = next(pieces)

    def change() -> None:
        try:
            Product.objects.update(title="Changed meanwhile")
            BuyableProductFactory(slug="late")
        finally:
            connection.close()

    thread = threading.Thread(target=change)
    thread.start()
    thread.join()
    rows = parse(header + "".join(pieces))

    assert [(row["Handle"], row["Title"]) for row in rows] == [("early", "As it was")]
    assert Product.objects.filter(title="Changed meanwhile").count() == 1


# The admin ----------------------------------------------------------------------------------------

LIST = "/admin/catalog/product/"


def handles(response: Any) -> set[str]:
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return {row["Handle"] for row in parse(b"".join(response.streaming_content).decode())}


def test_staff_export_all_and_sellers_their_own() -> None:
    make_strange_shop()
    owner = SellerMemberFactory(seller=Seller.objects.get(slug="first"))

    everything = handles(sign_in().get(f"{LIST}export/"))
    own = handles(sign_in(owner.user).get(f"{LIST}export/"))

    assert len(everything) == 6
    assert own == {"dune-mug", "draft", "by-hand"}


def test_chosen_products_are_exported_and_never_somebody_elses() -> None:
    make_strange_shop()
    owner = SellerMemberFactory(seller=Seller.objects.get(slug="first"))
    ids = list(Product.objects.values_list("pk", flat=True))

    for action in ("export_chosen", "export_for_shopify"):
        answer = sign_in(owner.user).post(LIST, {"action": action, "_selected_action": ids})
        assert handles(answer) == {"dune-mug", "draft", "by-hand"}


def test_shoppers_export_nothing() -> None:
    make_strange_shop()

    answer = sign_in(UserFactory()).get(f"{LIST}export/")

    assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/")
