"""How allauth speaks to the rest of the shop: its mails become rows like all others."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.db import transaction
from django.utils.translation import get_language

from shop.emails import name_shop_behind
from shop.queries import get_mail_frame
from shop.services import mailer


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def format_email_subject(self, subject: str) -> str:
        """Name the shop behind the subject, as the mails about orders do."""
        return name_shop_behind(subject)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue the mail that allauth rendered; the web process never waits for SMTP."""
        message = self.render_mail(template_prefix, email, context | get_mail_frame())
        html = next(
            (body for body, kind in getattr(message, "alternatives", []) if kind == "text/html"), ""
        )
        is_html_only = message.content_subtype == "html"
        with transaction.atomic():
            mailer.queue(
                kind=template_prefix.replace("/", "."),
                reference=uuid.uuid4().hex,
                recipient=email,
                subject=message.subject,
                text="" if is_html_only else message.body,
                html=message.body if is_html_only else html,
                language=get_language() or "",
            )
