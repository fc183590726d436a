from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Attribute(models.Model):
    """A typed fact that products state and shoppers filter by, such as capacity in ml."""

    class Kind(models.TextChoices):
        TEXT = "text", _("text")
        NUMBER = "number", _("number")
        BOOLEAN = "boolean", _("yes or no")
        COLOUR = "colour", _("colour")

    code = models.SlugField(max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=80)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.TEXT)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    is_filter = models.BooleanField(_("shoppers can filter by it"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("attribute")
        verbose_name_plural = _("attributes")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class AttributeValue(models.Model):
    """What one product states for one attribute; exactly the field of the attribute's kind is set.

    `facet` is the value as filters write it in a URL ("stoneware", "320", "yes"), kept so that
    facets need one indexed column whatever the kind.
    """

    product = models.ForeignKey(
        "Product", on_delete=models.CASCADE, related_name="attribute_values"
    )
    attribute = models.ForeignKey(Attribute, on_delete=models.CASCADE, related_name="values")
    text = models.CharField(max_length=250, blank=True)
    number = models.DecimalField(max_digits=16, decimal_places=4, null=True, blank=True)
    boolean = models.BooleanField(null=True, blank=True)
    facet = models.CharField(max_length=80)

    class Meta:
        verbose_name = _("attribute value")
        verbose_name_plural = _("attribute values")
        ordering = ["attribute__position", "id"]
        indexes = [models.Index(fields=["attribute", "facet"], name="attribute_facet")]
        constraints = [
            models.UniqueConstraint(
                fields=["product", "attribute", "facet"], name="attribute_value_once"
            ),
            models.CheckConstraint(
                name="attribute_value_is_typed",
                condition=Q(number=None, boolean=None)
                | (Q(text="") & (Q(number=None) | Q(boolean=None))),
            ),
        ]

    def __str__(self) -> str:
        return self.facet
