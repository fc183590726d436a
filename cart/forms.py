from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

WHOLE_NUMBER = _("Enter how many as a whole number, such as 1 or 2.")


class AddForm(forms.Form):
    """Which variant, and how many of it."""

    variant = forms.IntegerField(
        min_value=1,
        max_value=2**63 - 1,
        error_messages={
            "required": _("Choose what to put in the cart."),
            "invalid": _("Choose what to put in the cart."),
            "min_value": _("Choose what to put in the cart."),
            "max_value": _("Choose what to put in the cart."),
        },
    )
    quantity = forms.IntegerField(
        min_value=1,
        max_value=1_000_000,
        required=False,
        error_messages={
            "invalid": WHOLE_NUMBER,
            "min_value": WHOLE_NUMBER,
            "max_value": _("That is more than anybody has. Enter a smaller number."),
        },
    )

    wish = forms.IntegerField(min_value=1, max_value=2**63 - 1, required=False)
    """The place on a wishlist that the variant leaves for the cart."""

    def clean_quantity(self) -> int:
        return self.cleaned_data["quantity"] or 1


class QuantityForm(forms.Form):
    """How many pieces a line shall hold; 0 takes it out. `seen` and `version` are what the cart page
    showed."""

    seen = forms.CharField(max_length=64, required=False)
    version = forms.IntegerField(min_value=0, max_value=2**31 - 1, required=False)

    quantity = forms.IntegerField(
        min_value=0,
        max_value=1_000_000,
        error_messages={
            "required": WHOLE_NUMBER,
            "invalid": WHOLE_NUMBER,
            "min_value": WHOLE_NUMBER,
            "max_value": _("That is more than anybody has. Enter a smaller number."),
        },
    )
