"""How every mail of the shop is made: a subject that names the shop, a text and an HTML part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from shop.queries import get_mail_frame


@dataclass(frozen=True, slots=True)
class RenderedMail:
    subject: str
    text: str
    html: str


def render_mail(template: str, *, subject: str, context: Mapping[str, Any]) -> RenderedMail:
    """Render `emails/<template>.txt` and `.html` in the active language, in the frame of all mails."""
    context = {**get_mail_frame(), **context}
    return RenderedMail(
        subject=name_shop_behind(subject),
        text=render_to_string(f"emails/{template}.txt", context).strip() + "\n",
        html=render_to_string(f"emails/{template}.html", context).strip() + "\n",
    )


def name_shop_behind(subject: str) -> str:
    """Return the subject as it is sent: with the shop's name behind it."""
    return f"{subject} – {settings.SHOP_NAME}"
