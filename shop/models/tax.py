from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class TaxClass(models.Model):
    """A kind of goods that countries tax alike, such as standard or books."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=80)

    class Meta:
        verbose_name = _("tax class")
        verbose_name_plural = _("tax classes")

    def __str__(self) -> str:
        return self.name


class TaxRate(models.Model):
    """What a country takes on a tax class, in percent; an optional region narrows it down."""

    tax_class = models.ForeignKey(TaxClass, on_delete=models.CASCADE, related_name="rates")
    country = models.CharField(max_length=2)
    region = models.CharField(max_length=60, blank=True)
    name = models.CharField(max_length=60, default="VAT")
    percent = models.DecimalField(max_digits=6, decimal_places=3)

    class Meta:
        verbose_name = _("tax rate")
        verbose_name_plural = _("tax rates")
        ordering = ["country", "tax_class_id", "region"]
        constraints = [
            models.UniqueConstraint(
                fields=["tax_class", "country", "region"], name="tax_rate_once_per_place"
            ),
            models.CheckConstraint(
                name="tax_rate_in_range",
                condition=Q(percent__gte=Decimal(0)) & Q(percent__lte=Decimal(100)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.name} {self.percent.normalize():f} %"
