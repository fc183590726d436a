from __future__ import annotations

from django.contrib import admin
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display

from catalog.models import ImageAsset
from shop.admin.look_only import LookOnly


@admin.register(ImageAsset)
class ImageAssetAdmin(LookOnly, ModelAdmin):
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
