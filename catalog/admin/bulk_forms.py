"""The forms of the page that changes many prices and shelves: a row each, and one for all rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from catalog.models import ProductVariant, StockMovement
from catalog.record_rules import MOST_PIECES
from catalog.services.bulk_editing import Edit, Numbers
from shop.money import LARGEST_AMOUNT, exponent, quantize


class AmountCell(forms.DecimalField):
    """An amount in a table; a comma is as good as a point."""

    def __init__(self, label: Any, *, required: bool = True) -> None:
        super().__init__(
            label=label,
            required=required,
            min_value=Decimal(0),
            max_value=LARGEST_AMOUNT,
            decimal_places=exponent(settings.SHOP_CURRENCY),
            widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal", "class": "desk-cell"}),
        )

    def clean(self, value: Any) -> Any:
        return super().clean(_with_point(value))


class NumberCell(forms.IntegerField):
    """A number of pieces in a table."""

    def __init__(self, label: Any) -> None:
        super().__init__(
            label=label,
            min_value=0,
            max_value=MOST_PIECES,
            widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric", "class": "desk-cell"}),
        )


def _with_point(value: Any) -> Any:
    if isinstance(value, str) and value.count(",") == 1 and "." not in value:
        return value.replace(",", ".")
    return value


class RowForm(forms.Form):
    """A variant's price, price before and pieces, with what they were when the page was made."""

    use_required_attribute = False

    def __init__(self, variant: ProductVariant, now: Numbers, *, data: Any = None) -> None:
        self.variant, self.now = variant, now
        initial = {
            "price": write_amount(now.price),
            "before": write_amount(now.compare_at),
            "pieces": now.pieces,
            "seen": write_numbers(now),
        }
        super().__init__(data, prefix=f"v{variant.pk}", initial=initial)
        name = f"{variant.product.title} – {variant.label or variant.sku}"
        self.fields["price"] = AmountCell(_("Price of %s") % name)
        self.fields["before"] = AmountCell(_("Price before of %s") % name, required=False)
        if now.pieces is not None:
            self.fields["pieces"] = NumberCell(_("Pieces of %s") % name)
        self.fields["seen"] = forms.CharField(widget=forms.HiddenInput)

    def clean_seen(self) -> Numbers:
        try:
            return read_numbers(self.cleaned_data["seen"])
        except (ArithmeticError, ValueError):
            return self.now

    def make_edit(self) -> Edit:
        """Say what is wanted of the variant; without a shelf that is counted, its pieces stay."""
        cleaned = self.cleaned_data
        seen: Numbers = cleaned["seen"]
        currency = settings.SHOP_CURRENCY
        before = cleaned["before"]
        return Edit(
            variant_id=self.variant.pk,
            seen=seen,
            wanted=Numbers(
                price=quantize(cleaned["price"], currency),
                compare_at=None if before is None else quantize(before, currency),
                pieces=cleaned.get("pieces", seen.pieces),
            ),
        )


def write_amount(amount: Decimal | None) -> str:
    return "" if amount is None else str(quantize(amount, settings.SHOP_CURRENCY))


def write_numbers(numbers: Numbers) -> str:
    """Write what somebody sees into a hidden field: "24.00|30.00|5"."""
    pieces = "" if numbers.pieces is None else str(numbers.pieces)
    return "|".join([write_amount(numbers.price), write_amount(numbers.compare_at), pieces])


def read_numbers(text: str) -> Numbers:
    """Read what `write_numbers` wrote. Raises `ValueError` or `ArithmeticError` for other text."""
    price, before, pieces = text.split("|")
    return Numbers(
        price=Decimal(price),
        compare_at=Decimal(before) if before else None,
        pieces=int(pieces) if pieces else None,
    )


class PriceChange(models.TextChoices):
    RAISE_PERCENT = "raise_percent", gettext_lazy("raise by percent")
    LOWER_PERCENT = "lower_percent", gettext_lazy("lower by percent")
    RAISE = "raise", gettext_lazy("raise by an amount")
    LOWER = "lower", gettext_lazy("lower by an amount")
    SET = "set", gettext_lazy("set to an amount")


class Rounding(models.TextChoices):
    EXACT = "exact", gettext_lazy("to the smallest coin")
    WHOLE = "whole", gettext_lazy("to a whole amount")
    BELOW = "below", gettext_lazy("to just below a whole amount")


class BeforeChange(models.TextChoices):
    TODAY = "today", gettext_lazy("today's price, if it is higher")
    EMPTY = "empty", gettext_lazy("none any more")


class PiecesChange(models.TextChoices):
    ADD = "add", gettext_lazy("add so many")
    TAKE = "take", gettext_lazy("take so many away")
    SET = "set", gettext_lazy("set to so many")


LEAVE = ("", gettext_lazy("leave as it is"))


def _choose(label: Any, choices: Sequence[Any], *, required: bool = False) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label, choices=choices, required=required, widget=UnfoldAdminSelectWidget
    )


class AllRowsForm(forms.Form):
    """What is to change in every row, and why shelves change."""

    use_required_attribute = False
    prefix = "all"

    price_change = _choose(gettext_lazy("Price"), [LEAVE, *PriceChange.choices])
    price_value = forms.DecimalField(
        label=gettext_lazy("Percent or amount"),
        required=False,
        min_value=Decimal(0),
        max_value=LARGEST_AMOUNT,
        decimal_places=4,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
    )
    rounding = _choose(gettext_lazy("Round"), Rounding.choices)
    before_change = _choose(gettext_lazy("Price before"), [LEAVE, *BeforeChange.choices])
    pieces_change = _choose(gettext_lazy("Pieces on the shelf"), [LEAVE, *PiecesChange.choices])
    pieces_value = forms.IntegerField(
        label=gettext_lazy("How many"),
        required=False,
        min_value=0,
        max_value=MOST_PIECES,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "numeric"}),
    )
    cause = _choose(gettext_lazy("Why shelves change"), StockMovement.Cause.choices)
    note = forms.CharField(
        label=gettext_lazy("Note for the ledger"),
        max_length=200,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, data: Any = None) -> None:
        if data is not None and data.get("all-price_value"):
            data = data.copy()
            data["all-price_value"] = _with_point(data["all-price_value"].strip().rstrip("%"))
        super().__init__(data, initial={"rounding": "exact", "cause": "counted"})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in ("price", "pieces"):
            value = f"{name}_value"
            if cleaned.get(f"{name}_change") and cleaned.get(value) is None:
                if value not in self.errors:
                    self.add_error(value, _("Say by how much."))
            elif cleaned.get(value) is not None and not cleaned.get(f"{name}_change"):
                self.add_error(f"{name}_change", _("Choose what is to happen."))
        is_percent = cleaned.get("price_change") == PriceChange.LOWER_PERCENT
        if is_percent and (cleaned.get("price_value") or 0) > 100:
            self.add_error("price_value", _("A price cannot fall by more than 100 percent."))
        return cleaned

    @property
    def story(self) -> tuple[StockMovement.Cause, str]:
        """Return why shelves change, and the note."""
        cause = self.cleaned_data["cause"] or StockMovement.Cause.COUNTED
        return StockMovement.Cause(cause), self.cleaned_data["note"]


@dataclass(frozen=True, slots=True)
class ForAllRows:
    """What happens to each row's numbers."""

    price_change: str
    price_value: Decimal | None
    rounding: str
    before_change: str
    pieces_change: str
    pieces_value: int | None

    def apply(self, edit: Edit) -> Edit:
        """Change what is wanted. The result may break a rule; who asked is told by `find_fault`."""
        wanted = edit.wanted
        price = self._new_price(wanted.price)
        before = wanted.compare_at
        if self.before_change == BeforeChange.TODAY and edit.seen.price > price:
            before = edit.seen.price
        elif self.before_change == BeforeChange.EMPTY:
            before = None
        pieces = wanted.pieces
        if pieces is not None and self.pieces_value is not None:
            pieces = {
                PiecesChange.ADD: pieces + self.pieces_value,
                PiecesChange.TAKE: pieces - self.pieces_value,
                PiecesChange.SET: self.pieces_value,
            }.get(PiecesChange(self.pieces_change), pieces)
        return replace(edit, wanted=Numbers(price, before, pieces))

    def _new_price(self, price: Decimal) -> Decimal:
        value = self.price_value
        if not self.price_change or value is None:
            return price
        changed = {
            PriceChange.RAISE_PERCENT: price * (100 + value) / 100,
            PriceChange.LOWER_PERCENT: price * (100 - value) / 100,
            PriceChange.RAISE: price + value,
            PriceChange.LOWER: price - value,
            PriceChange.SET: value,
        }[PriceChange(self.price_change)]
        return round_price(changed, self.rounding)


def round_price(price: Decimal, rounding: str) -> Decimal:
    """Round a price as somebody chose; 23.10 just below a whole amount is 23.99."""
    currency = settings.SHOP_CURRENCY
    if rounding == Rounding.EXACT or price <= 0:
        return quantize(price, currency)
    if rounding == Rounding.WHOLE:
        return quantize(quantize(price, "JPY"), currency)
    smallest = Decimal(1).scaleb(-exponent(currency))
    whole = (quantize(price, currency) + smallest).to_integral_value(rounding=ROUND_CEILING)
    return quantize(whole - smallest, currency)


def find_fault(edit: Edit) -> tuple[str, str] | None:
    """Return which cell cannot be so, and why; None when all is well."""
    wanted = edit.wanted
    if wanted.price < 0:
        return "price", _("A price cannot be below zero.")
    if wanted.price > LARGEST_AMOUNT:
        return "price", _("That is more than the shop can write down.")
    if wanted.pieces is not None and not 0 <= wanted.pieces <= MOST_PIECES:
        return "pieces", _("A shelf cannot hold so many pieces.")
    return None
