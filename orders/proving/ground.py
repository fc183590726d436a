"""A shop with a few scarce things in it, on a database of its own."""

from __future__ import annotations

import secrets
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from django.conf import settings
from django.core.management import call_command
from django.db import connections
from django.utils.module_loading import import_string

import cart.demo
import shop.demo
from accounts.models import Seller, User
from catalog.models import Product, ProductVariant
from catalog.services import stock, summaries
from shop.clock import now
from shop.models import TaxClass
from shop.transactions import own_transaction

PIECES_PER_PURCHASE = 1.2
"""What an average shopper wants; see `orders.proving.shopper.draw_plan`."""
SCARCITY = 1.0
"""How much there is of what is wanted; but most people want the same things."""
STAFF_EMAIL = "staff@example.com"


@dataclass(frozen=True)
class Ground:
    """Where the proof takes place; `pieces` is what lay on each shelf at first, by variant id."""

    database_url: str
    variants: list[int]
    pieces: dict[int, int]


def make_cluster() -> Any:
    """Make a PostgreSQL server for the proof; it keeps what it promised through a crash."""
    cluster_class = import_string(settings.PROVING_DATABASE)
    name = f"emporium-proof-{secrets.token_hex(4)}"
    cluster = cluster_class(Path(tempfile.gettempdir()) / name)
    if not cluster.account.can_reach(cluster.home):
        cluster = cluster_class(Path("/tmp") / name)
    return cluster


def move_to(database_url: str) -> None:
    """Let this process, too, use the database of the proof and no other from now on."""
    parts = urlsplit(database_url)
    connections.close_all()
    connections["default"].settings_dict.update(
        ENGINE="django.db.backends.postgresql",
        NAME=parts.path.strip("/"),
        USER=parts.username or "",
        PASSWORD=unquote(parts.password or ""),
        HOST=parse_qs(parts.query).get("host", [parts.hostname or ""])[0],
        PORT=str(parts.port or ""),
    )


def prepare(database_url: str, *, purchases: int) -> Ground:
    """Make the tables and fill the shelves for so many purchases, with too little of everything."""
    call_command("migrate", interactive=False, verbosity=0)
    shop.demo.add_tax_rates()
    cart.demo.add_delivery()
    variants = _fill_shelves(purchases)
    levels = ProductVariant.objects.filter(pk__in=variants).values_list(
        "pk", "stock_level__on_hand"
    )
    return Ground(database_url, variants, dict(levels))


@own_transaction
def _fill_shelves(purchases: int) -> list[int]:
    User.objects.create(email=STAFF_EMAIL, name="Staff", is_staff=True, is_superuser=True)
    seller = Seller.objects.create(slug="maker", name="Maker", country="DE")
    tax_class = TaxClass.objects.get(code="standard")
    count = max(4, min(40, purchases // 25))
    each = max(1, round(purchases * PIECES_PER_PURCHASE * SCARCITY / count))
    variants = []
    for number in range(count):
        product = Product.objects.create(
            slug=f"thing-{number}",
            title=f"Thing {number}",
            seller=seller,
            tax_class=tax_class,
            status=Product.Status.ACTIVE,
            published_at=now(),
        )
        variant = ProductVariant.objects.create(
            product=product, sku=f"THING-{number}", price=Decimal(number * 7 + 4) + Decimal("0.90")
        )
        stock.count(variant, each, reason="first count")
        variants.append(variant.pk)
    summaries.refresh(Product.objects.values_list("pk", flat=True))
    return variants


def give_back(cluster: Any) -> None:
    """Stop the server and forget its data."""
    with suppress(Exception):
        connections.close_all()
    cluster.destroy()
