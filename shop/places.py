"""Where a visitor may be sent who says where to go: pages of this shop, and nowhere else."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from django.utils.http import url_has_allowed_host_and_scheme

LONGEST = 2_000
_NEVER = re.compile(r"[\x00-\x20\x7f-\xa0\u2028\u2029\ufeff\\]")


def is_own_place(place: object, *, host: str) -> bool:
    """Say whether an address, as typed in a `next`, leads to a page of the host and stays there.

    A path that begins with one slash, or a whole address of that very host. Browsers read a
    backslash as a slash, drop tabs and line ends, and take what follows two slashes for a host; so
    whatever has such characters, even encoded at its beginning, is none of ours.
    """
    if not isinstance(place, str) or not 0 < len(place) <= LONGEST or _NEVER.search(place):
        return False
    if not url_has_allowed_host_and_scheme(place, {host}):
        return False
    parts = urlsplit(place)
    if not parts.netloc and not place.startswith("/"):
        return False
    if "@" in parts.netloc:
        return False
    beginning = unquote(unquote(parts.path[:20]))
    return not beginning.startswith(("//", "/\\"))
