"""Mails about orders: both parts say the same, in a frame that every mail program can show."""

from __future__ import annotations

import re
from decimal import Decimal
from html.parser import HTMLParser
from typing import get_args

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from catalog.models import ProductVariant
from orders.emails import NoticeKind, render_order_mail
from orders.models import Order, OrderLine
from orders.services import fulfilment
from payments.simulator.running import Simulator
from tests.factories.accounts import SellerFactory
from tests.factories.catalog import ImageAssetFactory, ProductImageFactory, VariantFactory
from tests.factories.orders import make_delivery
from tests.journeys.shopper import Shopper, pay

pytestmark = pytest.mark.django_db

KINDS = get_args(NoticeKind)
KILOBYTE = 1024
GMAIL_CLIPS_AT = 100 * KILOBYTE
TEXT_ON_GROUND = [
    *(("211f1b", "faf8f4"), ("4e4840", "faf8f4"), ("211f1b", "f1ede5"), ("4e4840", "f1ede5")),
    *(("fffefb", "2a4437"), ("f3eee5", "181714"), ("c9c1b4", "181714"), ("f3eee5", "22201c")),
    *(("c9c1b4", "22201c"), ("15221b", "bdd3c1")),
]


def buy(simulator: Simulator, *variants: ProductVariant, quantity: int = 1) -> Order:
    """Order and pay, as a shopper does."""
    make_delivery()
    shopper = Shopper()
    order = shopper.buy(*variants, quantity=quantity)
    pay(simulator, order)
    shopper.come_back(order)
    order.refresh_from_db()
    return order


@pytest.fixture
def order(simulator: Simulator) -> Order:
    variant = VariantFactory(stock=9, price=Decimal("24.00"), product__title="Dune & mug")
    asset = ImageAssetFactory(
        base="pictures/mug",
        renditions={name: [320, 800] for name in ("avif", "webp", "jpeg")},
    )
    ProductImageFactory(product=variant.product, asset=asset, alt="A mug, from the front")
    return buy(simulator, variant, quantity=2)


class Seen(HTMLParser):
    """What somebody sees of a mail, and what its program would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.silent = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.silent += tag in ("style", "title")

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in ("style", "title")

    def handle_data(self, data: str) -> None:
        if not self.silent and data.strip():
            self.texts.append(" ".join(data.split()).strip(" ,·:"))


def words_in(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("kind", KINDS)
def test_text_says_everything_that_the_html_says(order: Order, kind: NoticeKind) -> None:
    fulfilment.ship(order.seller_orders.get(), carrier="DHL", tracking_number="JD14", by=None)
    order.refresh_from_db()

    mail = render_order_mail(order, kind)

    text = words_in(mail.text)
    assert [words for words in Seen(mail.html).texts if words not in text] == []
    assert f"{settings.SHOP_URL}/orders/{order.number}/?key=" in mail.html
    for words in (
        "Dune & mug",
        "€48.00",
        "Total: €52.90",
        "including VAT 19%: €8.44",
        "10117 Berlin",
    ):
        assert words in text
    assert settings.SHOP_ADDRESS in text


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        ("confirmation", "Your order {}"),
        ("shipped", "Order {} is on its way"),
        ("delivered", "Order {} has arrived"),
        ("cancelled", "Order {} is cancelled"),
        ("refunded_late", "Your payment for order {} came too late"),
        ("payment_returned", "A payment for order {} goes back to you"),
        ("money_sent", "We refunded €52.90 of order {}"),
    ],
)
def test_subject_says_what_happened(order: Order, kind: NoticeKind, subject: str) -> None:
    assert render_order_mail(order, kind).subject == f"{subject.format(order.number)} – Emporium"


def test_mail_about_the_first_of_two_parcels_says_that_it_is_a_part(simulator: Simulator) -> None:
    mug, bowl = (VariantFactory(product__seller=SellerFactory(), stock=1) for _ in range(2))
    order = buy(simulator, mug, bowl)
    part = order.seller_orders.first()
    assert part is not None
    fulfilment.ship(part, carrier="DHL", by=None)
    order.refresh_from_db()

    mail = render_order_mail(order, "shipped")

    assert mail.subject == f"A part of order {order.number} is on its way – Emporium"
    assert f"1 × {part.lines.get().title}" in mail.text


def test_mail_loads_nothing_but_the_shops_own_pictures(order: Order) -> None:
    seen = Seen(render_order_mail(order, "confirmation").html)

    loaded = [
        (tag, name, value)
        for tag, attributes in seen.tags
        for name, value in attributes.items()
        if name in ("src", "srcset", "background", "poster") or (tag == "link" and name == "href")
    ]
    picture = next(attributes for tag, attributes in seen.tags if tag == "img")

    assert loaded == [("img", "src", f"{settings.SHOP_URL}/media/pictures/mug-320.jpg")]
    assert (picture["alt"], picture["width"], picture["height"]) == (
        "A mug, from the front", "64", "80",
    )  # fmt: skip
    assert not {"script", "iframe", "form", "link"} & {tag for tag, _attributes in seen.tags}


def test_mail_is_named_directed_and_ready_for_the_night(order: Order) -> None:
    html = render_order_mail(order, "confirmation").html

    order.language = "de"
    german = render_order_mail(order, "confirmation").html

    assert '<html lang="en" dir="ltr">' in html
    assert '<html lang="de" dir="ltr">' in german
    for name in ("color-scheme", "supported-color-schemes"):
        assert f'<meta name="{name}" content="light dark">' in html
    assert "@media (prefers-color-scheme: dark)" in html
    assert html.count("display:none") == 1  # the line shown beside the subject
    assert re.search(r"(?i)#fff(fff)?\b", html) is None


def test_every_colour_of_a_mail_can_be_read_by_day_and_by_night(order: Order) -> None:
    fulfilment.ship(order.seller_orders.get(), carrier="DHL", by=None)
    html = render_order_mail(order, "shipped").html

    used = set(re.findall(r"(?<!-)\bcolor: ?#([0-9a-f]{6})", html))

    assert used == {ink for ink, _ground in TEXT_ON_GROUND}
    assert [pair for pair in TEXT_ON_GROUND if contrast(*pair) < 7] == []


def contrast(one: str, other: str) -> float:
    def brightness(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (0, 2, 4)]
        red, green, blue = (
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    dark, light = sorted((brightness(one), brightness(other)))
    return (light + 0.05) / (dark + 0.05)


def test_mail_of_fifty_long_names_is_not_clipped(simulator: Simulator) -> None:
    order = buy(simulator, *[VariantFactory(stock=1) for _ in range(50)])
    OrderLine.objects.update(title="Ä&" * 60, variant_label="ß<" * 30)

    with CaptureQueriesContext(connection) as queries:
        mail = render_order_mail(order, "confirmation")

    assert mail.html.count("Ä&amp;" * 60) == 50
    assert len(mail.html.encode()) <= GMAIL_CLIPS_AT
    assert len(queries) == 8
