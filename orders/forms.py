"""The checkout form: seven fields for a guest, shaped by the country they ship to."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.addressing import (
    check_postcode,
    get_rules,
    list_country_choices,
    match_region,
    tidy_postcode,
)
from cart.pricing.quote import DeliveryOffer
from orders.services.placement import Address
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


class CheckoutForm(forms.Form):
    """Contact, address, delivery. Built for one country; its fields follow that country's rules."""

    use_required_attribute = False

    email = forms.EmailField(
        label=_("Email"),
        max_length=254,
        help_text=_("For your receipt and news of your parcel, nothing else."),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
        error_messages={
            "required": _("Enter your email, so that we can send you the receipt."),
            "invalid": _("Enter an email like name@example.com."),
        },
    )
    country = forms.ChoiceField(
        label=_("Country"),
        widget=forms.Select(attrs={"autocomplete": "shipping country"}),
        error_messages={"invalid_choice": _("Choose a country from the list.")},
    )
    name = forms.CharField(
        label=_("Full name"),
        max_length=120,
        widget=forms.TextInput(attrs={"autocomplete": "shipping name"}),
        error_messages={"required": _("Enter the name for the parcel.")},
    )
    street = forms.CharField(
        label=_("Street and house number"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "shipping street-address"}),
        error_messages={"required": _("Enter the street and house number.")},
    )
    postcode = forms.CharField(
        label=_("Postcode"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "shipping postal-code"}),
    )
    city = forms.CharField(
        label=_("City"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "shipping address-level2"}),
        error_messages={"required": _("Enter the city or town.")},
    )
    phone = forms.CharField(
        label=_("Phone"),
        max_length=40,
        required=False,
        help_text=_("Only for the driver, if the parcel cannot be delivered."),
        widget=forms.TextInput(
            attrs={"autocomplete": "shipping tel", "inputmode": "tel", "type": "tel"}
        ),
    )
    shipping_method = forms.ChoiceField(
        label=_("Delivery"),
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose how it should be delivered."),
            "invalid_choice": _("This delivery is not offered for your address. Choose another."),
        },
    )
    submit_key = forms.UUIDField(widget=forms.HiddenInput)
    seen_total = forms.DecimalField(
        widget=forms.HiddenInput, max_digits=14, decimal_places=4, localize=False
    )
    seen_lines = forms.CharField(widget=forms.HiddenInput, max_length=64)

    def __init__(
        self,
        *args: Any,
        country: str,
        countries: list[str],
        offers: list[DeliveryOffer],
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.rules = get_rules(country)
        self._choice("country").choices = list_country_choices(countries)
        self._choice("shipping_method").choices = [
            (offer.code, _offer_label(offer)) for offer in offers
        ]
        self._shape_postcode()
        self._shape_region()
        for name, field in self.fields.items():
            if field.required:
                field.widget.attrs["aria-required"] = "true"
            if self.is_bound and name in self.errors:
                field.widget.attrs["aria-invalid"] = "true"

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

    def clean_phone(self) -> str:
        phone: str = self.cleaned_data["phone"]
        digits = sum(character.isdigit() for character in phone)
        if phone and not 5 <= digits <= 20:
            raise forms.ValidationError(_("Enter a phone number such as +49 30 1234567."))
        return phone

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

    def _shape_postcode(self) -> None:
        if not self.rules.has_postcode:
            del self.fields["postcode"]
            return
        field = self.fields["postcode"]
        field.required = self.rules.needs_postcode
        field.error_messages["required"] = _("Enter the postcode.")
        field.label = POSTCODE_WORDS.get(self.rules.postcode_word, _("Postcode"))
        if self.rules.is_postcode_numeric:
            field.widget.attrs["inputmode"] = "numeric"

    def _shape_region(self) -> None:
        if not self.rules.has_region:
            return
        label = REGION_WORDS.get(self.rules.region_word, _("Region"))
        attrs = {"autocomplete": "shipping address-level1"}
        field: forms.CharField = forms.CharField(label=label, max_length=100)
        if self.rules.regions:
            field.widget = forms.Select(
                attrs=attrs, choices=[("", _("Please choose")), *self.rules.regions]
            )
        else:
            field.widget = forms.TextInput(attrs=attrs)
        field.required = self.rules.needs_region
        field.error_messages["required"] = _("Choose one from the list.")
        self.fields["region"] = field
        self.order_fields(
            ["email", "country", "name", "street", "postcode", "city", "region", "phone"]
        )


def _offer_label(offer: DeliveryOffer) -> str:
    price = format_money(offer.price) if offer.price else _("free")
    if offer.days_min == offer.days_max:
        days = ngettext("%(days)d working day", "%(days)d working days", offer.days_max) % {
            "days": offer.days_max
        }
    else:
        days = _("%(from)d to %(to)d working days") % {"from": offer.days_min, "to": offer.days_max}
    return f"{offer.label}, {days}: {price}"
