"""The form of a postal address, shaped by the country it is in; the checkout builds upon it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.addressing import (
    PostalAddress,
    check_postcode,
    get_rules,
    list_country_choices,
    match_region,
    mend_place,
    part_place,
    tidy,
    tidy_postcode,
)

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
ADDRESS = ("country", "name", "street", "postcode", "city", "region", "phone")
UNTOUCHED = {"autocapitalize": "off", "spellcheck": "false"}
"""Nothing that a telephone means well with may change these."""


class TidyField(forms.CharField):
    """A text without what nobody sees: characters without a shape, needless space."""

    def to_python(self, value: Any) -> str:
        return tidy(super().to_python(value) or "")


class AddressForm(forms.Form):
    """An address in one country, whose rules its fields follow.

    Postcode and city that were typed into one field are parted first. `section` stands before the
    fields' autocomplete tokens, such as "shipping".
    """

    use_required_attribute = False
    section = ""

    country = forms.ChoiceField(
        label=_("Country"),
        widget=forms.Select(attrs={"autocomplete": "country"}),
        error_messages={"invalid_choice": _("Choose a country from the list.")},
    )
    name = TidyField(
        label=_("Full name"),
        max_length=120,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "name", "autocapitalize": "words", "spellcheck": "false",
                "enterkeyhint": "next",
            }
        ),
        error_messages={"required": _("Enter the name for the parcel.")},
    )  # fmt: skip
    street = TidyField(
        label=_("Street and house number"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "street-address", "enterkeyhint": "next"}),
        error_messages={"required": _("Enter the street and house number.")},
    )
    postcode = TidyField(
        label=_("Postcode"),
        max_length=20,
        required=False,
        widget=forms.TextInput(
            attrs={
                "autocomplete": "postal-code", "enterkeyhint": "next", **UNTOUCHED,
                "autocapitalize": "characters",
            }
        ),
    )  # fmt: skip
    city = TidyField(
        label=_("City"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "address-level2", "enterkeyhint": "next"}),
        error_messages={"required": _("Enter the city or town.")},
    )
    phone = TidyField(
        label=_("Phone"),
        max_length=40,
        required=False,
        help_text=_("Only for the driver, if the parcel cannot be delivered."),
        widget=forms.TextInput(
            attrs={
                "autocomplete": "tel", "inputmode": "tel", "type": "tel",
                "enterkeyhint": "go",
            }
        ),
    )  # fmt: skip

    def __init__(
        self,
        data: Mapping[str, str] | None = None,
        *,
        country: str,
        countries: Iterable[str],
        **kwargs: Any,
    ) -> None:
        self.rules = get_rules(country)
        super().__init__(None if data is None else self._mend(data), **kwargs)
        self._choice("country").choices = list_country_choices(countries)
        self._shape_postcode()
        self._shape_region()
        for name in ADDRESS:
            if self.section and name in self.fields:
                attrs = self.fields[name].widget.attrs
                attrs["autocomplete"] = f"{self.section} {attrs['autocomplete']}"
        for field in self.fields.values():
            if field.required:
                field.widget.attrs["aria-required"] = "true"

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
        number = re.sub(r"^[^\W\d_]+[.:\s]+(?=[+(\d])", "", phone)
        digits = sum(character.isdigit() for character in number)
        if phone and (not 5 <= digits <= 20 or any(map(str.isalpha, number))):
            raise forms.ValidationError(_("Enter a phone number such as +49 30 1234567."))
        return number

    def to_address(self) -> PostalAddress:
        """Return the checked address."""
        cleaned = self.cleaned_data
        return PostalAddress(
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

    def _mend(self, data: Mapping[str, str]) -> dict[str, str]:
        mended = dict(data)
        if self.rules.has_postcode and {"postcode", "city"} <= mended.keys():
            mended["postcode"], mended["city"] = mend_place(
                mended["postcode"], mended["city"], self.rules
            )
        return mended

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
        attrs = {"autocomplete": "address-level1"}
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
        self.order_fields(self.field_order or ADDRESS)
