from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Category(models.Model):
    """A node of the category tree: adjacency, plus the slug path that its URL shows."""

    parent = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="children"
    )
    slug = models.SlugField(max_length=120)
    path = models.CharField(
        max_length=600, unique=True, help_text=_("Slugs from the root, joined by slashes.")
    )
    name = models.CharField(_("name"), max_length=120)
    description = models.TextField(_("description"), blank=True)
    image = models.ForeignKey(
        "ImageAsset", on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    image_alt = models.CharField(_("alt text"), max_length=250, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    seo_title = models.CharField(
        _("title for search engines"), max_length=120, blank=True, default="", db_default=""
    )
    seo_description = models.CharField(
        _("description for search engines"), max_length=320, blank=True, default="", db_default=""
    )

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.path
