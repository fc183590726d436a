"""Everything that the shop leaves in a browser; a test compares it with what is really set.

All of it is needed for what somebody asks for, so nothing waits for consent (ePrivacy Directive,
article 5.3) and no banner is shown. Who adds something that is not, adds the question with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

DAY = 60 * 60 * 24


class Place(StrEnum):
    COOKIE = "cookie"
    BROWSER = "browser"
    """The browser's own memory: never sent to the shop."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Something left in a browser. `name` is exact, but for an asterisk at its end."""

    name: str
    place: Place
    purpose: str
    life: str


def list_traces() -> list[Trace]:
    """Return what the shop leaves in a browser, in the language that is active."""
    traces = [
        Trace(
            settings.SESSION_COOKIE_NAME,
            Place.COOKIE,
            _(
                "Finds your cart and your wishlist again, and keeps you signed in. Set when you put "
                "something there, look at an order, or sign in."
            ),
            _days(settings.SESSION_COOKIE_AGE // DAY),
        ),
        Trace(
            settings.CSRF_COOKIE_NAME,
            Place.COOKIE,
            _("Protects forms, so that no other site can send them in your name."),
            _days(settings.CSRF_COOKIE_AGE // DAY),
        ),
        Trace(
            "messages",
            Place.COOKIE,
            _("Carries a sentence such as “Removed.” to the next page."),
            _("until the next page"),
        ),
        Trace(
            "viewed",
            Place.BROWSER,
            _("The last eight products that you looked at, to show them again."),
            _("until you clear it"),
        ),
        Trace(
            _("the address of a list"),
            Place.BROWSER,
            _("Where in a list you were, to lead you back to it."),
            _("until you close the tab"),
        ),
    ]
    if settings.SHOP_OFFLINE_PAGE:
        traces.append(
            Trace(
                "offline-*",
                Place.BROWSER,
                _("A page that says so when there is no connection."),
                _("until you clear it"),
            )
        )
    return traces


def _days(count: int) -> Any:
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}
