from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from shop.fields import AmountField


class Product(models.Model):
    """What a shopper finds; what is bought is one of its variants.

    `price_from`, `price_to` and `is_available` repeat what the variants say, so that lists need no
    join; `catalog.services.summaries` keeps them, and invariant C1 compares. `rating` is the mean
    of `rating_count` reviews, 1 to 5 stars.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        ACTIVE = "active", _("active")
        ARCHIVED = "archived", _("archived")

    seller = models.ForeignKey("accounts.Seller", on_delete=models.PROTECT, related_name="products")
    category = models.ForeignKey(
        "Category", on_delete=models.PROTECT, null=True, blank=True, related_name="products"
    )
    tax_class = models.ForeignKey("shop.TaxClass", on_delete=models.PROTECT, related_name="+")
    slug = models.SlugField(max_length=160, unique=True)
    title = models.CharField(_("title"), max_length=250)
    short_description = models.CharField(_("short description"), max_length=400, blank=True)
    description = models.TextField(
        _("description"), blank=True, help_text=_("Simple HTML; it is made safe when saved.")
    )
    care = models.TextField(_("care"), blank=True)
    origin = models.CharField(_("origin"), max_length=120, blank=True)
    tags = ArrayField(models.CharField(max_length=60), default=list, blank=True)
    seo_title = models.CharField(
        _("title for search engines"), max_length=120, blank=True, default="", db_default=""
    )
    seo_description = models.CharField(
        _("description for search engines"), max_length=320, blank=True, default="", db_default=""
    )
    status = models.CharField(
        _("status"), max_length=10, choices=Status.choices, default=Status.DRAFT
    )
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)
    published_at = models.DateTimeField(null=True, blank=True)

    price_from = AmountField(null=True, blank=True, editable=False)
    price_to = AmountField(null=True, blank=True, editable=False)
    compare_at_from = AmountField(null=True, blank=True, editable=False)
    is_available = models.BooleanField(default=False, editable=False)
    popularity = models.PositiveIntegerField(default=0, editable=False)
    rating = models.DecimalField(
        max_digits=3, decimal_places=2, null=True, blank=True, editable=False
    )
    rating_count = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    search = SearchVectorField(null=True, editable=False)

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        ordering = ["-published_at", "-id"]
        constraints = [
            models.CheckConstraint(
                name="product_rating_in_stars", condition=Q(rating__gte=1, rating__lte=5)
            )
        ]
        indexes = [
            GinIndex(fields=["search"], name="product_search"),
            GinIndex(fields=["tags"], name="product_tags"),
            models.Index(
                fields=["category", "-published_at", "-id"],
                name="product_listing",
                condition=Q(status="active"),
            ),
            models.Index(
                fields=["-published_at", "-id"], name="product_newest", condition=Q(status="active")
            ),
            models.Index(
                fields=["-popularity", "-id"], name="product_popular", condition=Q(status="active")
            ),
            models.Index(fields=["seller", "-id"], name="product_by_seller"),
            models.Index(
                fields=["id"],
                name="product_reduced",
                condition=Q(compare_at_from__gt=models.F("price_from")),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class ProductImage(models.Model):
    """A picture of a product, with the words for those who cannot see it."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="images")
    asset = models.ForeignKey("ImageAsset", on_delete=models.PROTECT, related_name="+")
    alt = models.CharField(_("alt text"), max_length=250, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("product image")
        verbose_name_plural = _("product images")
        ordering = ["position", "id"]

    def __str__(self) -> str:
        return self.alt or str(self.pk)
