"""The checkout form: seven fields for a guest, shaped by the country they ship to."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.address_form import ADDRESS, UNTOUCHED, AddressForm
from accounts.addressing import get_rules
from cart.pricing.quote import DeliveryOffer
from orders import typos
from orders.typos import Doubt
from payments.methods import STRIPE, list_methods
from shop.formatting import format_money
from shop.money import Money

CONTACT_AND_ADDRESS = ("email", *ADDRESS)


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


class CheckoutForm(AddressForm):
    """Contact, address, delivery. Built for one country; its fields follow that country's rules.

    What was typed is mended first, where that is safe. `doubts` are questions by field, known once
    the form was validated; `questions` are those among them that nobody has been asked yet, which
    their tokens in `asked` tell. `billing` are the addresses of the address book that a bill may go
    to, `may_keep` says that the shopper has one.
    """

    section = "shipping"
    field_order = CONTACT_AND_ADDRESS
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
    keep_address = forms.BooleanField(label=_("Keep this in my address book"), required=False)
    billing = forms.ChoiceField(
        label=_("Billing address"),
        required=False,
        error_messages={
            "invalid_choice": _(
                "This address is not in your address book any more. Choose another."
            )
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
        billing: Collection[tuple[str, str]] = (),
        may_keep: bool = False,
        **kwargs: Any,
    ) -> None:
        self.doubts: dict[str, Doubt] = {}
        self.asked = set(asked)
        mended = None if data is None else typos.mend(data, get_rules(country))
        super().__init__(mended, country=country, countries=countries, **kwargs)
        self._choice("shipping_method").choices = [
            (offer.code, _describe(offer)) for offer in offers
        ]
        self._shape_payment()
        if not may_keep:
            del self.fields["keep_address"]
        if billing:
            self._choice("billing").choices = [("", _("The same as for delivery")), *billing]
        else:
            del self.fields["billing"]
        if mended is not None:
            email = mended.get("email", "")
            self.fields["email"].error_messages["invalid"] = typos.explain_email(email)

    @property
    def questions(self) -> list[Doubt]:
        """The doubts that stand in the way: each is asked about once."""
        return [doubt for doubt in self.doubts.values() if doubt.token not in self.asked]

    def take_as_it_stands(self) -> None:
        """Ask nothing about an address that was said to be right when it was ordered to or kept."""
        self.full_clean()
        self.asked |= {doubt.token for doubt in self.doubts.values()}

    def suggest(self, name: str) -> str:
        """Return what a field probably was to be, or an empty text."""
        return typos.suggest_email(str(self.data.get("email", ""))) if name == "email" else ""

    def clean(self) -> None:
        doubts = typos.find_doubts(self.cleaned_data, self.rules)
        self.doubts = {doubt.field: doubt for doubt in doubts}

    def clean_seen_total(self) -> Money:
        return Money(self.cleaned_data["seen_total"], settings.SHOP_CURRENCY)

    def clean_payment_method(self) -> str:
        """Take the first way to pay for somebody who chose none."""
        chosen: str = self.cleaned_data["payment_method"]
        return chosen or str(self.fields["payment_method"].initial)

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
