"""Where a word for the next page waits: in a cookie that no other host can set."""

from __future__ import annotations

from django.conf import settings
from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class MessageCookie(CookieStorage):
    @property
    def cookie_name(self) -> str:
        return settings.MESSAGE_COOKIE_NAME


class MessageStorage(FallbackStorage):
    """Django's own order: the cookie, and the session for what does not fit."""

    storage_classes = (MessageCookie, SessionStorage)
