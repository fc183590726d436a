"""Uploads in the admin: pictures are stored before the form's transaction opens.

The storage may be a network away, and no transaction may wait for a network; so the view takes the
files in first and the forms only find out what became of them.
"""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminFileFieldWidget

from catalog.errors import ImageRefused, PictureNotStored
from catalog.models import ImageAsset
from catalog.services import media
from shop.views.limited import ask, say_when

ACCEPTED = "image/jpeg,image/png,image/webp,image/avif,image/gif"
Uploads = dict[str, ImageAsset | ImageRefused | PictureNotStored]
"""What became of each file, by the name of its form field."""


class UploadingAdmin(ModelAdmin):
    """Takes pictures in before Django's form view opens its transaction."""

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        is_sent = request.method == "POST" and self._may_save(request, object_id)
        # An attribute of our own, for `bind_uploads`.
        request.uploads = _take_in(request) if is_sent and request.FILES else {}  # type: ignore[attr-defined]
        return super().changeform_view(request, object_id, *args, **kwargs)

    def _may_save(self, request: HttpRequest, object_id: str | None) -> bool:
        if object_id is None:
            return self.has_add_permission(request)
        row = self.get_object(request, object_id)
        return row is not None and self.has_change_permission(request, row)


class UploadForm(forms.ModelForm):
    """A form with a file field `upload`; a valid form has the stored picture as `uploaded`."""

    upload = forms.FileField(
        label=_("New picture"),
        required=False,
        widget=UnfoldAdminFileFieldWidget(attrs={"accept": ACCEPTED}),
    )
    uploads: Uploads = {}
    uploaded: ImageAsset | None = None

    def clean_upload(self) -> Any:
        found = self.uploads.get(self.add_prefix("upload"))
        if isinstance(found, ImageRefused | PictureNotStored):
            raise forms.ValidationError(str(found))
        self.uploaded = found
        return self.cleaned_data["upload"]


def bind_uploads(form: type[forms.ModelForm], request: HttpRequest) -> type[forms.ModelForm]:
    """Return the form class, knowing what became of this request's files."""
    uploads = getattr(request, "uploads", {})
    return type(form.__name__, (form,), {"uploads": uploads})


def _take_in(request: HttpRequest) -> Uploads:
    verdict = ask(request, "upload", person=str(request.user.pk))
    if not verdict.is_allowed:
        return {name: ImageRefused(say_when(verdict)) for name in request.FILES}
    taken: Uploads = {}
    for name, file in request.FILES.items():  # For mypy each may be a list of files.
        try:
            taken[name] = media.add_image(file)  # type: ignore[arg-type]
        except (ImageRefused, PictureNotStored) as refusal:
            taken[name] = refusal
        file.seek(0)  # type: ignore[union-attr]
    return taken
