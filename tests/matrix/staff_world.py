"""A shop with one thing of each kind, two sellers, and somebody in every role."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.test import Client

from accounts.models import AuditEntry, Seller, SellerMember, User
from accounts.roles import StaffRole
from cart.models import ShippingMethod, ShippingZone
from catalog.models import ImportRun, Product, SearchRecord, StockLevel, Synonym
from orders.models import Order, OrderLine, SellerOrder, Shipment
from payments.models import Dispute, PaymentAttempt, ProviderEvent, ReconciliationBreak, Refund
from shop.clock import now
from shop.models import Mail, OutboxMessage, Page, TaxClass, TaxRate
from tests.factories.accounts import SellerFactory, SellerMemberFactory, StaffFactory, UserFactory
from tests.factories.catalog import (
    AttributeFactory,
    CategoryFactory,
    CollectionFactory,
    ImageAssetFactory,
    ProductFactory,
    ReviewFactory,
    VariantFactory,
)
from tests.factories.orders import place_order
from tests.matrix.staff import WORD


@dataclass
class World:
    """Browsers by role; keys of rows by model, the own and the other seller's."""

    browsers: dict[str, Client] = field(default_factory=dict)
    people: dict[str, User] = field(default_factory=dict)
    own: dict[str, int] = field(default_factory=dict)
    foreign: dict[str, int] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)


def build() -> World:
    world = World()
    sellers = [
        SellerFactory(name="Aster", slug="aster", email="aster@example.com"),
        SellerFactory(name=WORD, slug=WORD.lower(), email=f"{WORD}@example.com".lower()),
    ]
    _add_people(world, *sellers)
    variants = [
        _stock_up(seller, word) for seller, word in zip(sellers, ("Aster", WORD), strict=True)
    ]
    _add_of_sellers(world, sellers, variants)
    _add_of_the_shop(world)
    return world


def _sign_in(world: World, role: str, person: User) -> None:
    world.people[role] = person
    world.browsers[role] = Client(raise_request_exception=False)
    world.browsers[role].force_login(person, backend="django.contrib.auth.backends.ModelBackend")


def _add_people(world: World, own: Seller, other: Seller) -> None:
    for role in SellerMember.Role:
        member = SellerMemberFactory(seller=own, role=role, user__email=f"{role}@aster.example")
        _sign_in(world, role.value, member.user)
        world.own["accounts.sellermember"] = member.pk
        theirs = SellerMemberFactory(
            seller=other, role=role, user__email=f"{role}@{WORD}.example".lower(), user__name=WORD
        )
        world.foreign["accounts.sellermember"] = theirs.pk
    for role in StaffRole:
        person = StaffFactory(email=f"{role.name.lower()}@shop.example")
        person.groups.add(Group.objects.get(name=role.value))
        _sign_in(world, role.value.lower(), person)
    _sign_in(world, "superuser", StaffFactory(email="boss@shop.example", is_superuser=True))
    shopper = UserFactory(email="shopper@example.com")
    _sign_in(world, "shopper", shopper)
    world.browsers["anonymous"] = Client(raise_request_exception=False)
    world.own["accounts.user"] = shopper.pk
    world.own["account.emailaddress"] = EmailAddress.objects.create(
        user=shopper, email=shopper.email, verified=True, primary=True
    ).pk
    world.own["auth.group"] = Group.objects.get(name=StaffRole.SUPPORT.value).pk


def _stock_up(seller: Seller, word: str) -> Any:
    product = ProductFactory(
        seller=seller, title=f"{word} mug", slug=f"{word.lower()}-mug", description=word
    )
    return VariantFactory(product=product, sku=f"{word.upper()}-1")


def _add_of_sellers(world: World, sellers: list[Seller], variants: list[Any]) -> None:
    buyer = world.people["shopper"]
    # Not really paid: the books of this world are not looked at.
    order = place_order(*variants, user=buyer)
    Order.objects.filter(pk=order.pk).update(paid_at=now())
    world.own["orders.order"] = order.pk
    for rows, seller, variant in zip((world.own, world.foreign), sellers, variants, strict=True):
        word = seller.name
        part = SellerOrder.objects.get(order=order, seller=seller)
        OrderLine.objects.filter(seller_order=part).update(title=f"{word} mug")
        rows["accounts.seller"] = seller.pk
        rows["accounts.auditentry"] = AuditEntry.objects.filter(seller=seller).latest("pk").pk
        rows["catalog.product"] = variant.product_id
        rows["catalog.stocklevel"] = StockLevel.objects.get(variant=variant).pk
        rows["catalog.review"] = ReviewFactory(
            product=variant.product, title=f"A word on {word}", text=word
        ).pk
        rows["catalog.importrun"] = ImportRun.objects.create(
            seller=seller, format="emporium", file_name=f"{word}.csv", checksum="x",
            state="finished",
        ).pk  # fmt: skip
        rows["orders.sellerorder"] = part.pk
        rows["variant"] = variant.pk
        rows["shipment"] = Shipment.objects.create(
            seller_order=part, carrier="DHL", tracking_number=f"{word}-42"
        ).pk


def _add_of_the_shop(world: World) -> None:
    attempt = PaymentAttempt.objects.earliest("pk")
    moment = now()
    rows: dict[str, Any] = {
        "shop.page": Page.objects.create(slug="the-house", title="The house", body="Us"),
        "shop.mail": Mail.objects.create(
            kind="test", reference="1", recipient="ada@example.com", subject="Hi", text="Hi",
            language="en",
        ),
        "shop.outboxmessage": OutboxMessage.objects.earliest("pk"),
        "shop.taxclass": TaxClass.objects.earliest("pk"),
        "shop.taxrate": TaxRate.objects.earliest("pk"),
        "catalog.attribute": AttributeFactory(),
        "catalog.category": CategoryFactory(),
        "catalog.collection": CollectionFactory(),
        "catalog.imageasset": ImageAssetFactory(),
        "catalog.synonym": Synonym.objects.create(words="mug, cup"),
        "catalog.searchrecord": SearchRecord.objects.create(
            words="mug", day=moment.date(), searches=1, products=1
        ),
        "cart.shippingzone": ShippingZone.objects.earliest("pk"),
        "cart.shippingmethod": ShippingMethod.objects.earliest("pk"),
        "payments.paymentattempt": attempt,
        "payments.refund": Refund.objects.create(
            attempt=attempt, key="a refund", amount=1, currency="EUR", status="failed"
        ),
        "payments.dispute": Dispute.objects.create(
            attempt=attempt, provider="stripe", provider_id="dp_1", amount=1, currency="EUR",
            status="inquiry", opened_at=moment,
        ),
        "payments.providerevent": ProviderEvent.objects.create(
            provider="stripe", event_id="evt_1", type="x", payload={}, attempt=attempt
        ),
        "payments.reconciliationbreak": ReconciliationBreak.objects.create(
            provider="stripe", subject="charge", provider_id="ch_1", kind="theirs_only", theirs=1,
            theirs_currency="EUR", happened_at=moment, first_seen_at=moment, last_seen_at=moment,
        ),
    }  # fmt: skip
    world.own |= {model: row.pk for model, row in rows.items()}
    assert Product.objects.count() == 2
