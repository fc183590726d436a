from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField


class ShippingZone(models.Model):
    """Countries that the same delivery methods reach."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    countries = ArrayField(models.CharField(max_length=2), verbose_name=_("countries"))

    class Meta:
        verbose_name = _("shipping zone")
        verbose_name_plural = _("shipping zones")

    def __str__(self) -> str:
        return self.name


class ShippingMethod(models.Model):
    """A way of delivery to a zone, priced flat, by weight or by the value of the goods."""

    class Kind(models.TextChoices):
        FLAT = "flat", _("one price")
        WEIGHT = "weight", _("by weight in grams")
        PRICE = "price", _("by value of the goods")

    zone = models.ForeignKey(ShippingZone, on_delete=models.CASCADE, related_name="methods")
    code = models.SlugField(max_length=60)
    name = models.CharField(_("name"), max_length=80)
    description = models.CharField(_("description"), max_length=160, blank=True)
    kind = models.CharField(_("priced"), max_length=8, choices=Kind.choices, default=Kind.FLAT)
    tax_class = models.ForeignKey("shop.TaxClass", on_delete=models.PROTECT, related_name="+")
    days_min = models.PositiveSmallIntegerField(_("days at least"), default=2)
    days_max = models.PositiveSmallIntegerField(_("days at most"), default=4)
    is_active = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("shipping method")
        verbose_name_plural = _("shipping methods")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["zone", "code"], name="shipping_method_once_per_zone")
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.zone_id})"


class ShippingBand(models.Model):
    """From this weight (grams) or value on, the method costs this much; beyond the last: the last.

    A band without a price ends the offer: heavier parcels are not taken.
    """

    method = models.ForeignKey(ShippingMethod, on_delete=models.CASCADE, related_name="bands")
    minimum = models.DecimalField(_("from"), max_digits=14, decimal_places=4, default=0)
    price = AmountField(_("price"), null=True, blank=True)

    class Meta:
        verbose_name = _("shipping band")
        verbose_name_plural = _("shipping bands")
        ordering = ["minimum"]
        constraints = [
            models.UniqueConstraint(fields=["method", "minimum"], name="shipping_band_once"),
            models.CheckConstraint(
                name="shipping_band_not_negative",
                condition=Q(minimum__gte=0) & (Q(price=None) | Q(price__gte=0)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.minimum:f}: {self.price}"
