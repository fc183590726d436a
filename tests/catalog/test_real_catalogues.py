"""Large catalogues of real shops go in as they are; docs/importing.md says what is refused whole."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from catalog.models import AttributeValue, Category, Product, ProductVariant
from tests.catalog import real_catalogues
from tests.catalog.importing import run_import
from tests.catalog.rows import fingerprint
from tests.factories.accounts import SellerFactory

pytestmark = pytest.mark.django_db
FIRST = 150
REFUSED = {"icecat": " is too long: 80 characters at most.", "flipkart": "The price is missing."}


@pytest.fixture(params=["icecat", "flipkart"])
def catalogue(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    SellerFactory()
    path = tmp_path / f"{request.param}.csv"
    path.write_bytes(real_catalogues.write(real_catalogues.read(request.param, first=FIRST)))
    return path


def test_the_first_products_go_in_and_a_second_time_change_nothing(catalogue: Path) -> None:
    first = run_import(catalogue, "emporium", no_images=True)

    went_in = Product.objects.count()
    refused = [line for line in first if line.startswith("Refused: ")]
    assert went_in + len(refused) == FIRST
    reason = REFUSED[catalogue.stem]
    assert [line for line in refused if reason in line] == refused
    assert len(refused) == {"icecat": 4, "flipkart": 3}[catalogue.stem]
    assert ProductVariant.objects.count() == went_in
    brands = AttributeValue.objects.filter(attribute__code="brand").count()
    assert brands == {"icecat": 146, "flipkart": 83}[catalogue.stem]
    if catalogue.stem == "flipkart":
        depths = Counter(
            path.count("/") + 1 for path in Category.objects.values_list("path", flat=True)
        )
        assert max(depths) == 6
    told = {"catalog_importrun", "catalog_importfinding"}
    before = fingerprint("catalog", "shop")

    second = run_import(catalogue, "emporium", no_images=True)

    after = fingerprint("catalog", "shop")
    assert second[-1].startswith(f"Products: 0 created, 0 updated, {went_in} unchanged")
    for table in before.keys() - told:
        assert after[table] == before[table], table
