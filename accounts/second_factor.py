"""Second factors: how allauth names them, and how their secrets lie in the database."""

from __future__ import annotations

import base64
from hashlib import sha256

from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User


class UnreadableSecret(Exception):
    """A second factor was stored with a SECRET_KEY that is neither the shop's nor a fallback."""


class SecondFactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Secrets are encrypted with SECRET_KEY, so that a copy of the database opens no account."""

    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": gettext_lazy(
            "This code is not right, or was used before. Wait for the next one and try again."
        ),
        "add_email_blocked": gettext_lazy(
            "Take the second factors off before you add another address."
        ),
    }

    def encrypt(self, text: str) -> str:
        return _lock().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Read a secret. Raises `UnreadableSecret`: list the former key in SECRET_KEY_FALLBACKS."""
        try:
            return _lock().decrypt(encrypted_text.encode()).decode()
        except InvalidToken as error:
            raise UnreadableSecret("list the former key in SECRET_KEY_FALLBACKS") from error

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return _("Passkey %(number)s") % {"number": number}

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Name the shop as it calls itself; the id stays the host, which browsers compare."""
        entity: dict[str, str] = super().get_public_key_credential_rp_entity()
        return entity | {"name": settings.SHOP_NAME}


def lacks_second_factor(user: User | AnonymousUser) -> bool:
    """Whether somebody who may enter the admin has none, in a shop that demands it."""
    return (
        settings.ADMIN_SECOND_FACTOR
        and user.is_staff
        and not Authenticator.objects.filter(user_id=user.pk)
        .exclude(type=Authenticator.Type.RECOVERY_CODES)
        .exists()
    )


def _lock() -> MultiFernet:
    """Write with the shop's key, read with that and with the former ones."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return MultiFernet([_derive(key) for key in keys])


def _derive(key: str) -> Fernet:
    digest = sha256(b"emporium.second-factor:" + key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))
