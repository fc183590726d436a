"""English and German, by address alone: complete, exact, and the same bytes for everybody."""

from __future__ import annotations

import gettext
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.pofile import read_po
from django.conf import settings
from django.template import engines
from django.template.base import Node
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation

from accounts.addressing import list_country_choices
from orders.emails import render_order_mail
from orders.models import Order
from shop.formatting import format_money, format_tax
from shop.languages import list_language_links
from shop.money import Money
from shop.templatetags import dates
from tests.factories.catalog import BuyableProductFactory, CategoryFactory, VariantFactory
from tests.factories.orders import TYPED, make_delivery, place_order
from tests.forms import read_form

APPS = ("accounts", "cart", "catalog", "config", "orders", "payments", "shop")
GERMAN = settings.BASE_DIR / "locale/de/LC_MESSAGES/django.po"
KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_noop": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]")
IN_A_TEMPLATE = re.compile(r"""\b_\("([^"]+)"\)""")
RUN_THIS = "run `make messages` and translate what is new"


def read_catalog(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def list_messages() -> list[Message]:
    return [message for message in read_catalog(GERMAN) if message.id]


def forms_of(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def texts_of_code() -> set[tuple[str, str]]:
    """Collect context and singular of every text in our Python files."""
    found = set()
    for app in APPS:
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            with path.open("rb") as file:
                for _line, name, text, _comments in extract_python(file, list(KEYWORDS), [], {}):
                    parts = forms_of(text or "")  # Without one, the text was marked elsewhere.
                    if name.startswith("pgettext"):
                        found.add((parts[0], parts[1]))
                    elif parts[0]:
                        found.add(("", parts[0]))
    return found


def texts_of_templates() -> set[tuple[str, str]]:
    """Collect context and singular of every text in our templates."""
    found = set()
    folder = settings.BASE_DIR / "templates"
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        source = path.read_text("utf-8")
        found.update(("", text) for text in IN_A_TEMPLATE.findall(source))
        template = engines["django"].from_string(source).template
        nodes = [*nodes_of(template.nodelist, TranslateNode)]
        found.update(
            (context_of(node), node.filter_expression.var.literal or node.filter_expression.var.var)
            for node in nodes
        )
        for node in nodes_of(template.nodelist, BlockTranslateNode):
            singular = node.render_token_list(node.singular)[0]
            found.add((context_of(node), " ".join(singular.split()) if node.trimmed else singular))
    return found


def nodes_of(nodelist: Any, kind: type[Node]) -> list[Any]:
    return list(nodelist.get_nodes_by_type(kind))


def context_of(node: Any) -> str:
    return str(node.message_context.var) if node.message_context else ""


def test_every_text_of_the_shop_is_in_the_german_catalog() -> None:
    known = {(message.context or "", forms_of(message.id)[0]) for message in list_messages()}

    assert sorted((texts_of_code() | texts_of_templates()) - known) == [], RUN_THIS


def test_every_text_is_translated_and_none_is_a_guess() -> None:
    open_ends = [m.id for m in list_messages() if m.fuzzy or not all(forms_of(m.string))]

    assert open_ends == [], RUN_THIS


def test_translations_carry_the_same_placeholders() -> None:
    wrong = [
        (message.id, form)
        for message in list_messages()
        for form in forms_of(message.string)
        if sorted(PLACEHOLDER.findall(form))
        != sorted(PLACEHOLDER.findall(forms_of(message.id)[-1]))
    ]

    assert wrong == []


def test_shoppers_are_addressed_alike() -> None:
    formal = re.compile(r"(?<![.:!?] )(?<!^)\b(Sie|Ihnen|Ihre?[mnrs]?)\b")

    assert [m.string for m in list_messages() if formal.search(" ".join(forms_of(m.string)))] == []


def test_compiled_catalog_says_what_the_written_one_does() -> None:
    with GERMAN.with_suffix(".mo").open("rb") as file:
        compiled: dict[Any, str] = gettext.GNUTranslations(file)._catalog  # type: ignore[attr-defined]

    written: dict[Any, str] = {}
    for message in list_messages():
        key = "\x04".join(filter(None, [message.context, forms_of(message.id)[0]]))
        if isinstance(message.id, str):
            written[key] = str(message.string)
        else:
            written |= {(key, number): text for number, text in enumerate(message.string)}

    assert {key: text for key, text in compiled.items() if key} == written, RUN_THIS


def test_amounts_taxes_and_days_are_written_as_the_language_does() -> None:
    price, rate = Money(Decimal("1234.50"), "EUR"), Decimal("19.000")

    english = format_money(price), format_tax("VAT", rate), format_tax("GST", Decimal("5.5"))
    with translation.override("de"):
        german = format_money(price), format_tax("VAT", rate), format_tax("GST", Decimal("5.5"))
        none = dates.day(None)

    assert english == ("€1,234.50", "VAT 19%", "GST 5.5%")
    assert german == ("1.234,50\xa0€", "19\xa0% MwSt.", "5,5\xa0% GST")
    assert none == ""


@pytest.mark.parametrize(
    ("language", "path", "paths"),
    [
        ("en", "/", ["/", "/de/"]),
        ("de", "/de/", ["/", "/de/"]),
        ("en", "/products/dune-mug/", ["/products/dune-mug/", "/de/products/dune-mug/"]),
        ("de", "/de/products/de/", ["/products/de/", "/de/products/de/"]),
        ("en", "/mailbox/7/", []),
        ("en", "/admin/", []),
    ],
)
def test_other_languages_of_a_page_are_told_from_its_address(
    language: str, path: str, paths: list[str]
) -> None:
    with translation.override(language):
        links = list_language_links(path)

    assert [link.path for link in links] == paths
    assert [link.code for link in links if link.is_current] == ([language] if paths else [])


@pytest.fixture
def _a_shelf() -> None:
    BuyableProductFactory(
        slug="dune-mug", title="Dune mug", category=CategoryFactory(slug="cups", name="Cups")
    )


@pytest.mark.django_db
@pytest.mark.usefixtures("_a_shelf")
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("/de/", ["Neu im Shop", "24,00\xa0€", "Zum Inhalt springen"]),
        ("/de/categories/cups/", ["1 Produkt", "Sortierung:", "24,00\xa0€"]),
        ("/de/products/dune-mug/", ["In den Warenkorb", "Auf Lager", "24,00\xa0€"]),
        ("/de/search/?q=mug", ["Treffer für „mug“"]),
    ],
)
def test_german_pages_are_german_for_everybody(client, url: str, words: list[str]) -> None:
    page = client.get(url, headers={"accept-language": "en"})

    html = page.content.decode()
    assert [word for word in words if word not in html] == []
    assert '<html lang="de">' in html
    assert page.headers["Content-Language"] == "de"
    assert page.headers["Vary"] == "Accept-Encoding"
    assert not page.cookies


@pytest.mark.django_db
@pytest.mark.usefixtures("_a_shelf")
def test_page_links_to_itself_in_the_other_language(client) -> None:
    html = client.get("/search/?q=mug&page=1").content.decode()

    here, there = "/search/?q=mug&amp;page=1", "/de/search/?q=mug&amp;page=1"
    assert f'<a class="languages__link" href="{there}" hreflang="de" lang="de">Deutsch</a>' in html
    assert f'href="{here}" hreflang="en" lang="en" aria-current="true">English</a>' in html
    assert f'<link rel="alternate" hreflang="de" href="{settings.SHOP_URL}{there}">' in html
    assert f'<link rel="alternate" hreflang="x-default" href="{settings.SHOP_URL}{here}">' in html
    assert client.get("/de/search/?q=mug&page=1").status_code == 200


def test_links_to_other_languages_do_not_repeat_a_question_of_nine_thousand_letters() -> None:
    short = list_language_links("/search/", query="q=mug")
    endless = list_language_links("/search/", query="q=" + "a" * 9_000)

    assert {link.path for link in short} == {"/search/?q=mug", "/de/search/?q=mug"}
    assert {link.path for link in endless} == {"/search/", "/de/search/"}


@pytest.mark.django_db
def test_shop_of_one_language_offers_no_other(client, settings: Any) -> None:
    settings.LANGUAGES = [("en", "English")]

    html = client.get("/").content.decode()

    assert "hreflang" not in html


@pytest.mark.django_db
@pytest.mark.parametrize("url", ["/en/", "/fr/", "/de-at/", "/de/de/", "/de/admin/"])
def test_addresses_of_no_language_are_not_found(client, url: str) -> None:
    assert client.get(url).status_code == 404


@pytest.mark.django_db
def test_default_language_has_no_prefix_whatever_the_browser_prefers(client) -> None:
    page = client.get("/", headers={"accept-language": "de"})

    assert page.status_code == 200
    assert page.headers["Content-Language"] == "en"


@pytest.mark.django_db
def test_shop_whose_own_language_is_german_needs_no_prefix_for_it(client, settings: Any) -> None:
    settings.LANGUAGE_CODE = "de"

    german, english = client.get("/"), client.get("/en/")

    assert "Suche" in german.content.decode()
    assert "Search" in english.content.decode()
    assert client.get("/de/").status_code == 404


@pytest.mark.django_db
def test_checkout_tells_its_errors_in_german_and_orders_nothing(client) -> None:
    make_delivery()
    client.post("/de/cart/add/", {"variant": VariantFactory(stock=2).pk, "quantity": 1})
    checkout = client.get("/de/checkout/")
    wrong = TYPED | {"email": "ada", "postcode": "1", "name": "", "action": "place"}

    answer = client.post("/de/checkout/", read_form(checkout, "/de/checkout/") | wrong)

    html = answer.content.decode()
    assert "Zahlungspflichtig bestellen (28,90\xa0€)" in checkout.content.decode()
    assert "inkl. 19\xa0% MwSt." in checkout.content.decode()
    for error in (
        "Da stimmt etwas nicht",
        "Gib eine E-Mail-Adresse wie name@example.com ein.",
        "Gib den Namen für das Paket ein.",
        "Gib die Postleitzahl so ein, wie sie dort geschrieben wird (Deutschland)",
    ):
        assert error in html
    assert Order.objects.count() == 0


@pytest.mark.django_db
def test_mail_of_a_german_order_is_german_whoever_sends_it() -> None:
    order = place_order(VariantFactory(price=Decimal("24.00")))
    order.language = "de"

    with translation.override("en"):
        mail = render_order_mail(order, "confirmation")

    assert mail.subject == f"Deine Bestellung {order.number} – Emporium"
    assert "Danke für deine Bestellung" in mail.text
    assert "Gesamtsumme: 28,90\xa0€" in mail.text
    assert "inkl. 19\xa0% MwSt.: 4,61\xa0€" in mail.text
    assert f"{settings.SHOP_URL}/de/orders/{order.number}/?key=" in mail.text
    assert '<html lang="de" dir="ltr">' in mail.html


def test_countries_stand_in_the_order_of_their_german_names() -> None:
    with translation.override("de"):
        names = [name for _code, name in list_country_choices(["ZA", "AT", "CH", "DE", "PT"])]

    assert names == ["Deutschland", "Österreich", "Portugal", "Schweiz", "Südafrika"]
