"""Codes that count once, and a way back for somebody who lost every factor."""

from __future__ import annotations

import logging

from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as one_time_codes
from allauth.mfa.utils import decrypt

from accounts.emails import render_notice
from accounts.models import AuditEntry, User
from accounts.services import audit, sign_ins
from shop.clock import now
from shop.services import mailer
from shop.transactions import own_transaction

logger = logging.getLogger(__name__)

LAST_COUNTER = "last_counter"
"""Where an app's factor keeps the number of the last code that counted (RFC 4226, 7.2)."""


@own_transaction
def take_code(user: User, code: str) -> Authenticator | None:
    """Return the factor that the code is of, and take the code out of use; None if it is of none.

    Locks the person's factors. What was used is written beside the secret, not in the cache: while
    the cache is away a code still counts, and still only once (RFC 6238, 5.2). An older one than
    the last does not count either.
    """
    factors = Authenticator.objects.select_for_update().filter(user=user)
    for factor in factors.exclude(type=Authenticator.Type.WEBAUTHN).order_by("pk"):
        is_app = factor.type == Authenticator.Type.TOTP
        if _take_code_of_app(factor, code) if is_app else factor.wrap().validate_code(code):
            return factor
    return None


def _take_code_of_app(factor: Authenticator, code: str) -> bool:
    secret = decrypt(factor.data["secret"])
    counter = find_counter(secret, code)
    if counter is None or counter <= factor.data.get(LAST_COUNTER, 0):
        return False
    factor.data[LAST_COUNTER] = counter
    factor.save(update_fields=["data"])
    return True


def find_counter(secret: str, code: str) -> int | None:
    """Return the number of the code among those that an app may show just now."""
    counter: int
    for counter in one_time_codes.yield_hotp_counters_from_time():
        expected = one_time_codes.format_hotp_value(one_time_codes.hotp_value(secret, counter))
        if compare_user_code(actual=code, expected=expected):
            return counter
    return None


@own_transaction
def remove_all(user: User, *, by: User | None, door: AuditEntry.Door, reason: str = "") -> int:
    """Take all second factors off, end the person's sessions, tell them; return how many there were.

    The trail says who did it and why.
    The password stays: whoever finds this mail in the mailbox alone is not let in by it.
    """
    audit.sign(by, door=door, reason=reason)
    factors = Authenticator.objects.select_for_update().filter(user=user)
    count: int = factors.exclude(type=Authenticator.Type.RECOVERY_CODES).count()
    factors.delete()
    sign_ins.end_all(user)
    mail = render_notice("second_factor_reset")
    mailer.queue_rendered(
        mail,
        kind="accounts.second_factor_reset",
        reference=f"{user.pk}:{now().isoformat()}",
        recipient=user.email,
    )
    logger.warning("The %s second factors of person %s were taken off: %s.", count, user.pk, door)
    return count
