"""The small forms behind an order's actions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.validators import URLValidator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
    UnfoldBooleanWidget,
)

from orders.admin.parts import LineView
from orders.carriers import CARRIERS, tracking_url
from shop.formatting import format_money
from shop.money import Money

OTHER = "other"


class ShipForm(forms.Form):
    """Which pieces leave, and with whom; `seen_parcels` lets a double click do nothing twice."""

    use_required_attribute = False

    carrier = forms.ChoiceField(
        label=_("Carrier"),
        choices=[
            ("", _("Choose a carrier")),
            *((name, name) for name in CARRIERS),
            (OTHER, _("Another carrier")),
        ],
        widget=UnfoldAdminSelectWidget,
    )
    other_carrier = forms.CharField(
        label=_("Name of the other carrier"),
        max_length=60,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )
    tracking_number = forms.CharField(
        label=_("Tracking number"),
        max_length=80,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    tracking_url = forms.URLField(
        label=_("Tracking link"),
        max_length=500,
        required=False,
        assume_scheme="https",
        help_text=_("Leave it empty: for the carriers of the list it is made from the number."),
        validators=[URLValidator(schemes=["http", "https"])],
        widget=UnfoldAdminURLInputWidget,
    )
    seen_parcels = forms.IntegerField(min_value=0, widget=forms.HiddenInput)

    def __init__(self, *args: Any, lines: Iterable[LineView], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lines = [line for line in lines if line.left]
        for line in self.lines:
            self.fields[f"quantity_{line.id}"] = forms.IntegerField(
                label=gettext("Pieces of %s") % line.title,
                min_value=0,
                max_value=line.left,
                required=False,
                initial=line.left,
                widget=UnfoldAdminIntegerFieldWidget(attrs={"inputmode": "numeric"}),
            )

    @property
    def line_fields(self) -> list[tuple[LineView, forms.BoundField]]:
        return [(line, self[f"quantity_{line.id}"]) for line in self.lines]

    @property
    def quantities(self) -> dict[int, int]:
        return {line.id: self.cleaned_data[f"quantity_{line.id}"] or 0 for line in self.lines}

    def clean_tracking_number(self) -> str:
        return " ".join(self.cleaned_data["tracking_number"].split())

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("carrier") == OTHER:
            if values.get("other_carrier"):
                values["carrier"] = values["other_carrier"]
            elif "other_carrier" not in self.errors:
                self.add_error("other_carrier", gettext("Enter the carrier's name."))
        if not values.get("tracking_url"):
            values["tracking_url"] = tracking_url(
                values.get("carrier", ""), values.get("tracking_number", "").replace(" ", "")
            )
        if not self.errors and not any(self.quantities.values()):
            self.add_error(None, gettext("Choose at least one piece to ship."))
        return values


class CancelForm(forms.Form):
    use_required_attribute = False

    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("Kept in the order's timeline and with the refund."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )
    restock = forms.BooleanField(
        label=_("Put the pieces back on the shelf"),
        required=False,
        initial=True,
        help_text=_("Take the tick away when they are broken or lost."),
        widget=UnfoldBooleanWidget,
    )

    def clean_reason(self) -> str:
        return " ".join(self.cleaned_data["reason"].split())


class CaptureForm(forms.Form):
    """The amount that staff saw before they took it, in the order's currency."""

    use_required_attribute = False

    seen_amount = forms.DecimalField(widget=forms.HiddenInput)


class RefundForm(forms.Form):
    """Which pieces go back, and whether the delivery does; `seen_amount` is what staff saw of it.

    `submit_key` lets a double click give back once.
    """

    use_required_attribute = False

    with_shipping = forms.BooleanField(
        label=_("Refund the delivery, too"), required=False, widget=UnfoldBooleanWidget
    )
    restock = forms.BooleanField(
        label=_("Put the pieces back on the shelf"),
        required=False,
        help_text=_("Only when they are here and can be sold again."),
        widget=UnfoldBooleanWidget,
    )
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("Kept in the order's timeline and with the refund."),
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
    )
    submit_key = forms.UUIDField(widget=forms.HiddenInput)
    seen_amount = forms.DecimalField(
        max_digits=14, decimal_places=4, required=False, widget=forms.HiddenInput
    )

    def __init__(
        self, *args: Any, lines: Iterable[LineView], shipping: Money, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lines = [line for line in lines if line.refundable]
        for line in self.lines:
            self.fields[f"quantity_{line.id}"] = forms.IntegerField(
                label=gettext("Pieces of %s") % line.title,
                min_value=0,
                required=False,
                initial=0,
                widget=UnfoldAdminIntegerFieldWidget(attrs={"inputmode": "numeric"}),
            )
        if shipping:
            self.fields["with_shipping"].help_text = gettext("%(amount)s of it is left.") % {
                "amount": format_money(shipping)
            }
        else:
            del self.fields["with_shipping"]

    @property
    def line_fields(self) -> list[tuple[LineView, forms.BoundField]]:
        return [(line, self[f"quantity_{line.id}"]) for line in self.lines]

    @property
    def quantities(self) -> dict[int, int]:
        return {line.id: self.cleaned_data[f"quantity_{line.id}"] or 0 for line in self.lines}

    @property
    def is_final(self) -> bool:
        """Say whether the amount was seen and is to be sent."""
        return "send" in self.data and self.cleaned_data["seen_amount"] is not None

    def refuse(self, why: str) -> None:
        """Say once why it cannot be; what was typed stays."""
        if not self.non_field_errors():
            self.errors.setdefault("__all__", self.error_class(error_class="nonfield")).append(why)

    def clean_reason(self) -> str:
        return " ".join(self.cleaned_data["reason"].split())

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        values.setdefault("with_shipping", False)
        return values
