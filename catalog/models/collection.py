from __future__ import annotations

from decimal import Decimal

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from catalog.models.category import Category
from shop.fields import AmountField


class Collection(models.Model):
    """Products that belong together for a reason of the shop's own: a season, a present, a sale.

    By hand, its `items` say which and in what order. By rule, everything for sale that fits all
    that is filled in below; of categories, sellers, tags and values of one attribute any one will
    do. A rule with nothing filled in finds everything.
    """

    class Kind(models.TextChoices):
        HAND = "hand", _("chosen by hand")
        RULE = "rule", _("found by a rule")

    slug = models.SlugField(max_length=120, unique=True)
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    image = models.ForeignKey(
        "ImageAsset", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    image_alt = models.CharField(_("alt text"), max_length=250, blank=True)
    kind = models.CharField(_("products are"), max_length=4, choices=Kind.choices)
    is_public = models.BooleanField(_("has a page"), default=True)
    is_in_menu = models.BooleanField(_("stands in the menu"), default=False)
    is_on_home = models.BooleanField(_("stands on the front page"), default=False)
    position = models.PositiveIntegerField(_("position"), default=0)
    seo_title = models.CharField(
        _("title for search engines"), max_length=120, blank=True, default="", db_default=""
    )
    seo_description = models.CharField(
        _("description for search engines"), max_length=320, blank=True, default="", db_default=""
    )

    categories = models.ManyToManyField(
        Category, verbose_name=_("categories"), related_name="+", blank=True
    )
    sellers = models.ManyToManyField(
        "accounts.Seller", verbose_name=_("sellers"), related_name="+", blank=True
    )
    tags = ArrayField(
        models.CharField(max_length=60), verbose_name=_("tags"), default=list, blank=True
    )
    facts = ArrayField(
        models.CharField(max_length=141),
        verbose_name=_("facts"),
        default=list,
        blank=True,
        help_text=_("Code of an attribute and a value, as filters write them: material=stoneware"),
    )
    price_min = AmountField(
        _("price from"), null=True, blank=True, validators=[MinValueValidator(Decimal(0))]
    )
    price_max = AmountField(
        _("price up to"), null=True, blank=True, validators=[MinValueValidator(Decimal(0))]
    )
    is_reduced = models.BooleanField(_("only what is reduced"), default=False)
    newest_days = models.PositiveSmallIntegerField(
        _("published in the last … days"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")
        ordering = ["position", "name"]
        constraints = [
            models.CheckConstraint(
                name="collection_prices_in_order",
                condition=Q(price_min=None) | Q(price_max=None) | Q(price_min__lte=F("price_max")),
                violation_error_message=_("The highest price is below the lowest."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class CollectionItem(models.Model):
    """A product that was put into a collection by hand."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="items")
    product = models.ForeignKey(
        "Product", verbose_name=_("product"), on_delete=models.CASCADE, related_name="+"
    )
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("product of the collection")
        verbose_name_plural = _("products of the collection")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["collection", "product"],
                name="product_once_per_collection",
                violation_error_message=_("This product is in the collection already."),
            )
        ]

    def __str__(self) -> str:
        return str(self.product_id)
