"""What somebody is told by mail when the keys to their account change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.devices import describe_device
from shop.clock import now
from shop.emails import RenderedMail, render_mail


@dataclass(frozen=True, slots=True)
class Words:
    """What a notice says; `%(name)s` stands for a fact of the occasion."""

    headline: str | Promise
    text: str | Promise


NOTICES = {
    "password_changed": Words(
        gettext_lazy("Your password was changed"),
        gettext_lazy("It is good from now on. All your other devices are signed out."),
    ),
    "password_reset": Words(
        gettext_lazy("Your password was changed"),
        gettext_lazy(
            "Somebody, probably you, chose a new one with the link from our mail. All your devices "
            "are signed out."
        ),
    ),
    "password_set": Words(
        gettext_lazy("Your account has a password now"),
        gettext_lazy("From now on you can also sign in with your email and a password."),
    ),
    "email_added": Words(
        gettext_lazy("Your account has another email"),
        gettext_lazy("%(added_email)s can sign in to your account from now on."),
    ),
    "email_changed": Words(
        gettext_lazy("Your email was changed"),
        gettext_lazy("Our mails go to %(to_email)s from now on, and no longer to %(from_email)s."),
    ),
    "email_deleted": Words(
        gettext_lazy("An email was removed"),
        gettext_lazy("%(deleted_email)s does not belong to your account any more."),
    ),
    "totp_activated": Words(
        gettext_lazy("Your authenticator app is on"),
        gettext_lazy("After your password we ask for the code that it shows."),
    ),
    "totp_deactivated": Words(
        gettext_lazy("Your authenticator app is off"),
        gettext_lazy("We do not ask for its codes any more."),
    ),
    "recovery_codes_generated": Words(
        gettext_lazy("You have new recovery codes"),
        gettext_lazy("The former ones do not let anybody in any more."),
    ),
    "webauthn_added": Words(
        gettext_lazy("A passkey was added"),
        gettext_lazy("It lets you in without your password."),
    ),
    "webauthn_removed": Words(
        gettext_lazy("A passkey was removed"),
        gettext_lazy("It does not let anybody in any more."),
    ),
    "account_connected": Words(
        gettext_lazy("Another way to sign in"),
        gettext_lazy("From now on %(provider)s lets you in to your account."),
    ),
    "account_disconnected": Words(
        gettext_lazy("One way less to sign in"),
        gettext_lazy("%(provider)s does not let anybody in to your account any more."),
    ),
    "second_factor_reset": Words(
        gettext_lazy("Your second factors were taken off"),
        gettext_lazy(
            "We did so because they were lost. You sign in with your password alone until you add "
            "a new one. All your devices are signed out."
        ),
    ),
}


def render_notice(kind: str, *, ip: str = "", user_agent: str = "", **facts: Any) -> RenderedMail:
    """Render a notice in the active language, with the device it came from where there is one."""
    words = NOTICES[kind]
    headline = str(words.headline)
    moment = date_format(localtime(now()), "DATETIME_FORMAT")
    device = [describe_device(user_agent), ip] if ip else []
    notice = {
        "headline": headline,
        "text": str(words.text) % {name: str(fact) for name, fact in facts.items()},
        "quote": " · ".join([moment, *device]),
        "button": _("Look after your account"),
        "note": _(
            "It was not you? Choose a new password at once, then sign out everywhere else, and "
            "write to us."
        ),
        "reason": _("You get this mail because it is about who can sign in to your account."),
    }
    url = f"{settings.SHOP_URL}{reverse('mfa_index')}"
    return render_mail("notice", subject=headline, context={"notice": notice, "url": url})
