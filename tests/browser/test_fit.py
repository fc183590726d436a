"""Long names, dear prices, large text and small screens: every page still fits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.template.loader import render_to_string
from django.utils import translation
from playwright.sync_api import Page

from orders.access import order_url
from orders.models import Order
from orders.services import fulfilment
from payments.simulator.running import Simulator
from tests import pseudo
from tests.browser.addresses import FOR_MEMBERS, IN_STEPS, NO_PAGES, PAGES, fill_in
from tests.browser.conftest import Visit
from tests.browser.fit import Fitting
from tests.browser.long_names import (
    EMAIL,
    SENTENCE,
    UNBROKEN,
    WORD,
    LongNames,
    fill_with_long_names,
    place_long_order,
)
from tests.browser.shopper import code_of_app, sign_in
from tests.matrix.routes import list_routes
from tests.processes import running_web

PHONE = {"width": 390, "height": 844}
LANGUAGES = {"en": "", "de": "/de", pseudo.CODE: f"/{pseudo.CODE}"}

WITHOUT_LANGUAGE = ("/mailbox/", "/styleguide/")


def test_no_page_is_forgotten() -> None:
    assert sorted(list_routes()) == sorted({*PAGES, *FOR_MEMBERS, *IN_STEPS, *NO_PAGES})


@pytest.fixture(scope="module")
def web(django_db_setup: None, _simulator_process: Simulator, media_folder: Path) -> Iterator[str]:
    """A shop that speaks the pseudo-language too, and sells by the thousand."""
    with running_web(
        application="tests.pseudo_wsgi:application",
        SIMULATOR_URL=_simulator_process.url,
        MEDIA_ROOT=str(media_folder),
        SHOP_ORDER_QUANTITY_LIMIT="999",
        SHOP_OFFLINE_PAGE="false",
    ) as address:
        yield address


@pytest.fixture
def names(shop: Simulator, settings: Any) -> LongNames:
    settings.SHOP_ORDER_QUANTITY_LIMIT = 999
    return fill_with_long_names()


class Tour:
    """Goes from page to page in one language and writes down where something does not fit."""

    def __init__(self, page: Page, language: str) -> None:
        self.page = page
        self.prefix = LANGUAGES[language]
        self.misfits: list[str] = []
        # Texts are longest in the pseudo-language: what fits there on rare screens fits in all.
        self.is_thorough = language == pseudo.CODE
        self._fitting = Fitting(page, with_rare=self.is_thorough)

    def go(self, address: str) -> None:
        is_plain = "://" in address or address.startswith(WITHOUT_LANGUAGE)
        self.page.goto(address if is_plain else f"{self.prefix}{address}")

    def see(self, what: str, *, wide: bool | None = None) -> None:
        self.misfits += [f"{what}: {misfit}" for misfit in self._fitting.find_misfits(wide=wide)]

    def visit(self, address: str) -> None:
        self.go(address)
        self.see(address)


@pytest.fixture(params=LANGUAGES)
def tour(visit: Visit, names: LongNames, request: pytest.FixtureRequest) -> Iterator[Tour]:
    tour = Tour(visit(viewport={"width": 1280, "height": 900}), request.param)
    yield tour
    assert not tour.misfits, "\n".join(tour.misfits)


def test_pages_fit(tour: Tour, names: LongNames, web: str) -> None:
    tour.page.guard.expect(401)
    for addresses in PAGES.values():
        for address in addresses if tour.is_thorough else addresses[:1]:
            if tour.is_thorough or not address.startswith(WITHOUT_LANGUAGE):
                tour.visit(fill_in(address, names))
    tour.page.guard.expect(404)
    tour.visit("/no-such-page/")
    for template in ("500.html", "503.html", "403.html"):
        see_failure(tour, template)

    sign_in(tour.page, names.person, web)
    for code in ("for-4", "for-123456789"):
        place_long_order(names.works, delivery_code=code, language="en", user=names.person)
    for address in (address for addresses in FOR_MEMBERS.values() for address in addresses):
        tour.visit(address)
    see_second_factors(tour)


def see_second_factors(tour: Tour) -> None:
    """Say once more who one is, then set up an app, and read the recovery codes."""
    page = tour.page
    tour.visit("/accounts/2fa/totp/activate/")
    page.locator("#id_password").fill("a long enough password")
    page.locator("main form [type=submit]").first.click()
    page.locator("#id_code").wait_for()
    tour.see("an app to be set up")
    page.locator("#id_code").fill(code_of_app(page.locator(".account__key").inner_text()))
    page.locator("main form [type=submit]").first.click()
    page.locator(".account__codes").wait_for()
    tour.see("recovery codes")
    for address in (
        "/accounts/2fa/", "/accounts/2fa/totp/deactivate/", "/accounts/2fa/webauthn/add/",
        "/accounts/2fa/recovery-codes/generate/",
    ):  # fmt: skip
        tour.visit(address)


def see_failure(tour: Tour, template: str) -> None:
    """Look at a page that nobody comes to see: what is shown when something broke."""
    with translation.override(tour.prefix.strip("/") or "en"):
        html = render_to_string(template)
    tour.page.route(
        f"**/failure/{template}", lambda route: route.fulfill(body=html, content_type="text/html")
    )
    tour.visit(f"/failure/{template}")


def test_the_way_to_the_order_fits(tour: Tour, names: LongNames, shop: Simulator) -> None:
    see_what_opens(tour, names)
    see_cart_and_checkout(tour)
    see_code(tour)
    see_order_and_payment(tour, names, shop)


def see_what_opens(tour: Tour, names: LongNames) -> None:
    page = tour.page
    tour.go(f"/categories/{names.category.path}/?material=material")
    page.locator(".site-menu details").first.evaluate("details => { details.open = true }")
    tour.see("menu", wide=True)
    page.set_viewport_size(PHONE)
    page.locator("[popovertarget=site-menu]").first.click()
    page.locator(".site-menu details").first.evaluate("details => { details.open = true }")
    tour.see("menu", wide=False)
    page.keyboard.press("Escape")
    page.set_viewport_size(PHONE)
    page.locator(".listing__filter").click()
    tour.see("filters", wide=False)
    page.keyboard.press("Escape")
    page.locator(".sort details").evaluate("details => { details.open = true }")
    tour.see("sorting")

    tour.go("/products/bowl/")
    page.locator(".gallery a").first.click()
    tour.see("photograph")
    page.keyboard.press("Escape")
    put_in_cart(tour, "bowl", 999)
    tour.see("drawer")


def put_in_cart(tour: Tour, slug: str, quantity: int) -> None:
    tour.go(f"/products/{slug}/")
    tour.page.locator(".buy input[name=quantity]").fill(str(quantity))
    tour.page.locator(".buy [type=submit]").click()
    tour.page.locator(".drawer__foot").wait_for()


def see_cart_and_checkout(tour: Tour) -> None:
    page = tour.page
    page.guard.expect(422)
    put_in_cart(tour, "works", 999)
    tour.visit("/cart/")
    tour.visit("/checkout/")
    page.locator("#checkout-pay [type=submit]").click()
    page.locator(".error-summary").wait_for()
    for field in ("name", "street", "city"):
        page.locator(f"#id_{field}").fill(UNBROKEN)
    page.locator("#id_email").fill(EMAIL)
    tour.see("checkout with errors")
    # Fields are checked when they are left; without its cookie such a question would be refused.
    page.wait_for_load_state("networkidle")
    page.context.clear_cookies()
    tour.visit("/cart/")


def see_code(tour: Tour) -> None:
    page = tour.page
    tour.go("/accounts/signup/")
    page.locator("#id_email").fill(f"{tour.prefix[1:]}{EMAIL}")
    page.locator("#id_password1").fill(SENTENCE)
    page.locator("main [type=submit]").first.click()
    page.wait_for_url("**/confirm-email/")
    tour.see("code")


def see_order_and_payment(tour: Tour, names: LongNames, shop: Simulator) -> None:
    page = tour.page
    language = tour.prefix.strip("/") or "en"
    page.guard.expect(404, 402)
    dear = place_long_order(names.bowl, delivery_code="for-123456789", language=language)
    tour.go(order_url(dear.number, language=language))
    tour.see("dear order")
    order = place_long_order(names.works, delivery_code="for-4", language=language)
    tour.go(order_url(order.number, language=language))
    page.locator(".order__actions [type=submit]").first.click()
    page.wait_for_url(f"{shop.url}/pay/**")
    provider = page.url
    tour.see("provider")
    answer(page, "decline")
    tour.see("provider after a refusal")
    answer(page, "challenge")
    tour.see("provider asks who it is")
    page.locator("button[value=approve]").click()
    page.wait_for_url("**/orders/**")
    tour.see("paid order")
    order.refresh_from_db()
    fulfilment.ship(
        order.seller_orders.get(), carrier=WORD, tracking_number=f"{WORD}{WORD[:20]}", by=None
    )
    page.reload()
    tour.see("order on its way")
    tour.visit(provider)
    tour.visit(f"{shop.url}/pay/nothing")
    assert Order.objects.count() == 2


def answer(page: Page, choice: str) -> None:
    page.locator(f"input[value={choice}]").check()
    with page.expect_navigation():
        page.locator(".card [type=submit]").first.click()
