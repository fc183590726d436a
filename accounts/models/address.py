from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.addressing import PostalAddress, address_lines


class Address(models.Model):
    """A line of somebody's address book; at most one is for parcels, one for bills, of itself."""

    user = models.ForeignKey("accounts.User", on_delete=models.CASCADE, related_name="addresses")
    name = models.CharField(_("name"), max_length=120)
    street = models.CharField(_("street"), max_length=200)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    city = models.CharField(_("city"), max_length=100)
    region = models.CharField(_("region"), max_length=100, blank=True)
    country = models.CharField(_("country"), max_length=2)
    phone = models.CharField(_("phone"), max_length=40, blank=True)
    is_for_delivery = models.BooleanField(_("default for delivery"), db_default=False)
    is_for_billing = models.BooleanField(_("default for billing"), db_default=False)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["user"],
                name="address_one_for_delivery",
                condition=Q(is_for_delivery=True),
            ),
            models.UniqueConstraint(
                fields=["user"], name="address_one_for_billing", condition=Q(is_for_billing=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}, {self.city}"

    @property
    def postal(self) -> PostalAddress:
        return PostalAddress(
            name=self.name,
            street=self.street,
            postcode=self.postcode,
            city=self.city,
            region=self.region,
            country=self.country,
            phone=self.phone,
        )

    @property
    def lines(self) -> list[str]:
        """The address as its country writes it."""
        return address_lines(self.postal.as_fields())
