"""The demo shop's delivery: at home, in the European Union, and a little further."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from cart.models import ShippingBand, ShippingMethod, ShippingZone
from shop.models import TaxClass
from shop.transactions import own_transaction

HOME = ["DE"]
EUROPEAN_UNION = [
    "AT", "BE", "BG", "CY", "CZ", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU",
    "IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
]  # fmt: skip
WORLD = ["NO", "IS", "CH", "LI", "GB", "US", "CA"]


@dataclass(frozen=True, slots=True)
class Method:
    """A delivery method; `bands` maps where a band begins (grams or value) to its price."""

    code: str
    name: str
    description: str
    kind: ShippingMethod.Kind
    days: tuple[int, int]
    bands: dict[str, str | None]


ZONES: dict[str, tuple[list[str], list[Method]]] = {
    "Germany": (
        HOME,
        [
            Method(
                code="standard",
                name="Standard",
                description="Free from 80 €",
                kind=ShippingMethod.Kind.PRICE,
                days=(2, 4),
                bands={"0": "4.90", "80": "0"},
            ),
            Method(
                code="express",
                name="Express",
                description="Leaves the workshop first",
                kind=ShippingMethod.Kind.FLAT,
                days=(1, 2),
                bands={"0": "12.90"},
            ),
        ],
    ),
    "European Union": (
        EUROPEAN_UNION,
        [
            Method(
                code="standard",
                name="Standard",
                description="By weight",
                kind=ShippingMethod.Kind.WEIGHT,
                days=(3, 7),
                bands={"0": "9.90", "2000": "12.90", "5000": "17.90", "10000": "24.90"},
            ),
        ],
    ),
    "World": (
        WORLD,
        [
            Method(
                code="world",
                name="World",
                description="By weight, up to 20 kg; duties are collected by the carrier",
                kind=ShippingMethod.Kind.WEIGHT,
                days=(6, 14),
                bands={
                    "0": "19.90",
                    "2000": "29.90",
                    "5000": "49.90",
                    "10000": "79.90",
                    "20000": None,
                },
            ),
        ],
    ),
}


@own_transaction
def add_delivery() -> None:
    """Add the zones that are missing, with their methods; what somebody changed stays.

    Needs the standard tax class.
    """
    known = set(ShippingZone.objects.filter(name__in=ZONES).values_list("name", flat=True))
    tax_class = TaxClass.objects.get(code="standard")
    for name, (countries, methods) in ZONES.items():
        if name not in known:
            zone = ShippingZone.objects.create(name=name, countries=countries)
            for position, method in enumerate(methods):
                _add_method(zone, method, tax_class=tax_class, position=position)


def _add_method(zone: ShippingZone, method: Method, *, tax_class: TaxClass, position: int) -> None:
    row = ShippingMethod.objects.create(
        zone=zone,
        code=method.code,
        name=method.name,
        description=method.description,
        kind=method.kind,
        tax_class=tax_class,
        days_min=method.days[0],
        days_max=method.days[1],
        position=position,
    )
    ShippingBand.objects.bulk_create(
        ShippingBand(
            method=row, minimum=Decimal(minimum), price=None if price is None else Decimal(price)
        )
        for minimum, price in method.bands.items()
    )
