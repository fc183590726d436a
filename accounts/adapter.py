"""How allauth speaks to the rest of the shop: its mails become rows like all others."""

from __future__ import annotations

import uuid
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core import context as allauth_context
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from django.contrib.auth import update_session_auth_hash
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import get_language

from accounts.emails import render_notice
from accounts.models import User
from shop.clock import now
from shop.emails import name_shop_behind
from shop.limits import read_address
from shop.places import is_own_place
from shop.queries import get_mail_frame
from shop.services import mailer


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Signing in with an account of another house."""

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        """Take over the name; its parts are one field here.

        A person who has still to prove an address waits in the session, which cannot hold a default
        that the database would give.
        """
        user: User = super().populate_user(request, sociallogin, data)
        user.joined_at = now()
        parts = (data.get("first_name"), data.get("last_name"))
        user.name = (data.get("name") or " ".join(filter(None, parts)))[:120]
        return user


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def format_email_subject(self, subject: str) -> str:
        """Name the shop behind the subject, as the mails about orders do."""
        return name_shop_behind(subject)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return whose try it is by the rule of all limits: shop/limits.py."""
        address = read_address(request.META)
        if not address:
            raise PermissionDenied("no address")
        return address

    def is_safe_url(self, url: str | None) -> bool:
        """Say where a `next` may lead by the rule of the whole shop: shop/places.py."""
        return is_own_place(url, host=allauth_context.request.get_host())

    def reauthenticate(self, user: User, password: str) -> bool:
        """Check the password again, and stay signed in where that stored its hash anew.

        Django does so when the way of hashing has changed since the person's last sign-in.
        """
        former = user.password
        is_right = super().reauthenticate(user, password)
        user.refresh_from_db(fields=["password"])
        if user.password != former:
            update_session_auth_hash(self.request, user)
        return bool(is_right)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Confirm an address; whoever has an account already is told that it has one more."""
        if not super().confirm_email(request, email_address):
            return False
        primary = EmailAddress.objects.get_primary_email(email_address.user)
        if primary and primary != email_address.email:
            self.send_notification_mail(
                "email_added", email_address.user, {"added_email": email_address.email}
            )
        return True

    def send_notification_mail(
        self,
        template_prefix: str,
        user: User,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Queue a notice that the keys to an account have changed, in words of ours."""
        recipient = email or EmailAddress.objects.get_primary_email(user)
        if not recipient:
            return
        kind = template_prefix.rpartition("/")[2]
        facts = {name: fact for name, fact in (context or {}).items() if name != "account"}
        if "provider" in facts:
            facts["provider"] = facts["provider"].name
        mail = render_notice(
            kind,
            ip=self.get_client_ip(self.request),
            user_agent=self.get_http_user_agent(self.request),
            **facts,
        )
        with transaction.atomic():
            mailer.queue_rendered(
                mail,
                kind=f"accounts.{kind}",
                reference=uuid.uuid4().hex,
                recipient=recipient,
                language=get_language() or "",
            )

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
