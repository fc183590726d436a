"""What the style guide shows: the tokens as the style sheet has them, and a sample of everything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from django import forms
from django.conf import settings
from django.templatetags.static import static
from django.utils.translation import gettext_lazy as _

from shop import clock
from shop.formatting import format_money
from shop.money import Money

TOKENS_FILE = Path(settings.BASE_DIR) / "static" / "css" / "tokens.css"
DARK = "@media screen and (prefers-color-scheme: dark)"
DECLARATION = re.compile(r"--([a-z0-9-]+): ([^;]+);")
COLOUR = re.compile(r"#[0-9a-f]{6}|rgb\(")
ICONS = (
    *("cart", "search", "menu", "close", "chevron", "arrow", "check", "truck", "user"),
    *("minus", "plus", "star", "alert", "filter", "lock", "return", "heart", "stars"),
)


@dataclass(frozen=True, slots=True)
class Token:
    """A custom property; `dark` is empty where both grounds share a value."""

    name: str
    value: str
    dark: str = ""


@cache
def read_tokens() -> tuple[Token, ...]:
    """Read the tokens from the style sheet, in its order."""
    light_text, _media, rest = TOKENS_FILE.read_text("utf-8").partition(DARK)
    dark = dict(DECLARATION.findall(rest.partition("@media")[0]))
    return tuple(
        Token(name=name, value=" ".join(value.split()), dark=dark.get(name, ""))
        for name, value in DECLARATION.findall(light_text)
    )


def list_colours() -> list[Token]:
    return [token for token in read_tokens() if COLOUR.match(token.value)]


def list_steps(family: str) -> list[Token]:
    """List the steps of a scale: those whose name starts with `text-` or `space-`, say."""
    return [token for token in read_tokens() if token.name.startswith(family)]


@dataclass(frozen=True, slots=True)
class _Offer:
    label: Any
    promise: Any
    description: Any
    price: str

    def __str__(self) -> str:
        return str(self.label)


class SampleForm(forms.Form):
    """A field of each kind that the shop asks for."""

    email = forms.EmailField(
        label=_("Email"),
        help_text=_("We send the receipt there."),
        widget=forms.EmailInput(attrs={"autocomplete": "off"}),
    )
    company = forms.CharField(label=_("Company"), required=False)
    country = forms.ChoiceField(
        label=_("Country"), choices=[("DE", _("Germany")), ("NO", _("Norway"))]
    )
    news = forms.BooleanField(label=_("Tell me when it is back"), required=False)
    delivery = forms.ChoiceField(
        label=_("Delivery"),
        choices=[("standard", _("Standard")), ("express", _("Express"))],
        widget=forms.RadioSelect,
        initial="standard",
    )
    parcel = forms.ChoiceField(
        label=_("Delivery"),
        choices=[
            ("standard", _Offer(_("Standard"), _("2 to 4 days"), "", "€4.90")),
            ("express", _Offer(_("Express"), _("1 day"), _("Leaves first"), "€12.90")),
        ],
        widget=forms.RadioSelect,
        initial="standard",
        required=False,
    )
    stars = forms.ChoiceField(
        label=_("How do you like it?"),
        choices=[(str(stars), f"{stars} / 5") for stars in range(1, 6)],
        widget=forms.RadioSelect,
    )


def list_samples() -> dict[str, Any]:
    """Return one object per state and component, shaped like what the pages pass to them."""
    return {
        **_texts(),
        **_products(),
        **_listing(),
        **_purchase(),
        **_opinions(),
        "form": SampleForm(prefix="calm"),
        "asking_form": _ask(),
        "wrong_form": SampleForm({"wrong-email": "ada", "wrong-country": "DE"}, prefix="wrong"),
    }


def _ask() -> SampleForm:
    """Return a form with nothing wrong in it, but a question beside its first field."""
    typed = {"email": "ada@gmial.com", "country": "DE", "delivery": "standard", "stars": "4"}
    form: Any = SampleForm({f"ask-{name}": text for name, text in typed.items()}, prefix="ask")
    question = _("Did you mean %(email)s?") % {"email": "ada@gmail.com"}
    form.questions = [_of(field="ask-email", question=question)]
    form["email"].doubt = _of(question=question, token="")
    form["email"].suggestion = "ada@gmail.com"
    asking: SampleForm = form
    return asking


class Sample(SimpleNamespace):
    """Stands for what a view would give; hashable, since components remember what they drew."""

    def __hash__(self) -> int:  # type: ignore[override]  # It is None there.
        return hash(tuple(vars(self)))


def _of(**values: Any) -> Sample:
    return Sample(**values)


def _euros(amount: str) -> Money:
    return Money(Decimal(amount), "EUR")


def _picture() -> Sample:
    srcset = ", ".join(
        f"{static(f'images/hero-{width}.webp')} {width}w" for width in (640, 1000, 1400, 2000)
    )
    return _of(
        alt=_("An oak table in morning light"),
        width=2000,
        height=900,
        sources=(("image/webp", srcset),),
        src=static("images/hero-640.jpg"),
        largest=static("images/hero-2000.webp"),
    )


def _texts() -> Mapping[str, Any]:
    return {
        "crumbs": [_of(label="Living", url="#"), _of(label="Lamps", url="#")],
        "facts": [
            _of(label=_("Material"), value="Stoneware"),
            _of(label=_("Height"), value="9 cm"),
        ],
        "looking": _of(person="ada@example.com", until=clock.now()),
        "notices": [
            _Notice("info", _("Something to know.")),
            _Notice("success", _("Something went well.")),
            _Notice("error", _("Something went wrong.")),
        ],
        "other_languages": [
            _of(code="en", name="English", path="#", is_current=True),
            _of(code="de", name="Deutsch", path="#", is_current=False),
        ],
        "pages": [(_("Delivery"), "#/pages/delivery/"), (_("Returns"), "#/pages/returns/")],
    }


@dataclass(frozen=True, slots=True)
class _Notice:
    level_tag: str
    text: Any

    def __str__(self) -> str:
        return str(self.text)


def _products() -> Mapping[str, Any]:
    picture = _picture()
    dots = (_of(label="Sand", colour="#d8c6ab"), _of(label="Moss", colour="#5b6a4c"))

    def card(**changes: Any) -> Sample:
        plain: dict[str, Any] = {
            "url": "#", "title": "Dune mug", "seller_name": "Havre", "badge": "",
            "price_from": _euros("24.00"), "price_varies": False, "compare_at": None,
            "picture": picture, "in_stock": True, "swatches": (),
        }  # fmt: skip
        return _of(**plain | changes)

    def variant(number: int, **changes: Any) -> Sample:
        plain = {"id": number, "in_stock": True, "stock_words": _("In stock"), "max_quantity": 9}
        return _of(**plain | changes)

    return {
        "picture": picture,
        "pictures": [picture, picture],
        "cards": [
            card(),
            card(price_varies=True, swatches=dots, rating=Decimal("4.5"), rating_count=12),
            card(badge=_("Sale"), price_from=_euros("19.00"), compare_at=_euros("24.00")),
            card(in_stock=False),
        ],
        "long_card": card(title="Pilar table lamp with a shade of unbleached linen " * 2),
        "category": _of(url="#", name="Lamps", picture=picture),
        "maker": _of(
            url="#",
            name="Havre",
            place="Bornholm",
            tagline=_("Pots for every day."),
            picture=picture,
            handling_days=2,
        ),
        "price": _euros("24.00"),
        "low_price": _euros("19.00"),
        "lowest_words": _("Lowest price of the 30 days before the reduction: %(price)s")
        % {"price": format_money(_euros("22.00"))},
        "high_price": _euros("123456789.00"),
        "variant": variant(1),
        "last_variant": variant(2, stock_words=_("Only 1 left"), max_quantity=1),
        "gone_variant": variant(3, in_stock=False, stock_words=_("Sold out"), max_quantity=0),
        "swatch_axis": _axis(_("Glaze"), Sand="#d8c6ab", Moss="#5b6a4c", Ink="#2f3a45"),
        "size_axis": _axis(_("Size"), S="", M="", L=""),
        "long_axis": _axis(_("Number"), is_long=True, **{f"No. {n}": "" for n in range(1, 33)}),
    }


def _axis(name: object, *, is_long: bool = False, **swatches: str) -> Sample:
    """An option whose second value is not made, and whose third is sold out."""
    values = tuple(
        _of(
            id=f"{name}-{place}", label=label, swatch=swatch, url="#", sku=label,
            selected=place == 0, available=place != 2, missing=_("Large") if place == 1 else "",
        )
        for place, (label, swatch) in enumerate(swatches.items())
    )  # fmt: skip
    return _of(name=name, url="#", is_long=is_long, values=values)


def _listing() -> Mapping[str, Any]:
    def option(label: str, count: int, *, selected: bool = False, swatch: str = "") -> Any:
        value = label.lower()
        return _of(label=label, value=value, url="#", count=count, selected=selected, swatch=swatch)

    numbers = [
        _of(number=number, url="" if number in (None, 2) else "#", current=number == 2)
        for number in (1, 2, 3, None, 9)
    ]
    return {
        "facets": [
            _of(code="material", label=_("Material"), kind="text", options=(
                option("Stoneware", 12, selected=True), option("Oak", 7))),
            _of(code="colour", label=_("Colour"), kind="swatch", options=(
                option("Moss", 4, selected=True, swatch="#5b6a4c"),
                option("Sand", 9, swatch="#d8c6ab"))),
        ],
        "chips": [_of(label="Stoneware", remove_url="#"), _of(label="Moss", remove_url="#")],
        "suggestions": _of(
            query="mu", url="#", total=14, places=[_of(label="Mugs", url="#")], cards=[
                _of(title="Dune mug", url="#", picture=_picture(), price_from=_euros("24.00"),
                    price_varies=True),
                _of(title="Mug of unglazed stoneware", url="#", picture=_picture(),
                    price_from=_euros("19.00"), price_varies=False)]),
        "sorts": [
            _of(value="newest", label=_("Newest first"), url="#", selected=True),
            _of(value="price", label=_("Lowest price first"), url="#", selected=False),
        ],
        "pagination": _of(
            page=2, pages=9, previous_url="#", next_url="#", more_url="#", numbers=numbers
        ),
    }  # fmt: skip


def _purchase() -> Mapping[str, Any]:
    now = clock.now()
    line = {
        "item_id": 4, "title": "Dune mug", "url": "#", "options_label": "Moss", "sku": "MUG-MOSS",
        "picture": _picture(), "quantity": 2, "max_quantity": 9, "unit_price": _euros("24.00"),
        "total": _euros("48.00"), "notice": "",
    }  # fmt: skip
    parcel = {
        "carrier": "DHL", "tracking_number": "JD14", "tracking_url": "", "lines": [],
        "shipped_at": now - timedelta(days=2), "delivered_at": None,
    }  # fmt: skip
    return {
        "line": _of(**line),
        "short_line": _of(**line | {"item_id": 5, "notice": _("Only 1 piece is left.")}),
        "steps": [
            _of(label=_("Ordered"), state="done", at=now - timedelta(days=3)),
            _of(label=_("Sent"), state="current", at=now - timedelta(days=2)),
            _of(label=_("Arrived"), state="todo", at=None),
        ],
        "sent": _of(**parcel),
        "arrived": _of(**parcel | {"delivered_at": now}),
        "one_of_two": _of(**parcel | {"tracking_url": "#", "lines": [(2, "Dune mug")]}),
        "all_steps": [
            _of(label=label, state=state, at=now - timedelta(days=1))
            for label, state in (
                (_("Ordered"), "done"),
                (_("Sent"), "done"),
                (_("Arrived"), "current"),
            )
        ],
        "expectation": _of(
            leaves_by=now + timedelta(days=1),
            arrives_from=now + timedelta(days=2),
            arrives_by=now + timedelta(days=5),
        ),
        "orders": [
            _of(
                number=number,
                url="#",
                stage=stage,
                stage_label=label,
                pieces=pieces,
                total=_euros("52.90"),
                placed_at=now,
                pictures=[_picture()] * min(pieces, 4),
                more=max(0, pieces - 4),
            )
            for number, stage, label, pieces in (
                ("7KQ2MXA9", "Processing", _("Processing"), 6),
                ("P5AWLYQQ", "Delivered", _("Delivered"), 1),
                ("S49KPMFT", "Cancelled", _("Cancelled"), 2),
            )
        ],
        "transfer": _of(
            number="7KQ2MXA9",
            total=_euros("52.90"),
            expires_at=now + timedelta(days=7),
            offline=_of(
                label=_("Bank transfer"),
                details=["Example Ltd", "IBAN DE89 3704 0044 0532 0130 00", "Example Bank"],
                is_on_pick_up=False,
            ),
        ),
        "refunds": [
            _of(amount=_euros("24.00"), pieces=["1 × Dune mug"], at=now, is_sent=True),
            _of(amount=_euros("4.90"), pieces=[], at=now, is_sent=False),
        ],
        "subtotal": _euros("48.00"),
        "shipping": _euros("4.90"),
        "total": _euros("52.90"),
        "tax_lines": [(_("VAT 19%"), _euros("8.45"))],
        "free": _euros("0"),
    }


def _opinions() -> Mapping[str, Any]:
    review = {
        "id": 8, "url": "#", "name": "Ada", "stars": 5, "title": _("The one I reach for"),
        "text": _("It holds exactly as much coffee as I need."), "is_cut": False,
        "is_verified": True, "written_at": clock.now(), "photos": (_picture(), _picture()),
        "answer": "", "helpful_count": 4,
    }  # fmt: skip
    answered = {
        "id": 7, "name": "Dana", "stars": 2, "title": "", "is_verified": False, "photos": (),
        "is_cut": True, "answer": _("Thank you, Dana."), "helpful_count": 0,
    }  # fmt: skip
    shares = ((5, 7, 58), (4, 3, 25), (3, 1, 8), (2, 1, 8), (1, 0, 0))
    return {
        "reviews": _of(
            rating=Decimal("4.33"),
            rating_words="4.3",
            count=12,
            url="#",
            bars=[
                _of(stars=stars, count=count, percent=percent, url="#" if count else "",
                    is_chosen=stars == 4)
                for stars, count, percent in shares
            ],
            reviews=[_of(**review), _of(**review | answered)],
        ),
        "wishlists": [_of(id=2, name=_("For the new flat"))],
        "wishes": [
            _of(
                id=number, variant_id=number, title="Dune mug", options_label="Moss",
                seller_name="Havre", url=url, picture=_picture(),
                price=_euros("24.00") if url else None, in_stock=bool(in_stock),
                can_be_bought=bool(url and in_stock),
            )
            for number, (url, in_stock) in enumerate((("#", True), ("#", False), ("", False)), 1)
        ],
        "own_review": _("This is your own review: others say whether it is helpful."),
    }  # fmt: skip
