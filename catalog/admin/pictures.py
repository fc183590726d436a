from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display

from catalog.models import ImageAsset


@admin.register(ImageAsset)
class ImageAssetAdmin(ModelAdmin):
    """Pictures as they were taken in, to see which wait for their renditions and which failed."""

    list_display = ["original", "width", "height", "created_at", "state"]
    list_filter = [("ready_at", admin.EmptyFieldListFilter), ("error", admin.EmptyFieldListFilter)]
    fields = ["original", "width", "height", "renditions", "created_at", "ready_at", "error"]

    @display(
        description=gettext_lazy("renditions"),
        label={"ready": "success", "failed": "danger", "waiting": "info"},
    )
    def state(self, asset: ImageAsset) -> tuple[str, str]:
        if asset.ready_at:
            return "ready", _("ready")
        return ("failed", _("failed")) if asset.error else ("waiting", _("waiting"))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
