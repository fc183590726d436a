"""The checkout form: seven fields for a guest, shaped by the country they ship to."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.addressing import (
    check_postcode,
    get_rules,
    list_country_choices,
    match_region,
    part_place,
    tidy_postcode,
)
from cart.pricing.quote import DeliveryOffer
from orders import typos
from orders.services.placement import Address
from orders.typos import Doubt
from payments.methods import STRIPE, list_methods
from shop.formatting import format_money
from shop.money import Money

POSTCODE_WORDS = {
    "zip": _("ZIP code"),
    "eircode": _("Eircode"),
    "pin": _("PIN code"),
    "postal": _("Postcode"),
}
REGION_WORDS = {
    "state": _("State"),
    "province": _("Province"),
    "county": _("County"),
    "prefecture": _("Prefecture"),
    "emirate": _("Emirate"),
    "island": _("Island"),
}


CONTACT_AND_ADDRESS = (
    *("email", "country", "name", "street", "postcode", "city", "region", "phone"),
)
UNTOUCHED = {"autocapitalize": "off", "spellcheck": "false"}
"""Nothing that a telephone means well with may change these."""


@dataclass(frozen=True, slots=True)
class OfferChoice:
    """A way of delivery as its row shows it."""

    label: str
    promise: str
    description: str
    price: str

    def __str__(self) -> str:
        return f"{self.label}, {self.promise}: {self.price}"


class CheckoutField(forms.BoundField):
    """A field of the page, which may have a question beside its errors."""

    form: CheckoutForm

    @property
    def aria_describedby(self) -> str | None:
        """Name hint and message, though there may be none yet: one comes when the field is left."""
        hint = f"{self.auto_id}_helptext " if self.help_text else ""
        return f"{hint}{self.auto_id}_error"

    @property
    def doubt(self) -> Doubt | None:
        return self.form.doubts.get(self.name)

    @property
    def suggestion(self) -> str:
        """What was probably meant by a value that is wrong or doubtful, or an empty text."""
        if self.doubt:
            return self.doubt.suggestion
        return self.form.suggest(self.name) if self.errors else ""


class TidyField(forms.CharField):
    """A text without what nobody sees: characters without a shape, needless space."""

    def to_python(self, value: Any) -> str:
        return typos.tidy(super().to_python(value) or "")


class CheckoutForm(forms.Form):
    """Contact, address, delivery. Built for one country; its fields follow that country's rules.

    What was typed is mended first, where that is safe. `doubts` are questions by field, known once
    the form was validated; `questions` are those among them that nobody has been asked yet, which
    their tokens in `asked` tell.
    """

    use_required_attribute = False
    bound_field_class = CheckoutField

    email = forms.EmailField(
        label=_("Email"),
        max_length=254,
        help_text=_("For your receipt and news of your parcel, nothing else."),
        widget=forms.EmailInput(
            attrs={
                "autocomplete": "email", "inputmode": "email", "enterkeyhint": "next", **UNTOUCHED
            }
        ),
        error_messages={"required": _("Enter your email, so that we can send you the receipt.")},
    )  # fmt: skip
    country = forms.ChoiceField(
        label=_("Country"),
        widget=forms.Select(attrs={"autocomplete": "shipping country"}),
        error_messages={"invalid_choice": _("Choose a country from the list.")},
    )
    name = TidyField(
        label=_("Full name"),
        max_length=120,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "shipping name", "autocapitalize": "words", "spellcheck": "false",
                "enterkeyhint": "next",
            }
        ),
        error_messages={"required": _("Enter the name for the parcel.")},
    )  # fmt: skip
    street = TidyField(
        label=_("Street and house number"),
        max_length=200,
        widget=forms.TextInput(
            attrs={"autocomplete": "shipping street-address", "enterkeyhint": "next"}
        ),
        error_messages={"required": _("Enter the street and house number.")},
    )
    postcode = TidyField(
        label=_("Postcode"),
        max_length=20,
        required=False,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "shipping postal-code", "enterkeyhint": "next", **UNTOUCHED,
                "autocapitalize": "characters",
            }
        ),
    )  # fmt: skip
    city = TidyField(
        label=_("City"),
        max_length=100,
        widget=forms.TextInput(
            attrs={"autocomplete": "shipping address-level2", "enterkeyhint": "next"}
        ),
        error_messages={"required": _("Enter the city or town.")},
    )
    phone = TidyField(
        label=_("Phone"),
        max_length=40,
        required=False,
        help_text=_("Only for the driver, if the parcel cannot be delivered."),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "shipping tel", "inputmode": "tel", "type": "tel",
                "enterkeyhint": "go",
            }
        ),
    )  # fmt: skip
    shipping_method = forms.ChoiceField(
        label=_("Delivery"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose how it should be delivered."),
            "invalid_choice": _("This delivery is not offered for your address. Choose another."),
        },
    )
    payment_method = forms.ChoiceField(
        label=_("How you pay"),
        required=False,
        widget=forms.RadioSelect,
        error_messages={
            "invalid_choice": _("This way to pay is not offered any more. Choose another.")
        },
    )
    submit_key = forms.UUIDField(widget=forms.HiddenInput)
    seen_total = forms.DecimalField(
        widget=forms.HiddenInput, max_digits=14, decimal_places=4, localize=False
    )
    seen_lines = forms.CharField(widget=forms.HiddenInput, max_length=64)
    began = forms.CharField(widget=forms.HiddenInput, required=False, max_length=200)
    homepage = forms.CharField(
        label=_("Leave this field empty"),
        required=False,
        widget=forms.TextInput(attrs={"tabindex": "-1", "autocomplete": "off"}),
    )

    def __init__(
        self,
        data: Mapping[str, str] | None = None,
        *,
        country: str,
        countries: list[str],
        offers: list[DeliveryOffer],
        asked: Collection[str] = (),
        **kwargs: Any,
    ) -> None:
        self.rules = get_rules(country)
        self.doubts: dict[str, Doubt] = {}
        self.asked = set(asked)
        mended = None if data is None else typos.mend(data, self.rules)
        super().__init__(mended, **kwargs)
        self._choice("country").choices = list_country_choices(countries)
        self._choice("shipping_method").choices = [
            (offer.code, _describe(offer)) for offer in offers
        ]
        self._shape_payment()
        self._shape_postcode()
        self._shape_region()
        if mended is not None:
            email = mended.get("email", "")
            self.fields["email"].error_messages["invalid"] = typos.explain_email(email)
        for field in self.fields.values():
            if field.required:
                field.widget.attrs["aria-required"] = "true"

    @property
    def questions(self) -> list[Doubt]:
        """The doubts that stand in the way: each is asked about once."""
        return [doubt for doubt in self.doubts.values() if doubt.token not in self.asked]

    @property
    def contact_and_address(self) -> list[forms.BoundField]:
        return [self[name] for name in CONTACT_AND_ADDRESS if name in self.fields]

    def suggest(self, name: str) -> str:
        """Return what a field probably was to be, or an empty text."""
        return typos.suggest_email(str(self.data.get("email", ""))) if name == "email" else ""

    def clean(self) -> None:
        doubts = typos.find_doubts(self.cleaned_data, self.rules)
        self.doubts = {doubt.field: doubt for doubt in doubts}

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if re.search(r"\S@\S", name):
            raise forms.ValidationError(
                _("This looks like an email. Enter the name of whoever gets the parcel.")
            )
        if not any(map(str.isalpha, name)):
            raise forms.ValidationError(_("Enter a name with letters in it."))
        return name

    def clean_street(self) -> str:
        street: str = self.cleaned_data["street"]
        if not any(map(str.isalpha, street)):
            raise forms.ValidationError(_("Enter the street, too, not only the number."))
        return street

    def clean_city(self) -> str:
        city: str = self.cleaned_data["city"]
        if not any(map(str.isalpha, city)):
            raise forms.ValidationError(_("Enter the name of the city or town."))
        if self.rules.has_postcode and part_place(city, self.rules)[0]:
            raise forms.ValidationError(
                _("Enter the city alone: another postcode than the one above stands in it.")
            )
        return city

    def clean_seen_total(self) -> Money:
        return Money(self.cleaned_data["seen_total"], settings.SHOP_CURRENCY)

    def clean_postcode(self) -> str:
        postcode = tidy_postcode(self.cleaned_data["postcode"], self.rules)
        if problem := check_postcode(postcode, self.rules):
            raise forms.ValidationError(problem)
        return postcode

    def clean_region(self) -> str:
        region = match_region(self.cleaned_data["region"], self.rules)
        if self.rules.needs_region and not region:
            raise forms.ValidationError(_("Choose one from the list."))
        return region

    def clean_payment_method(self) -> str:
        """Take the first way to pay for somebody who chose none."""
        chosen: str = self.cleaned_data["payment_method"]
        return chosen or str(self.fields["payment_method"].initial)

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        number = re.sub(r"^[^\W\d_]+[.:\s]+(?=[+(\d])", "", phone)
        digits = sum(character.isdigit() for character in number)
        if phone and (not 5 <= digits <= 20 or any(map(str.isalpha, number))):
            raise forms.ValidationError(_("Enter a phone number such as +49 30 1234567."))
        return number

    def to_address(self) -> Address:
        """Return the checked address."""
        cleaned = self.cleaned_data
        return Address(
            name=cleaned["name"],
            street=cleaned["street"],
            postcode=cleaned.get("postcode", ""),
            city=cleaned["city"],
            region=cleaned.get("region", ""),
            country=cleaned["country"],
            phone=cleaned["phone"],
        )

    def _choice(self, name: str) -> forms.ChoiceField:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        return field

    def _shape_payment(self) -> None:
        """Offer the ways to pay, the first of them chosen; one alone is no choice."""
        methods = list_methods()
        if len(methods) < 2:
            del self.fields["payment_method"]
            return
        field = self._choice("payment_method")
        field.choices = [(method.code, method) for method in methods]
        field.initial = methods[0].code
        if self.initial.get("payment_method") not in {method.code for method in methods}:
            self.initial.pop("payment_method", None)

    @property
    def provider(self) -> str:
        """Return how the shopper pays, once the form is valid."""
        if "payment_method" in self.fields:
            return str(self.cleaned_data["payment_method"])
        return next((method.code for method in list_methods()), STRIPE)

    def _shape_postcode(self) -> None:
        if not self.rules.has_postcode:
            del self.fields["postcode"]
            return
        field = self.fields["postcode"]
        field.required = self.rules.needs_postcode
        field.error_messages["required"] = _("Enter the postcode.")
        field.label = POSTCODE_WORDS.get(self.rules.postcode_word, _("Postcode"))
        if self.rules.is_postcode_numeric:
            field.widget.attrs |= {"inputmode": "numeric", "autocapitalize": "off"}

    def _shape_region(self) -> None:
        if not self.rules.has_region:
            return
        label = REGION_WORDS.get(self.rules.region_word, _("Region"))
        attrs = {"autocomplete": "shipping address-level1"}
        field = TidyField(label=label, max_length=100)
        if self.rules.regions:
            field.widget = forms.Select(
                attrs=attrs, choices=[("", _("Please choose")), *self.rules.regions]
            )
        else:
            field.widget = forms.TextInput(attrs=attrs)
        field.required = self.rules.needs_region
        field.error_messages["required"] = _("Choose one from the list.")
        self.fields["region"] = field
        self.order_fields(CONTACT_AND_ADDRESS)


def _describe(offer: DeliveryOffer) -> OfferChoice:
    if offer.days_min == offer.days_max:
        promise = ngettext("%(days)d working day", "%(days)d working days", offer.days_max) % {
            "days": offer.days_max
        }
    else:
        promise = _("%(from)d to %(to)d working days") % {
            "from": offer.days_min, "to": offer.days_max
        }  # fmt: skip
    return OfferChoice(
        label=offer.label,
        promise=str(promise),
        description=offer.description,
        price=format_money(offer.price) if offer.price else gettext("free"),
    )
