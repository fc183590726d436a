"""Every page that a person can open, in every state it can be in, as walks through the shop.

A walk goes from scene to scene; whoever looks at the pages stops at each. Names of buttons are the
English ones in every language: the pseudo-language has them inside its marks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.shortcuts import render
from django.test import Client, RequestFactory
from django.utils import translation
from django.views import defaults
from PIL import Image
from playwright.sync_api import Page, Route, expect

from accounts.access import make_unsubscribe_key
from accounts.addressing import PostalAddress
from accounts.forms import ResetForm
from accounts.models import NotificationPreferences, User
from accounts.services import addresses
from catalog.access import make_restock_key
from catalog.models import Option, Product, RestockRequest, ReviewPhoto, Wishlist
from orders.access import order_url
from orders.emails import render_order_mail
from orders.models import Order, Shipment
from orders.services import cancellation, expiry, fulfilment, payment
from payments.simulator.running import Simulator
from shop.clock import now
from shop.models import Mail
from shop.models import Page as ContentPage
from tests.browser.shelves import Shelves, index_all
from tests.browser.shopper import ADA, answer_as_bank, code_of_app, fill_in_address
from tests.factories.accounts import StaffFactory, UserFactory
from tests.factories.catalog import (
    BuyableProductFactory,
    CategoryFactory,
    CollectionFactory,
    ImageAssetFactory,
    ProductImageFactory,
    ReviewFactory,
    VariantFactory,
)
from tests.factories.orders import place_order
from tests.forms import read_form
from tests.journeys.shopper import session_of
from tests.outbox import deliver_outbox

PHONE, DESKTOP = 390, 1280
PASSWORD = "a long enough password"
LONG_NAME = (
    "Hand-thrown stoneware serving bowl with a wide unglazed rim, a narrow foot and a lid " * 2
)
GLAZES = {"Sand": "#d8c6ab", "Moss": "#5b6a4c", "Ink": "#2f3a45"}
BESIDE_THE_LANGUAGES = ("/mailbox/", "/styleguide/")


@dataclass(frozen=True, slots=True)
class Scene:
    """A page in a state; `width` is set where the state exists at one width alone.

    `layer` selects what lies over the page, if something does.
    """

    name: str
    width: int | None = None
    layer: str = ""
    is_mail: bool = False


@dataclass
class Visitor:
    """Somebody on a walk, in one of the shop's languages."""

    page: Page
    shop: Simulator
    shelves: Shelves
    web: str
    language: str

    def __post_init__(self) -> None:
        self.page.add_init_script(SETTLED)

    def path(self, path: str) -> str:
        is_beside = path.startswith(BESIDE_THE_LANGUAGES) or self.language == "en"
        return path if is_beside else f"/{self.language}{path}"

    def go(self, path: str) -> None:
        self.page.goto(self.path(path))
        self.wait_for_the_badge()

    def wait_for_the_badge(self) -> None:
        """Wait until what a page fetches by itself is there."""
        if self.page.locator(".cart-badge").count():
            self.page.locator(".cart-badge[data-settled]").wait_for(state="attached")

    def press(self, name: str, *, role: Any = "button") -> None:
        self.page.get_by_role("main").get_by_role(role, name=name).first.click()

    def put_in_cart(self, path: str) -> None:
        self.go(path)
        self.press("Add to cart")
        expect(self.page.locator("dialog[open] .line").first).to_be_visible()

    def sign_in(self, person: User) -> None:
        """Come with the cookie of somebody who has signed in."""
        client = Client()
        client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
        cookie = client.cookies["sessionid"]
        self.page.context.add_cookies(
            [{"name": "sessionid", "value": cookie.value, "url": self.web}]
        )

    def open_made_up(self, path: str, html: str) -> None:
        """Show a page that the shop would not send just now, at an address of the shop."""

        def answer(route: Route) -> None:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")

        self.page.route(f"**{path}", answer)
        self.page.goto(path)


KEEP_THE_TOAST = """() => {
  const toast = document.getElementById("toast");
  const twin = toast.cloneNode(true);
  toast.replaceWith(twin);
  twin.showPopover();
}"""
"""The toast goes after seconds; its twin, which nobody knows, stays."""

SETTLED = """document.addEventListener("htmx:afterSettle", ({ detail }) => {
  detail.elt.dataset.settled = "";
})"""

Walk = Callable[[Visitor], Iterator[Scene]]


def hang_photographs(shelves: Shelves, media_folder: Path) -> None:
    """Give the mug two photographs, colours for its glazes, and all that can be said of it."""
    (media_folder / "originals").mkdir(exist_ok=True)
    for place, name in enumerate(("front", "back")):
        original = f"originals/{name}.png"
        Image.new("RGB", (80, 100), "tan").save(media_folder / original)
        asset = ImageAssetFactory(base="", original=original, renditions={}, ready_at=None)
        ProductImageFactory(product=shelves.mug, asset=asset, alt=f"The {name}", position=place)
    for value in Option.objects.get(product=shelves.mug).values.all():
        value.swatch = GLAZES[value.label]
        value.save()
    Product.objects.filter(pk=shelves.mug.pk).update(
        description="<p>Thrown by hand, and <a href='/pages/about/'>no two alike</a>.</p>",
        care="Dishwasher safe.", origin="Portugal",
    )  # fmt: skip
    for slug in ("about", "delivery"):
        ContentPage.objects.create(
            slug=slug, title=slug.capitalize(), is_in_footer=True,
            body="<h2>How</h2><p>By <a href='/'>post</a>.</p><ul><li>Soon</li></ul>"
            "<table><thead><tr><th>Where</th></tr></thead><tbody><tr><td>DE</td></tr></tbody></table>",
        )  # fmt: skip


def fill_the_rest(shelves: Shelves, media_folder: Path) -> None:
    """Add to the shelves what makes pages hard: long names, dear things, many of them, none left."""
    hang_photographs(shelves, media_folder)
    BuyableProductFactory(
        slug="long", title=LONG_NAME[:120], short_description=LONG_NAME * 2,
        category=shelves.mug.category, seller=shelves.seller,
        variant__sku="LONG", variant__price=Decimal("1234567.89"),
        variant__compare_at_price=Decimal("2345678.90"),
    )  # fmt: skip
    VariantFactory(
        product__slug="gone", product__title="Gone bowl", product__category=shelves.mug.category,
        product__seller=shelves.seller, stock=0,
    )  # fmt: skip
    CollectionFactory(slug="breakfast", name="Breakfast", description=LONG_NAME, is_in_menu=True,
                      is_on_home=True, image=shelves.mug.images.earliest("id").asset)  # fmt: skip
    CollectionFactory(slug="empty", name="Nothing", tags=["nothing"])
    many = CategoryFactory(slug="many", name=LONG_NAME[:100], description=LONG_NAME)
    for number in range(25):
        BuyableProductFactory(
            slug=f"many-{number}", title=f"Plate {number}", category=many, seller=shelves.seller
        )
    index_all()


def look_around(visitor: Visitor) -> Iterator[Scene]:
    """See what the shop has: home, categories, products, search, makers, pages."""
    for name, path in {
        "home": "/",
        "category": "/categories/table/tableware/",
        "category above": "/categories/table/",
        "category, filtered": "/categories/table/tableware/?material=stoneware&price_max=50",
        "category, nothing fits": "/categories/table/tableware/?price_min=9000000",
        "category, paged, long name": "/categories/many/",
        "category, last page": "/categories/many/?page=2&sort=price",
        "product": "/products/dune-mug/?variant=MUG-MOSS",
        "product, variant sold out": "/products/dune-mug/?variant=MUG-INK",
        "product, sold out": "/products/gone/",
        "product, long texts, no photograph": "/products/long/",
        "collection": "/collections/breakfast/",
        "collection, empty": "/collections/empty/",
        "search, nothing asked": "/search/",
        "search, found": "/search/?q=mug",
        "search, paged": "/search/?q=plate",
        "search, misspelt": "/search/?q=platte",
        "search, some of the words": "/search/?q=plate+qqq+mug",
        "search, nothing found": "/search/?q=nothing-like-this",
        "maker": "/sellers/haven/",
        "content page": "/pages/about/",
        "offline": "/offline/",
    }.items():
        visitor.go(path)
        yield Scene(name)


def open_layers(visitor: Visitor) -> Iterator[Scene]:
    """Open everything that lies over a page: menus, sheets, drawer, photographs, messages."""
    page = visitor.page
    page.set_viewport_size({"width": PHONE, "height": 844})
    visitor.go("/")
    page.locator(".site-header [popovertarget]").first.click()
    yield Scene("home, menu open", PHONE, layer="#site-menu")
    page.locator("#site-menu summary").first.click()
    yield Scene("home, menu and category open", PHONE, layer="#site-menu")
    visitor.go("/categories/table/tableware/?material=stoneware")
    page.locator("[popovertarget=facets]").first.click()
    yield Scene("category, filters open", PHONE, layer="#facets")
    page.set_viewport_size({"width": DESKTOP, "height": 900})
    visitor.go("/")
    page.locator("#site-menu summary").first.click()
    yield Scene("home, category menu open", DESKTOP, layer=".site-menu__panel")
    visitor.go("/categories/table/tableware/")
    page.locator(".sort summary").click()
    yield Scene("category, sorting open", layer=".sort")
    page.locator("[data-opens-cart]").click()
    expect(page.locator("dialog[open] .drawer__content")).not_to_be_empty()
    yield Scene("drawer, empty", layer="dialog")
    visitor.put_in_cart("/products/dune-mug/?variant=MUG-MOSS")
    yield Scene("drawer, filled", layer="dialog")
    visitor.put_in_cart("/products/long/")
    yield Scene("drawer, long texts", layer="dialog")
    visitor.go("/products/dune-mug/")
    page.locator(".gallery a").first.click()
    expect(page.locator("dialog.zoom[open]")).to_be_visible()
    yield Scene("photograph, enlarged", layer="dialog")
    page.locator("[data-closer]").click()
    yield Scene("photograph, close", layer="dialog")
    visitor.go("/products/dune-mug/")
    page.evaluate("htmx.trigger(document.body, 'htmx:sendError')")
    expect(page.locator("#toast")).not_to_be_empty()
    page.evaluate(KEEP_THE_TOAST)
    yield Scene("product, toast", layer="#toast")


def buy(visitor: Visitor) -> Iterator[Scene]:
    """Go from the empty cart to the provider and through all that may happen there."""
    page = visitor.page
    visitor.go("/cart/")
    yield Scene("cart, empty")
    visitor.put_in_cart("/products/dune-mug/?variant=MUG-MOSS")
    visitor.go("/cart/")
    yield Scene("cart, filled")
    page.locator(".quantity__input").first.fill("99")
    page.locator(".quantity__input").first.press("Enter")
    expect(page.locator(".notice, .line__notice").first).to_be_visible()
    yield Scene("cart, fewer left than wanted")
    visitor.put_in_cart("/products/long/")
    visitor.go("/cart/")
    yield Scene("cart, long texts")
    visitor.go("/checkout/")
    yield Scene("checkout, long texts")
    visitor.go("/cart/")
    page.locator(".line", has_text="Hand-thrown").get_by_role("button", name="Remove").click()
    expect(page.locator(".line")).to_have_count(1)
    visitor.go("/checkout/")
    yield Scene("checkout")
    page.guard.expect(422)
    visitor.press("Pay")
    expect(page.get_by_role("alert")).to_be_visible()
    yield Scene("checkout, nothing filled in")
    for label, text in {**dict.fromkeys(ADA, "1"), "Full name": LONG_NAME[:120]}.items():
        page.get_by_label(label).first.fill(text)
    visitor.press("Pay")
    expect(page.get_by_role("alert")).to_be_visible()
    yield Scene("checkout, wrongly filled in")
    fill_in_address(page)
    visitor.press("Pay")
    page.wait_for_url(f"{visitor.shop.url}/**")
    yield Scene("provider")
    answer_as_bank(page, "Decline it")
    expect(page.get_by_role("alert")).to_be_visible()
    yield Scene("provider, declined")
    answer_as_bank(page, "Ask for 3-D Secure")
    yield Scene("provider, confirmation")
    page.get_by_role("button", name="Fail the confirmation").click()
    provider = page.url
    page.get_by_role("button", name="Cancel and return").click()
    visitor.press("Cancel this order")
    expect(page.locator(".notice").first).to_be_visible()
    yield Scene("cart, order given up")
    page.goto(provider)
    yield Scene("provider, closed")
    page.guard.expect(404)
    page.goto(f"{visitor.shop.url}/pay/cs_test_nothing")
    yield Scene("provider, no such payment")


def follow_orders(visitor: Visitor) -> Iterator[Scene]:
    """See an order in every stage, as whoever holds its link, and the mail that told of it."""
    moss, long = visitor.shelves.moss, Product.objects.get(slug="long").variants.get()

    def show(order: Order, stage: str) -> Scene:
        deliver_outbox()
        visitor.page.goto(order_url(order.number, language=visitor.language))
        visitor.wait_for_the_badge()
        return Scene(f"order, {stage}")

    waiting = _place(visitor, moss)
    yield show(waiting, "waiting for the money")
    visitor.shop.add_fault("checkout.sessions.retrieve", "error_500_before")
    session = _start(waiting)
    visitor.go(f"/orders/{waiting.number}/returned/")
    assert visitor.page.locator("[data-quiet][hx-trigger*=every]").count(), session
    yield Scene("order, confirming")
    _let_expire(waiting)
    yield show(waiting, "expired")
    transfer = place_order(moss, provider="offline")
    Order.objects.filter(pk=transfer.pk).update(language=visitor.language)
    transfer.refresh_from_db()
    yield show(transfer, "waiting for a transfer")
    html = render_order_mail(transfer, "payment_waiting").html
    visitor.open_made_up("/mail/payment_waiting/", html)
    yield Scene("mail, payment_waiting", is_mail=True)
    dear = _place(visitor, long)
    yield show(dear, "long texts")
    paid = _pay(_place(visitor, moss))
    yield show(paid, "paid")
    shipment = _ship(paid)
    yield show(paid, "shipped")
    fulfilment.mark_delivered(shipment, by=None)
    yield show(paid, "delivered")
    given_up = _place(visitor, moss)
    cancellation.cancel_unpaid(given_up, by=None)
    yield show(given_up, "cancelled")
    sent_back = _pay(_place(visitor, moss))
    cancellation.cancel(sent_back, by=StaffFactory(), reason="Broken in the kiln")
    yield show(sent_back, "refunded")
    for kind in (
        *("confirmation", "shipped", "delivered", "cancelled"),
        *("refunded", "refunded_late", "payment_returned", "money_sent"),
    ):
        html = render_order_mail(dear if kind == "cancelled" else paid, kind).html
        visitor.open_made_up(f"/mail/{kind}/", html)
        yield Scene(f"mail, {kind}", is_mail=True)
    visitor.go("/mailbox/")
    yield Scene("mailbox")
    visitor.go(f"/mailbox/{Mail.objects.latest('pk').pk}/")
    yield Scene("mailbox, a mail")


def keep_an_account(visitor: Visitor) -> Iterator[Scene]:
    """Sign up, in and out, forget the password, look after one's account."""
    page = visitor.page
    visitor.go("/mailbox/")
    yield Scene("mailbox, empty")
    visitor.go("/accounts/signup/")
    yield Scene("sign up")
    page.get_by_label("Email").fill("ada")
    visitor.press("Make my account")
    expect(page.get_by_role("alert")).to_be_visible()
    yield Scene("sign up, wrongly filled in")
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Password").fill("difference engine 1842")
    visitor.press("Make my account")
    yield Scene("sign up, code asked for")
    page.get_by_label("Code").fill("AAAAAA")
    visitor.press("Confirm")
    expect(page.get_by_role("alert")).to_be_visible()
    yield Scene("sign up, wrong code")
    page.context.clear_cookies()
    _ask_for_mails(visitor, "ada@example.com")
    for mail in Mail.objects.exclude(html="").order_by("pk"):
        visitor.open_made_up(f"/mail/{mail.pk}/", mail.html)
        yield Scene(f"mail, {mail.kind}", is_mail=True)
    visitor.go("/accounts/login/")
    yield Scene("sign in")
    page.get_by_label("Email").fill("ada@example.com")
    page.get_by_label("Password").fill("wrong")
    visitor.press("Sign in")
    expect(page.locator(".error-summary")).to_be_visible()
    yield Scene("sign in, wrong password")
    visitor.go("/accounts/password/reset/")
    yield Scene("password forgotten")
    page.get_by_label("Email").fill("nobody")
    page.locator("main form [type=submit]").last.click()
    expect(page.get_by_role("alert")).to_be_visible()
    yield Scene("password forgotten, wrong email")
    for name, path in {
        "password forgotten, mail sent": "/accounts/password/reset/done/",
        "password forgotten, old link": "/accounts/password/reset/key/1-nonsense/",
        "password forgotten, new one set": "/accounts/password/reset/key/done/",
        "account closed": "/accounts/inactive/",
    }.items():
        visitor.go(path)
        yield Scene(name)
    person = UserFactory(name="Ada Lovelace")
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    visitor.sign_in(person)
    visitor.go("/account/")
    yield Scene("account, no order")
    for number in range(2):
        order = place_order(visitor.shelves.moss)
        Order.objects.filter(pk=order.pk).update(user=person, language=visitor.language)
        if number:
            cancellation.cancel_unpaid(order, by=person)
    visitor.go("/account/")
    yield Scene("account, with orders")
    visitor.go("/account/addresses/")
    yield Scene("addresses, none")
    visitor.go("/account/addresses/add/")
    visitor.press("Keep the address")
    expect(page.get_by_role("alert")).to_be_visible()
    yield Scene("add an address, nothing filled in")
    for street in ("Unter den Linden 1", "Am Zoo 2"):
        row = addresses.add(
            person.pk, PostalAddress("Ada Lovelace", street, "10117", "Berlin", "", "DE")
        )
    addresses.make_default(person.pk, row.pk, purpose="billing")
    visitor.go("/account/addresses/")
    yield Scene("addresses")
    visitor.go(f"/account/addresses/{row.pk}/")
    yield Scene("change an address")
    visitor.put_in_cart("/products/dune-mug/?variant=MUG-MOSS")
    visitor.go("/checkout/")
    yield Scene("checkout, from the address book")
    guest = place_order(visitor.shelves.moss)
    Order.objects.filter(pk=guest.pk).update(email=person.email)
    EmailAddress.objects.create(user=person, email="other@example.com")
    visitor.go("/account/")
    yield Scene("account, something waits")
    visitor.go("/account/notifications/")
    yield Scene("mails")
    choice = NotificationPreferences.objects.create(user=person)
    key = make_unsubscribe_key(choice.pk, "restock")
    visitor.go(f"/mails/{key}/")
    yield Scene("mails, shall they end")
    visitor.press("No more of them")
    expect(page.locator("main form")).to_have_count(0)
    yield Scene("mails, ended")
    visitor.go("/mails/nonsense/")
    yield Scene("mails, old link")
    visitor.go("/account/cards/")
    yield Scene("saved cards, none")
    _save_a_card(visitor, person)
    visitor.go("/account/cards/")
    yield Scene("saved cards")
    visitor.shop.add_fault("payment_methods.list", "error_500_before")
    visitor.go("/account/cards/")
    yield Scene("saved cards, provider away")
    for name, path in {
        "email addresses": "/accounts/email/",
        "change password": "/accounts/password/change/",
        "sign out": "/accounts/logout/",
        "sign in once more": "/accounts/reauthenticate/",
        "privacy": "/account/privacy/",
        "privacy, erased": "/account/erased/",
        "cookies": "/cookies/",
    }.items():
        visitor.go(path)
        yield Scene(name)
    visitor.go("/account/privacy/erase/")
    page.locator("main input[type=password]").fill("a long enough password")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url("**/account/privacy/erase/")
    yield Scene("privacy, erase, an order waits")


def be_safe(visitor: Visitor) -> Iterator[Scene]:
    """Add second factors, be asked for them, see where one is signed in and with what else."""
    page = visitor.page
    person = UserFactory(name="Ada Lovelace", password=PASSWORD)
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    _give_password(visitor, person)
    page.wait_for_url("**/account/")
    for name, path in {
        "security, nothing yet": "/accounts/2fa/",
        "passkeys, none": "/accounts/2fa/webauthn/",
        "devices": "/accounts/sessions/",
        "other ways to sign in": "/accounts/3rdparty/",
    }.items():
        visitor.go(path)
        yield Scene(name)
    visitor.go("/accounts/2fa/totp/activate/")
    page.get_by_label("Password").fill(PASSWORD)
    visitor.press("Confirm")
    secret = page.locator(".account__key").inner_text()
    yield Scene("authenticator app")
    page.locator("#id_code").fill("000000")
    visitor.press("Turn it on")
    expect(page.get_by_role("alert").first).to_be_visible()
    yield Scene("authenticator app, wrong code")
    page.locator("#id_code").fill(code_of_app(secret))
    visitor.press("Turn it on")
    page.locator(".account__codes").wait_for()
    yield Scene("recovery codes")
    key = Authenticator.objects.create(
        user=person, type="webauthn", data={"name": LONG_NAME[:60], "credential": {}}
    )
    for name, path in {
        "security": "/accounts/2fa/",
        "passkeys": "/accounts/2fa/webauthn/",
        "rename a passkey": f"/accounts/2fa/webauthn/keys/{key.pk}/edit/",
        "remove a passkey": f"/accounts/2fa/webauthn/keys/{key.pk}/remove/",
        "new recovery codes": "/accounts/2fa/recovery-codes/generate/",
        "app off": "/accounts/2fa/totp/deactivate/",
        "say a code once more": "/accounts/2fa/reauthenticate/",
    }.items():
        visitor.go(path)
        yield Scene(name)
    key.delete()
    visitor.go("/accounts/2fa/webauthn/add/")
    yield Scene("add a passkey")
    request = RequestFactory().get(visitor.path("/"))
    request.user = person
    house = {"get_provider": {"name": "Guild"}}
    with translation.override(visitor.language):
        passkey = render(request, "mfa/webauthn/reauthenticate.html", {"js_data": {}})
        one_more = render(
            request, "socialaccount/signup.html", {"account": house, "form": ResetForm()}
        )
    visitor.open_made_up("/passkey/", passkey.content.decode())
    yield Scene("use a passkey once more")
    visitor.open_made_up("/one-more/", one_more.content.decode())
    yield Scene("account elsewhere, one more thing")
    page.context.clear_cookies()
    _give_password(visitor, person)
    page.locator("#id_code").wait_for()
    yield Scene("sign in, second step")
    page.guard.expect(401)
    for name, path in {
        "account elsewhere, turned back": "/accounts/3rdparty/login/cancelled/",
        "account elsewhere, did not work": "/accounts/3rdparty/login/error/",
    }.items():
        visitor.go(path)
        yield Scene(name)


def _give_password(visitor: Visitor, person: User) -> None:
    visitor.go(f"/accounts/login/?next={visitor.path('/account/')}")
    visitor.page.locator("#id_login").fill(person.email)
    visitor.page.locator("#id_password").fill(PASSWORD)
    visitor.press("Sign in")


def _save_a_card(visitor: Visitor, person: User) -> None:
    """Pay signed in, and let the payment page keep the card."""
    order = place_order(visitor.shelves.moss, user=person)
    payment.start(order)
    visitor.shop.approve(session_of(order), saves_card=True)


def speak_and_keep(visitor: Visitor) -> Iterator[Scene]:
    """Say what one thinks, ask for what is gone, keep what one likes."""
    page, mug = visitor.page, visitor.shelves.mug
    visitor.go("/products/gone/reviews/")
    yield Scene("reviews, none")
    for stars, image in zip((5, 2), mug.images.all(), strict=True):
        review = ReviewFactory(product=mug, stars=stars, text=LONG_NAME * 3, answer=LONG_NAME)
        ReviewPhoto.objects.create(review=review, asset=image.asset)
    visitor.go("/products/dune-mug/")
    yield Scene("product, with reviews")
    visitor.go("/products/dune-mug/reviews/")
    yield Scene("reviews")
    visitor.go("/products/dune-mug/reviews/?stars=5")
    yield Scene("reviews, of five stars")
    visitor.go("/products/gone/")
    page.locator(".restock input[type=email]").fill("ada")
    visitor.press("Tell me")
    expect(page.locator(".restock .field__error")).to_be_visible()
    yield Scene("product, sold out, no address")
    page.locator(".restock input[type=email]").fill("ada@example.com")
    visitor.press("Tell me")
    expect(page.locator(".restock__sent")).to_be_visible()
    yield Scene("product, sold out, asked")
    visitor.go("/back-in-stock/sent/")
    yield Scene("back in stock, mail sent")
    key = make_restock_key(RestockRequest.objects.get().pk)
    visitor.go(f"/back-in-stock/{key}/")
    yield Scene("back in stock, to be confirmed")
    page.locator("main form [value=confirm]").click()
    page.locator("main form [value=confirm]").wait_for(state="detached")
    yield Scene("back in stock, confirmed")
    visitor.go("/back-in-stock/nonsense/")
    yield Scene("back in stock, nothing planned")
    visitor.go("/wishlists/")
    yield Scene("wishlist, empty")
    for path in ("/products/gone/", "/products/long/", "/products/dune-mug/?variant=MUG-MOSS"):
        visitor.go(path)
        page.locator(".save__button").click()
        expect(page.locator("p.save")).to_be_visible()
    yield Scene("product, saved")
    visitor.go("/wishlists/")
    page.locator("#sharing summary").click()
    page.locator("#sharing [value=share]").click()
    expect(page.locator("#share-link")).to_be_visible()
    shared = page.locator("#share-link").input_value()
    for name in (LONG_NAME[:60], ""):
        visitor.go("/wishlists/")
        page.locator(".wishlist__tools summary").last.click()
        page.locator("#id_name").fill(name)
        page.locator(".wishlist__tools button").last.click()
    expect(page.locator(".field__error")).to_be_visible()
    yield Scene("wishlists, name forgotten")
    visitor.go(f"/wishlists/{Wishlist.objects.earliest('pk').pk}/")
    yield Scene("wishlist, shared")
    page.goto(shared)
    visitor.wait_for_the_badge()
    yield Scene("wishlist of somebody")
    visitor.sign_in(UserFactory(name="Ada Lovelace"))
    visitor.go("/products/dune-mug/reviews/write/")
    yield Scene("write a review")
    visitor.press("Send the review")
    expect(page.get_by_role("alert")).to_be_visible()
    yield Scene("write a review, nothing filled in")
    page.locator("[name=stars]").last.check(force=True)
    page.locator("[name=text]").fill(LONG_NAME)
    visitor.press("Send the review")
    page.wait_for_url("**sent=1")
    yield Scene("review sent")


def lose_the_way(visitor: Visitor) -> Iterator[Scene]:
    """Meet every page that says no, and those of the house."""
    visitor.page.guard.expect(403, 404)
    visitor.go("/no-such-page/")
    yield Scene("404")
    with translation.override(visitor.language):
        request = RequestFactory().get(visitor.path("/"))
        refused = defaults.permission_denied(request, PermissionError())
        broken = defaults.server_error(request)
        closed = render(request, "shop/maintenance.html", {"message": LONG_NAME, "again": "/"})
    visitor.open_made_up("/refused/", refused.content.decode())
    yield Scene("403")
    visitor.open_made_up("/broken/", broken.content.decode())
    yield Scene("500")
    visitor.open_made_up("/closed/", closed.content.decode())
    yield Scene("maintenance")
    visitor.go("/accounts/login/")
    visitor.page.context.clear_cookies()
    visitor.press("Sign in")
    yield Scene("403, cookies refused")
    if visitor.language == "en":
        visitor.go("/styleguide/")
        yield Scene("style guide")


WALKS: dict[str, tuple[Walk, set[str]]] = {
    "look around": (
        look_around,
        {
            *("", "categories/<path:path>/", "products/<slug:slug>/", "search/"),
            "collections/<slug:slug>/",
            *("sellers/<slug:slug>/", "pages/<slug:slug>/", "offline/"),
        },
    ),
    "open layers": (open_layers, set()),
    "buy": (buy, {"cart/", "checkout/"}),
    "follow orders": (
        follow_orders,
        {"orders/<slug:number>/", "mailbox/", "mailbox/<int:mail_id>/"},
    ),
    "keep an account": (
        keep_an_account,
        {
            *(
                "account/",
                "account/cards/",
                "account/privacy/",
                "account/privacy/erase/",
                "account/erased/",
                "cookies/",
                "account/addresses/",
                "account/addresses/add/",
                "account/addresses/<int:address_id>/",
                "account/notifications/",
                "mails/<str:key>/",
                "accounts/login/",
                "accounts/signup/",
                "accounts/logout/",
            ),
            *("accounts/inactive/", "accounts/reauthenticate/", "accounts/email/"),
            *("accounts/confirm-email/", "accounts/password/change/"),
            *("accounts/password/reset/", "accounts/password/reset/done/"),
            *("accounts/password/reset/key/done/",),
            r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        },
    ),
    "be safe": (
        be_safe,
        {
            *("accounts/2fa/", "accounts/2fa/authenticate/", "accounts/2fa/reauthenticate/"),
            *("accounts/2fa/totp/activate/", "accounts/2fa/totp/deactivate/"),
            *("accounts/2fa/recovery-codes/", "accounts/2fa/recovery-codes/generate/"),
            *("accounts/2fa/webauthn/", "accounts/2fa/webauthn/add/"),
            *("accounts/2fa/webauthn/reauthenticate/", "accounts/sessions/"),
            "accounts/2fa/webauthn/keys/<int:pk>/remove/",
            "accounts/2fa/webauthn/keys/<int:pk>/edit/",
            *("accounts/3rdparty/", "accounts/3rdparty/signup/"),
            *("accounts/3rdparty/login/cancelled/", "accounts/3rdparty/login/error/"),
        },
    ),
    "speak and keep": (
        speak_and_keep,
        {
            *("products/<slug:slug>/reviews/", "products/<slug:slug>/reviews/write/"),
            *("back-in-stock/sent/", "back-in-stock/<str:key>/"),
            *("wishlists/", "wishlists/<int:list_id>/", "wishlists/shared/<slug:key>/"),
        },
    ),
    "lose the way": (lose_the_way, {"styleguide/"}),
}
"""The walks, and the routes whose pages are seen first on each."""


def _ask_for_mails(visitor: Visitor, email: str) -> None:
    """Let the shop write every mail about an account."""
    asked = (
        ("/accounts/signup/", email, {"password1": PASSWORD}),
        ("/accounts/password/reset/", email, {}),
        ("/accounts/password/reset/", "nobody@example.com", {}),
    )
    for path, address, typed in asked:
        client = Client()
        page = client.get(visitor.path(path))
        client.post(
            visitor.path(path), read_form(page, visitor.path(path)) | {"email": address} | typed
        )


def _place(visitor: Visitor, *variants: Any) -> Order:
    order = place_order(*variants)
    Order.objects.filter(pk=order.pk).update(language=visitor.language)
    order.refresh_from_db()
    return order


def _start(order: Order) -> str:
    return payment.start(order)


def _pay(order: Order) -> Order:
    httpx.post(payment.start(order), data={"choice": "approve", "webhook": "never"})
    payment.check(order)
    order.refresh_from_db()
    assert order.payment_status == Order.PaymentStatus.PAID
    return order


def _ship(order: Order) -> Shipment:
    part = order.seller_orders.first()
    assert part is not None
    return fulfilment.ship(part, carrier="DHL", tracking_number="JD14", by=None)


def _let_expire(order: Order) -> None:
    Order.objects.filter(pk=order.pk).update(expires_at=now())
    expiry.sweep()
