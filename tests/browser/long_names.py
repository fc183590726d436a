"""A shop whose every name is as long as it may be, and whose prices have nine digits."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.conf import settings
from PIL import Image

from accounts.models import Address as KeptAddress
from accounts.models import NotificationPreferences, Seller, User
from cart.models import ShippingBand, ShippingMethod, ShippingZone
from cart.queries import get_cart_view
from cart.services.quoting import quote_lines
from catalog.models import (
    Category,
    ImageAsset,
    Product,
    ProductVariant,
    RestockRequest,
    Wishlist,
    WishlistItem,
)
from orders.models import Order
from orders.services import placement
from orders.services.placement import Address
from shop.models import Mail, Page, TaxRate
from tests.factories.accounts import SellerFactory, UserFactory
from tests.factories.catalog import (
    AttributeFactory,
    AttributeValueFactory,
    CategoryFactory,
    CollectionFactory,
    ImageAssetFactory,
    OptionFactory,
    OptionValueFactory,
    ProductFactory,
    ProductImageFactory,
    ReviewFactory,
    TaxClassFactory,
    VariantFactory,
)
from tests.factories.orders import make_cart

WORD = "Donaudampfschifffahrtselektrizitaetenhauptbetriebswerkbauamt"
"""Sixty letters without a place to break."""
SENTENCE = (
    "Hand-thrown breakfast bowl of speckled stoneware with a wide rim, "
    "a deep foot and a glaze the colour of moss after rain"
)
UNBROKEN = f"{WORD} {WORD[:59]}"
DEAR = Decimal("123456789.00")
DEAREST_TO_PAY = Decimal("987654.00")
"""Payment providers take no more than eight digits, cents included."""
EMAIL = f"{WORD.lower()[:50]}@{WORD.lower()[:50]}.example.com"
TITLES = {"bowl": (SENTENCE, DEAR), "works": (UNBROKEN, DEAREST_TO_PAY)}
ADDRESS = Address(
    name=UNBROKEN, street=f"{UNBROKEN} 123", postcode="10117", city=UNBROKEN[:100], region="",
    country="DE",
)  # fmt: skip


@dataclass(frozen=True)
class LongNames:
    """What the pages are about; the bowl's names have spaces, those of the works have none."""

    category: Category
    seller: Seller
    bowl: ProductVariant
    works: ProductVariant
    person: User
    page: Page
    mail: Mail
    restock: RestockRequest


def fill_with_long_names() -> LongNames:
    """Two long products and 28 to make pages, in a category within a category."""
    _make_delivery()
    seller = SellerFactory(
        slug="long", name=SENTENCE[:120], tagline=f"{SENTENCE} {WORD}", place=UNBROKEN,
        story=f"{SENTENCE}\n\n{UNBROKEN}",
    )  # fmt: skip
    above = CategoryFactory(slug="above", name=UNBROKEN)
    category = CategoryFactory(
        slug="within", name=SENTENCE[:120], parent=above, description=f"{SENTENCE} {WORD}"
    )
    CategoryFactory(slug="beside", name=UNBROKEN, parent=category)
    brand = AttributeFactory(code="brand", name=f"Brand {WORD}")
    material = AttributeFactory(code="material", name="Material")
    made = {}
    photograph = _make_photograph()
    for slug, (title, price) in TITLES.items():
        product = _make_product(slug, title, category, seller, photograph)
        AttributeValueFactory(product=product, attribute=brand, text=title, facet=f"brand-{slug}")
        AttributeValueFactory(product=product, attribute=material, text=WORD, facet="material")
        made[slug] = _make_variants(product, price)
    for number in range(28):
        product = ProductFactory(title=f"{WORD} {number}", category=category, seller=seller)
        VariantFactory(product=product, price=DEAR, stock=number % 2)
    ReviewFactory(
        product=made["bowl"].product, name=UNBROKEN[:60], title=UNBROKEN[:120],
        text=f"{SENTENCE} {UNBROKEN}", answer=UNBROKEN,
    )  # fmt: skip
    person = UserFactory(email=EMAIL, name=UNBROKEN)
    person.emailaddress_set.create(email=EMAIL, verified=True, primary=True)
    KeptAddress.objects.create(user=person, is_for_billing=True, **ADDRESS.as_fields())
    NotificationPreferences.objects.create(user=person)
    wishlist = Wishlist.objects.create(owner=person, name=UNBROKEN[:60], share_key="long")
    for variant in ProductVariant.objects.order_by("pk")[:6]:
        WishlistItem.objects.create(wishlist=wishlist, variant=variant)
    CollectionFactory(slug="long", name=SENTENCE[:120], description=f"{SENTENCE} {WORD}",
                      image=photograph, is_in_menu=True, is_on_home=True)  # fmt: skip
    return LongNames(
        category=category, seller=seller, bowl=made["bowl"], works=made["works"],
        person=person,
        page=Page.objects.create(
            slug="long", title=UNBROKEN, is_in_footer=True,
            body=f"<p>{SENTENCE}</p><h2>{UNBROKEN}</h2><ul><li>{UNBROKEN}</li></ul>",
        ),
        mail=Mail.objects.create(
            kind="test", reference="1", recipient=EMAIL, subject=UNBROKEN,
            text=f"https://shop.example.com/orders/?key={WORD}{WORD}",
            html=f"<p>{SENTENCE}</p>",
        ),
        restock=RestockRequest.objects.create(variant=made["works"], email=EMAIL, language="en"),
    )  # fmt: skip


def _make_photograph() -> ImageAsset:
    """Put one file on the disk, in which all photographs end."""
    path = Path(settings.MEDIA_ROOT) / "originals" / "long.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (80, 100), "tan").save(path)
    return ImageAssetFactory(base="", original="originals/long.png", renditions={}, ready_at=None)


def _make_product(
    slug: str, title: str, category: Category, seller: Seller, photograph: ImageAsset
) -> Product:
    product = ProductFactory(
        slug=slug, title=title, category=category, seller=seller,
        short_description=f"{SENTENCE} {WORD}", description=f"<p>{UNBROKEN}</p>",
        care=UNBROKEN, origin=UNBROKEN,
    )  # fmt: skip
    for _ in range(3):
        ProductImageFactory(product=product, asset=photograph, alt=SENTENCE)
    return product


def _make_variants(product: Product, price: Decimal) -> ProductVariant:
    """Sizes with long labels, of which one is sold out, and colours; return what can be bought."""
    sizes = OptionFactory(product=product, name=UNBROKEN[:60], position=0)
    colours = OptionFactory(product=product, name="Colour", position=1)
    moss = OptionValueFactory(option=colours, label=SENTENCE[:80], swatch="#5b6a4c")
    labels = {SENTENCE[:80]: 999, WORD: 999, "S": 0}
    variants = [
        VariantFactory(
            product=product, sku=f"{WORD}-{product.slug}-{number}", price=price,
            compare_at_price=price + 1, stock=pieces, label=f"{label} / {SENTENCE[:80]}",
            values=[OptionValueFactory(option=sizes, label=label), moss],
        )
        for number, (label, pieces) in enumerate(labels.items())
    ]  # fmt: skip
    return variants[0]


def _make_delivery() -> None:
    tax_class = TaxClassFactory()
    TaxRate.objects.create(
        tax_class=tax_class, country="DE", name=f"VAT {WORD}"[:60], percent=Decimal(19)
    )
    zone = ShippingZone.objects.create(name="Nearby", countries=["DE", "FR"])
    for name, price in ((SENTENCE[:80], DEAR), (WORD, Decimal("4.90"))):
        method = ShippingMethod.objects.create(
            zone=zone, code=f"for-{int(price)}", name=name, tax_class=tax_class,
            description=SENTENCE,
        )  # fmt: skip
        ShippingBand.objects.create(method=method, minimum=0, price=price)


def place_long_order(
    variant: ProductVariant, *, delivery_code: str, language: str, user: User | None = None
) -> Order:
    """Order one piece, for an address that is as long as the rest."""
    cart = make_cart(variant)
    view = get_cart_view(cart.pk)
    quoted = quote_lines(view.lines, country="DE", delivery_code=delivery_code)
    return placement.place(
        cart,
        email=EMAIL,
        address=ADDRESS,
        delivery_code=delivery_code,
        submit_key=cart.submit_key,
        seen_total=quoted.quote.total,
        seen_lines=quoted.fingerprint,
        language=language,
        user=user,
    )
