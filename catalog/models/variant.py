from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField


class Option(models.Model):
    """An axis on which a product's variants differ, such as size."""

    product = models.ForeignKey("Product", on_delete=models.CASCADE, related_name="options")
    name = models.CharField(_("name"), max_length=60)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("option")
        verbose_name_plural = _("options")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["product", "name"], name="option_once_per_product")
        ]

    def __str__(self) -> str:
        return self.name


class OptionValue(models.Model):
    """One choice on an axis, such as large; a swatch shows colours and glazes."""

    option = models.ForeignKey(Option, on_delete=models.CASCADE, related_name="values")
    label = models.CharField(_("label"), max_length=80)
    swatch = models.CharField(_("swatch"), max_length=7, blank=True, help_text="#7b7f63")
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("option value")
        verbose_name_plural = _("option values")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["option", "label"], name="value_once_per_option")
        ]

    def __str__(self) -> str:
        return self.label


class ProductVariant(models.Model):
    """What is bought: one combination of option values, with its own SKU, price and stock.

    `label` repeats the option values in axis order ("Moss / Large") for carts and orders. Amounts
    are in the shop's currency, with or without tax as SHOP_PRICES_INCLUDE_TAX says.
    """

    product = models.ForeignKey("Product", on_delete=models.CASCADE, related_name="variants")
    sku = models.CharField(_("SKU"), max_length=80, unique=True)
    barcode = models.CharField(_("barcode"), max_length=40, blank=True)
    label = models.CharField(_("label"), max_length=250, blank=True)
    option_values = models.ManyToManyField(OptionValue, related_name="variants", blank=True)
    price = AmountField(_("price"))
    compare_at_price = AmountField(_("compare-at price"), null=True, blank=True)
    cost = AmountField(_("cost"), null=True, blank=True)
    weight_grams = models.PositiveIntegerField(_("weight in grams"), default=0)
    image = models.ForeignKey(
        "ProductImage", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    is_active = models.BooleanField(_("for sale"), default=True)
    tracks_stock = models.BooleanField(
        _("stock is counted"),
        default=True,
        help_text=_("Off: any number can be sold, for example of a service or download."),
    )
    low_stock_at = models.PositiveIntegerField(
        _("running low at"),
        null=True,
        blank=True,
        help_text=_("So many pieces or fewer are told to the seller. Empty: as the shop does it."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        ordering = ["position", "id"]
        constraints = [
            models.CheckConstraint(name="variant_price_not_negative", condition=Q(price__gte=0)),
            models.CheckConstraint(
                name="variant_cost_not_negative", condition=Q(cost=None) | Q(cost__gte=Decimal(0))
            ),
        ]

    def __str__(self) -> str:
        return self.sku


class StockLevel(models.Model):
    """How many pieces of a variant lie on the shelf, and how many of them are promised.

    Changed only by `catalog.services.stock`, each time with a `StockMovement`; the database itself
    refuses to promise what is not there. `low_since` is when it began to run low, `low_told_at`
    when its seller was told so; both are empty again once there is enough.
    """

    variant = models.OneToOneField(
        ProductVariant, on_delete=models.CASCADE, related_name="stock_level"
    )
    on_hand = models.PositiveIntegerField(_("on hand"), default=0)
    allocated = models.PositiveIntegerField(_("allocated"), default=0)
    low_since = models.DateTimeField(null=True, blank=True, editable=False)
    low_told_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("stock level")
        verbose_name_plural = _("stock levels")
        constraints = [
            models.CheckConstraint(
                name="stock_allocated_within_on_hand", condition=Q(allocated__lte=F("on_hand"))
            )
        ]
        indexes = [
            models.Index(
                fields=["low_since"],
                name="stock_low_untold",
                condition=Q(low_since__isnull=False, low_told_at=None),
            )
        ]

    def __str__(self) -> str:
        return f"{self.on_hand} on hand, {self.allocated} allocated"

    @property
    def available(self) -> int:
        return self.on_hand - self.allocated


class StockMovement(models.Model):
    """A line of the stock ledger; never changed, never deleted.

    `cause` is what a person chose when they changed the number by hand, `reason` what they noted.
    """

    class Kind(models.TextChoices):
        RECEIPT = "receipt", _("received")
        ADJUSTMENT = "adjustment", _("adjusted")
        ALLOCATION = "allocation", _("promised to an order")
        RELEASE = "release", _("released again")
        SALE = "sale", _("sold")
        RETURN = "return", _("returned to the shelf")

    class Cause(models.TextChoices):
        RECEIVED = "received", _("delivery received")
        RETURNED = "returned", _("came back")
        FOUND = "found", _("found again")
        DAMAGED = "damaged", _("damaged")
        LOST = "lost", _("lost or stolen")
        COUNTED = "counted", _("counted anew")
        OTHER = "other", _("something else")

    level = models.ForeignKey(StockLevel, on_delete=models.PROTECT, related_name="movements")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    on_hand_change = models.IntegerField()
    allocated_change = models.IntegerField()
    reference = models.CharField(
        max_length=80, blank=True, help_text=_("An order number, or where the goods came from.")
    )
    cause = models.CharField(
        _("cause"), max_length=10, choices=Cause.choices, blank=True, default="", db_default=""
    )
    reason = models.CharField(_("note"), max_length=200, blank=True)
    actor = models.ForeignKey(
        "accounts.User", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")
        ordering = ["-id"]
        indexes = [models.Index(fields=["reference"], name="stock_movement_reference")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.on_hand_change:+d}/{self.allocated_change:+d}"
