"""Product records for tests, with the least that is valid."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from catalog.records import (
    OptionRecord,
    OptionValueRecord,
    ProductRecord,
    VariantRecord,
)
from catalog.services.publishing import StockTaking

FIRST_COUNT = StockTaking(reason="Test")


def mug(**changes: Any) -> ProductRecord:
    """A mug in two glazes: 3 in moss for 24.00, none in ink for 26.50."""
    values: dict[str, Any] = {
        "handle": "dune-mug",
        "title": "Dune mug",
        "options": (
            OptionRecord("Glaze", (OptionValueRecord("Moss", "#7b7f63"), OptionValueRecord("Ink"))),
        ),
        "variants": (
            VariantRecord(sku="MUG-MOSS", options=("Moss",), price=Decimal("24.00"), stock=3),
            VariantRecord(sku="MUG-INK", options=("Ink",), price=Decimal("26.50"), stock=0),
        ),
    }
    return ProductRecord(**(values | changes))


def vase(**changes: Any) -> ProductRecord:
    """A vase without options."""
    values: dict[str, Any] = {
        "handle": "knop-vase",
        "title": "Knop vase",
        "variants": (VariantRecord(sku="VASE", price=Decimal("48.00"), stock=5),),
    }
    return ProductRecord(**(values | changes))
