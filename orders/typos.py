"""Slips of the finger in contact and address: mended where that is safe, asked about where not.

Mended silently is what can mean only one thing. What is doubtful becomes a `Doubt`, a question
that is asked once. What is wrong is refused by `orders.forms`, with words that say how to mend.
"""

from __future__ import annotations

import re
import unicodedata
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from django.utils.translation import gettext as _

from accounts.addressing import AddressRules, has_house_number, mend_place, tidy

EVERYWHERE = frozenset({"com"})
EUROPE = frozenset(
    {"at", "be", "ch", "co.uk", "com", "de", "dk", "es", "fr", "it", "nl", "no", "se"}
)
PROVIDERS = {
    "gmail": EVERYWHERE, "googlemail": EVERYWHERE, "icloud": EVERYWHERE, "protonmail": EVERYWHERE,
    "hotmail": EUROPE, "outlook": EUROPE, "yahoo": EUROPE, "freenet": frozenset({"de"}),
    "t-online": frozenset({"de"}), "posteo": frozenset({"de", "net"}),
    "mailbox": frozenset({"org"}), "laposte": frozenset({"net"}), "wanadoo": frozenset({"fr"}),
    "btinternet": EVERYWHERE, "bluewin": frozenset({"ch"}),
}  # fmt: skip
"""Where many people have their mailbox, with the endings that these really use."""
OTHER_PROVIDERS = {"email", "mail", "ymail", "yahoomail"}
"""Names that look like a slip in one of the above and are none."""
ENDINGS = {
    **dict.fromkeys(
        ("cim", "cmo", "comm", "comn", "con", "coom", "cpm", "ocm", "vom", "xom"), "com"
    ),
    **dict.fromkeys(("ent", "ner", "nte"), "net"),
    "ed": "de",
}
"""Endings that do not exist, and what was meant."""
HALF_ENDINGS = {"", "c", "cm", "co", "om"}
"""Endings that were not finished; some exist, but hardly for the providers above."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A question about a field; `suggestion` is what may have been meant, or empty.

    `token` tells in the next form that this very value was asked about: nobody is asked twice.
    """

    field: str
    question: str
    suggestion: str
    token: str


def mend(typed: Mapping[str, str], rules: AddressRules) -> dict[str, str]:
    """Return what was typed with everything mended that can mean only one thing."""
    mended = dict(typed)
    if "email" in mended:
        mended["email"] = mend_email(mended["email"])
    if rules.has_postcode and {"postcode", "city"} <= mended.keys():
        mended["postcode"], mended["city"] = mend_place(mended["postcode"], mended["city"], rules)
    return mended


def mend_email(typed: str) -> str:
    """Take out spaces, signs around and doubled ones; a comma in the domain was to be a dot."""
    email = unicodedata.normalize("NFKC", tidy(typed))
    email = re.sub(r"^(?:mailto:|[<(\"'])+|[>)\"',;:.]+$", "", email, flags=re.IGNORECASE)
    email = re.sub(r"\s*([@.])\s*", r"\1", email)
    email = re.sub(r"@+", "@", email)
    name, at, domain = email.rpartition("@")
    return f"{name}{at}{re.sub(r'[,.]+', '.', domain).strip('.')}" if at else email


def find_doubts(cleaned: Mapping[str, str], rules: AddressRules) -> list[Doubt]:
    """Ask about values that may be right, but are more often a slip."""
    doubts = []
    email, street = cleaned.get("email", ""), cleaned.get("street", "")
    if suggestion := suggest_email(email):
        question = _("Did you mean %(email)s?") % {"email": suggestion}
        doubts.append(Doubt("email", question, suggestion, _token("email", email)))
    if street and not has_house_number(street, rules):
        question = _("Is there a house number? Add it if there is one.")
        doubts.append(Doubt("street", question, "", _token("street", street)))
    return doubts


def suggest_email(email: str) -> str:
    """Return the address that was probably meant, or an empty text."""
    user, _at, domain = email.rpartition("@")
    meant = _meant_domain(domain.lower())
    return f"{user}@{meant}" if user and meant != domain.lower() else ""


def take_suggestion(typed: Mapping[str, str]) -> dict[str, str]:
    """Put the suggestion for the field that `take` names in the place of what was typed."""
    meant = suggest_email(mend_email(typed.get("email", "")))
    return {**typed, "email": meant} if typed.get("take") == "email" and meant else dict(typed)


def explain_email(email: str) -> str:
    """Say what an address lacks that is none."""
    words = _("Enter an email like name@example.com.")
    user, at, domain = email.rpartition("@")
    if not at:
        return _("There is no @ in it.") + " " + words
    if "@" in user:
        return _("There is more than one @ in it.") + " " + words
    if user and domain and "." not in domain:
        return _("The ending is missing, such as .com.") + " " + words
    if " " in email:
        return _("There is a space in it.") + " " + words
    if "," in email:
        return _("There is a comma in it.") + " " + words
    return words


def _meant_domain(domain: str) -> str:
    name, _dot, ending = domain.partition(".")
    ending = ENDINGS.get(ending, ending)
    for known in () if name in OTHER_PROVIDERS else _list_like(name):
        endings = PROVIDERS[known]
        if ending in endings:
            return f"{known}.{ending}"
        if ending in HALF_ENDINGS:
            return f"{known}.{'com' if 'com' in endings else min(endings)}"
    return f"{name}.{ending}" if ending else domain


def _list_like(name: str) -> list[str]:
    """List the providers that a name may mean, which is itself alone when it is one."""
    return [name] if name in PROVIDERS else [one for one in PROVIDERS if _is_one_slip(name, one)]


def _is_one_slip(typed: str, meant: str) -> bool:
    """Say whether one letter is missing, too many, another, or two beside each other are swapped."""
    if abs(len(typed) - len(meant)) > 1 or typed == meant:
        return False
    same = next(
        (place for place, (a, b) in enumerate(zip(typed, meant, strict=False)) if a != b),
        min(len(typed), len(meant)),
    )
    rest, other = typed[same:], meant[same:]
    return (
        rest[1:] == other
        or rest == other[1:]
        or rest[1:] == other[1:]
        or (rest[:2] == other[1::-1] and rest[2:] == other[2:])
    )


def _token(field: str, value: str) -> str:
    return f"{field}:{zlib.crc32(value.encode(errors='replace')):x}"
