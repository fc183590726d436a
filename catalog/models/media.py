from __future__ import annotations

import secrets

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


def original_path(asset: ImageAsset, filename: str) -> str:
    """Name an original by chance alone: what a person called the file never reaches the storage."""
    suffix = filename.rpartition(".")[2].lower()[:5]
    return f"originals/{secrets.token_hex(12)}.{suffix}"


class ImageAsset(models.Model):
    """An uploaded picture with its renditions, which a task makes; pages only name them.

    `renditions` maps a format ("avif", "webp", "jpeg") to the widths that exist, each stored as
    `<base>-<width>.<format>`.
    """

    original = models.ImageField(
        upload_to=original_path, width_field="width", height_field="height", max_length=200
    )
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)
    checksum = models.CharField(max_length=64, db_index=True)
    base = models.CharField(max_length=120, blank=True)
    renditions = models.JSONField(default=dict, blank=True)
    ready_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("image")
        verbose_name_plural = _("images")

    def __str__(self) -> str:
        return self.original.name or ""
