from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class Wishlist(models.Model):
    """Things that somebody keeps in mind. A guest's has no owner and is found by the session.

    The one without a name is the first, and every language has its own word for it. Whoever has
    `share_key` may read the list; it is taken away by emptying it.
    """

    owner = models.ForeignKey(
        "accounts.User",
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="wishlists",
    )
    name = models.CharField(_("name"), max_length=60, blank=True)
    share_key = models.CharField(max_length=40, blank=True, db_default="")
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("wishlist")
        verbose_name_plural = _("wishlists")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "name"], name="wishlist_name_once"),
            models.UniqueConstraint(
                fields=["share_key"], name="wishlist_share_key_once", condition=~Q(share_key="")
            ),
        ]
        indexes = [
            models.Index(fields=["updated_at"], name="wishlist_of_guests", condition=Q(owner=None))
        ]

    def __str__(self) -> str:
        return self.name or str(_("Wishlist"))


class WishlistItem(models.Model):
    """A variant on a list."""

    wishlist = models.ForeignKey(Wishlist, on_delete=models.CASCADE, related_name="items")
    variant = models.ForeignKey(
        "ProductVariant", on_delete=models.CASCADE, related_name="wishlist_items"
    )
    added_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("wishlist item")
        verbose_name_plural = _("wishlist items")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["wishlist", "variant"], name="wishlist_item_once")
        ]

    def __str__(self) -> str:
        return f"{self.wishlist_id}: {self.variant_id}"
