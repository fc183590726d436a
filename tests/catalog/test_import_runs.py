"""Imports that are interrupted, taken over, stopped, done by tasks: nothing is lost or doubled."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from catalog.errors import ImportRefused
from catalog.models import (
    AttributeValue,
    ImportPart,
    ImportRun,
    Product,
    ProductVariant,
    StockLevel,
    StockMovement,
)
from catalog.services import import_runs, importing, newcomers, publishing
from catalog.services.import_checkpoints import RunLost
from catalog.services.import_runs import Choices
from catalog.services.newcomers import Newcomer
from shop.models import OutboxMessage
from tests.catalog.importing import run_import
from tests.catalog.records import FIRST_COUNT, mug, vase
from tests.factories.accounts import SellerFactory
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db

HEADER = (
    "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,"
    "Variant Inventory Qty,Variant Price"
)


def make_file(products: int) -> bytes:
    rows = [HEADER]
    for number in range(1, products + 1):
        rows.append(f"p{number},P {number},Size,S,P{number}-S,shopify,{number},5.00")
        rows.append(f"p{number},,,L,P{number}-L,shopify,1,6.00")
    return "\n".join([*rows, ""]).encode()


def begin(content: bytes, **changes: Any) -> ImportRun:
    seller = changes.pop("seller", None) or SellerFactory()
    run = import_runs.describe(
        io.BytesIO(content), "p.csv", seller=seller, choices=Choices("shopify"), **changes
    )
    return import_runs.begin(run)


def count_everything() -> dict[str, int]:
    models = (Product, ProductVariant, StockLevel, StockMovement, AttributeValue)
    return {model.__name__: model.objects.count() for model in models}


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_PRODUCTS", 2)


def test_interrupted_import_goes_on_where_it_stopped() -> None:
    content = make_file(7)
    seller = SellerFactory()
    run = begin(content, seller=seller)

    assert importing.work(run, io.BytesIO(content), seconds=0) is False
    stopped_at = run.done
    assert (stopped_at, Product.objects.count()) == (1, 1)

    again = begin(content, seller=seller)
    assert again.pk == run.pk
    assert importing.work(again, io.BytesIO(content)) is True

    again.refresh_from_db()
    assert (again.state, again.total, again.done, again.created) == ("finished", 7, 7, 7)
    assert count_everything() == {
        "Product": 7,
        "ProductVariant": 14,
        "StockLevel": 14,
        "StockMovement": 14,
        "AttributeValue": 0,
    }


def test_other_file_other_seller_and_finished_run_begin_anew() -> None:
    content, seller = make_file(2), SellerFactory()
    run = begin(content, seller=seller)

    assert begin(make_file(3), seller=seller).pk != run.pk
    assert begin(content).pk != run.pk
    importing.work(run, io.BytesIO(content))
    assert begin(content, seller=seller).pk != run.pk


def test_process_that_lost_its_run_saves_nothing_more(monkeypatch: pytest.MonkeyPatch) -> None:
    content = make_file(6)
    run = begin(content)
    other = ImportRun.objects.get(pk=run.pk)
    save = importing._save_products

    def save_and_lose(*arguments: Any) -> None:
        save(*arguments)
        if Product.objects.count() == 3:
            monkeypatch.setattr(importing, "_save_products", save)
            ImportRun.objects.filter(pk=run.pk).update(attempt=9)

    monkeypatch.setattr(importing, "_save_products", save_and_lose)
    with pytest.raises(RunLost):
        importing.work(run, io.BytesIO(content))

    assert Product.objects.count() == 1
    other.refresh_from_db()
    importing.work(other, io.BytesIO(content))
    assert Product.objects.count() == 6
    assert StockMovement.objects.count() == 12


def test_findings_are_written_once_however_often_the_run_goes_on() -> None:
    content = make_file(3) + b"bad,Bad,,,B,,,lots\n,Nameless,,,N,,,1\n"
    run = begin(content)
    while not importing.work(run, io.BytesIO(content), seconds=0):
        run.refresh_from_db()

    assert [(each.line, each.column) for each in run.findings.all()] == [
        (8, "Variant Price"),
        (8, "Variant Price"),
        (9, "Handle"),
    ]
    run.refresh_from_db()
    assert (run.created, run.refused) == (3, 1)


def test_uploaded_file_is_tried_by_a_task_then_done_when_told() -> None:
    content = make_file(3)
    seller = SellerFactory()
    tried = import_runs.describe(
        io.BytesIO(content), "p.csv", seller=seller, choices=Choices("shopify"), is_rehearsal=True
    )
    import_runs.upload(io.BytesIO(content), tried)

    deliver_outbox()

    tried.refresh_from_db()
    assert (tried.state, tried.created, tried.total) == ("finished", 3, 3)
    assert not Product.objects.exists()

    run = import_runs.do_for_real(tried, actor=None)
    deliver_outbox()

    run.refresh_from_db()
    assert (run.state, run.created) == ("finished", 3)
    assert Product.objects.count() == 3
    assert not ImportPart.objects.exists()
    with pytest.raises(ImportRefused, match="not kept any more"):
        import_runs.do_for_real(tried, actor=None)


def test_long_import_goes_on_in_task_after_task() -> None:
    content = make_file(5)
    run = import_runs.describe(
        io.BytesIO(content), "p.csv", seller=SellerFactory(), choices=Choices("shopify")
    )
    import_runs.upload(io.BytesIO(content), run)

    import_runs.work(run.pk, seconds=0)
    assert Product.objects.count() == 1
    import_runs.work(run.pk, seconds=0)
    assert Product.objects.count() == 3
    deliver_outbox()

    run.refresh_from_db()
    assert (run.state, Product.objects.count()) == ("finished", 5)
    assert OutboxMessage.objects.filter(task=import_runs.TASK).count() == 3


def test_stopped_import_stays_stopped_until_it_is_let_go_on() -> None:
    content = make_file(5)
    run = import_runs.describe(
        io.BytesIO(content), "p.csv", seller=SellerFactory(), choices=Choices("shopify")
    )
    import_runs.upload(io.BytesIO(content), run)
    import_runs.work(run.pk, seconds=0)

    assert import_runs.stop(run) is True
    deliver_outbox()
    assert Product.objects.count() == 1

    import_runs.go_on(run)
    deliver_outbox()
    assert Product.objects.count() == 5


def test_unreadable_upload_says_why() -> None:
    content = b"nothing,of,this\n1,2,3\n"
    run = import_runs.describe(
        io.BytesIO(content), "p.csv", seller=SellerFactory(), choices=Choices("shopify")
    )
    import_runs.upload(io.BytesIO(content), run)

    deliver_outbox()

    run.refresh_from_db()
    assert run.state == "failed"
    assert run.error.startswith("The column Handle, Title, Variant Price is missing.")


def test_rows_that_were_refused_leave_their_variants_on_sale(tmp_path: Path) -> None:
    SellerFactory()
    path = tmp_path / "p.csv"
    path.write_bytes(make_file(1))
    run_import(path)
    path.write_bytes(make_file(1).replace(b"6.00", b"six"))

    run_import(path)

    assert ProductVariant.objects.get(sku="P1-L").is_active

    path.write_bytes(b"\n".join(make_file(1).splitlines()[:2]))
    run_import(path)
    assert not ProductVariant.objects.get(sku="P1-L").is_active


def test_new_products_together_are_as_one_by_one() -> None:
    from django.db import transaction

    from catalog.records import AttributeRecord, CategoryStep

    records = [
        mug(
            category=(CategoryStep("home", "Home"), CategoryStep("tea", "Tea")),
            attributes=(
                AttributeRecord("Volume", ("320 ml",)),
                AttributeRecord("Material", ("Clay", "Glaze")),
            ),
            tags=("tea",),
            description="<p onclick='x'>Fine</p>",
        ),
        vase(),
    ]
    seller = SellerFactory()

    def picture_of_all() -> list[Any]:
        skipped = {"id", "created_at", "updated_at", "published_at"}
        found: list[Any] = []
        for product in Product.objects.order_by("slug"):
            rows: list[Any] = [product, *product.options.all()]
            rows += [value for option in product.options.all() for value in option.values.all()]
            rows += product.variants.all()
            found += [
                {
                    field.name: str(getattr(row, field.name))
                    for field in row._meta.fields
                    if field.name not in skipped
                }
                for row in rows
            ]
            for variant in product.variants.all():
                level = variant.stock_level
                found.append((level.on_hand, level.allocated, str(level.low_since)))
                found += [
                    (each.kind, each.on_hand_change, each.reason) for each in level.movements.all()
                ]
                found.append([value.label for value in variant.option_values.order_by("pk")])
            facts = AttributeValue.objects.filter(product=product).order_by(
                "attribute__code", "facet"
            )
            found += [(str(each.attribute), each.facet, each.text, each.number) for each in facts]
        return found

    with transaction.atomic():
        for record in records:
            publishing.write_product(record, seller=seller, stock_taking=FIRST_COUNT)
        one_by_one = picture_of_all()
        transaction.set_rollback(True)
    with transaction.atomic():
        made = newcomers.create(
            [Newcomer(record, seller, {}) for record in records], stock_taking=FIRST_COUNT
        )
        assert set(made) == {0, 1}
        assert (
            newcomers.create(
                [Newcomer(record, seller, {}) for record in records], stock_taking=FIRST_COUNT
            )
            == {}
        )

    assert picture_of_all() == one_by_one


@pytest.mark.django_db(transaction=True)
def test_killed_import_goes_on_without_doubling(tmp_path: Path) -> None:
    """A real process, killed as hard as can be, somewhere in the middle."""
    SellerFactory(slug="first")
    path = tmp_path / "p.csv"
    path.write_bytes(make_file(600))
    command = [sys.executable, "manage.py", "import_products", str(path), "--format", "shopify"]
    name = connection.settings_dict["NAME"]
    address = os.environ["DATABASE_URL"].replace("/emporium", f"/{name}", 1)
    environment = {**os.environ, "DATABASE_URL": address}
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, env=environment)
    deadline = time.monotonic() + 90
    while not Product.objects.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    came_so_far = Product.objects.count()
    run = ImportRun.objects.get()
    assert 0 < came_so_far < 600
    assert (run.state, run.done) == ("running", came_so_far)

    lines = run_import(path)

    assert lines[0].startswith("Going on with the import begun on ")
    assert lines[-1].startswith("Products: 600 created, 0 updated, 0 unchanged, 0 refused.")
    assert ImportRun.objects.count() == 1
    assert count_everything() == {
        "Product": 600,
        "ProductVariant": 1200,
        "StockLevel": 1200,
        "StockMovement": 1200,
        "AttributeValue": 0,
    }
