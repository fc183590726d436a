"""What shoppers tell the catalogue: a review, an address to write to, the name of a list."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from catalog.access import read_photo_key
from catalog.services.reviews import MOST_PHOTOS

MOST_PHOTO_BYTES = 10 * 2**20
LONGEST_REVIEW = 4000
STAR_WORDS = {
    "5": _("5 stars: I love it"),
    "4": _("4 stars: I like it"),
    "3": _("3 stars: it is all right"),
    "2": _("2 stars: I expected more"),
    "1": _("1 star: I am disappointed"),
}


class SeveralFilesInput(forms.FileInput):
    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """Several files at once; cleaned, they are a list."""

    widget = SeveralFilesInput

    def clean(self, value: Any, initial: Any = None) -> list[UploadedFile[Any]]:
        files = value if isinstance(value, list | tuple) else [value]
        return [super(PhotosField, self).clean(file, initial) for file in files if file]


class ReviewForm(forms.Form):
    """What somebody says of a product. `kept` are photographs that were taken in before."""

    use_required_attribute = False

    stars = forms.ChoiceField(
        label=_("How do you like it?"),
        choices=[(stars, words) for stars, words in sorted(STAR_WORDS.items())],
        widget=forms.RadioSelect,
        error_messages={
            "required": _("Choose how many stars you give."),
            "invalid_choice": _("Choose one to five stars."),
        },
    )
    title = forms.CharField(
        label=_("In a few words"),
        max_length=120,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    text = forms.CharField(
        label=_("Your review"),
        max_length=LONGEST_REVIEW,
        help_text=_("What do you use it for? What should others know before they choose it?"),
        widget=forms.Textarea(attrs={"rows": 7}),
        error_messages={"required": _("Write what you think of it; a sentence is enough.")},
    )
    photos = PhotosField(
        label=_("Photographs"),
        required=False,
        help_text=_("Up to four, each of 10 MB at most. Where they were taken is not kept."),
        widget=SeveralFilesInput(
            attrs={"accept": "image/jpeg,image/png,image/webp,image/avif,image/gif"}
        ),
    )
    name = forms.CharField(
        label=_("Your name, as others see it"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "nickname"}),
        error_messages={"required": _("Enter a name; your first name is enough.")},
    )

    def __init__(self, *args: Any, kept: Sequence[int] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.is_bound:
            keys = self.data.getlist("kept") if hasattr(self.data, "getlist") else []
            kept = [number for key in keys if (number := read_photo_key(key))]
        self.kept: list[int] = list(dict.fromkeys(kept))[:MOST_PHOTOS]

    def clean_photos(self) -> list[UploadedFile[Any]]:
        files: list[UploadedFile[Any]] = self.cleaned_data["photos"]
        left = MOST_PHOTOS - len(self.kept)
        if len(files) > left:
            raise forms.ValidationError(
                ngettext(
                    "There is room for %(count)d more photograph. Choose the best one.",
                    "There is room for %(count)d more photographs. Choose the best ones.",
                    left,
                )
                % {"count": left}
            )
        for file in files:
            if (file.size or 0) > MOST_PHOTO_BYTES:
                raise forms.ValidationError(
                    gettext("“%(file)s” is larger than 10 MB. Please save it smaller.")
                    % {"file": file.name}
                )
        return files


class VoteForm(forms.Form):
    """Whether a review helped; without a word it did."""

    helpful = forms.ChoiceField(choices=[("1", "1"), ("0", "0")], required=False)

    @property
    def is_helpful(self) -> bool:
        return self.cleaned_data.get("helpful") != "0"


class RestockForm(forms.Form):
    """Where to write when a variant is there again."""

    use_required_attribute = False

    variant = forms.IntegerField(
        min_value=1,
        max_value=2**63 - 1,
        error_messages=dict.fromkeys(
            ("required", "invalid", "min_value", "max_value"), _("This is no longer for sale.")
        ),
    )
    email = forms.EmailField(
        label=_("Email"),
        max_length=254,
        error_messages={
            "required": _("Enter your email."),
            "invalid": _("Enter an email address, such as name@example.com."),
        },
    )


class SaveForm(forms.Form):
    """Which variant to put on a list."""

    variant = forms.IntegerField(min_value=1, max_value=2**63 - 1)


class WishlistForm(forms.Form):
    """What a list is called."""

    use_required_attribute = False

    name = forms.CharField(
        label=_("Name of the list"),
        max_length=60,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
        error_messages={"required": _("Give the list a name.")},
    )
