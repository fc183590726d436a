"""Addresses from a geocoder that speaks like Photon (https://github.com/komoot/photon).

`GET <PHOTON_URL>/api?q=...` answers with GeoJSON, whose features carry street, housenumber, postcode,
city and countrycode. Only what every version knows is asked for: an unknown parameter is refused.
Without `lang` places come in the language of their country, as its post wants them.

Whatever goes wrong there, the shopper goes on typing: no suggestion is worth a fault or a wait.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core.cache import cache

from accounts.addressing import AddressRules, tidy_postcode, write_street

SHORTEST = 4
MOST = 5
ASKED_FOR = 15
"""More than are shown: other countries and repeated streets are dropped here."""
CONNECT_SECONDS, READ_SECONDS = 1.0, 2.0
MOST_BYTES = 100_000
PAUSE_SECONDS = 30
"""After a failure nobody waits for the geocoder for so long."""
PAUSED = "orders.photon.paused"
NUMBER = re.compile(r"(?:^|\s)(\d+\s?[a-zA-Z]?(?:[-/]\d+)?)$|^(\d+[a-zA-Z]?)\s")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An address by the names of the checkout's fields."""

    street: str
    postcode: str
    city: str

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.street, f"{self.postcode} {self.city}".strip())))

    def as_json(self) -> str:
        return json.dumps({"picked": "1", **asdict(self)})


class Unanswered(Exception):
    """The geocoder is away, slow, or says something that cannot be understood."""


def is_on() -> bool:
    return bool(settings.PHOTON_URL)


def suggest(street: str, *, place: str, rules: AddressRules) -> list[Suggestion]:
    """Return addresses in a country for what was typed of a street; empty when in doubt.

    `place` is what is known of postcode and city. No transaction may be open.
    """
    if not is_on() or sum(map(str.isalpha, street)) < SHORTEST or cache.get(PAUSED):
        return []
    try:
        features = _ask(f"{street} {place}".strip())
    except Unanswered:
        cache.set(PAUSED, True, PAUSE_SECONDS)
        return []
    found = (_read(feature, rules, number=_house_number(street)) for feature in features)
    return list(dict.fromkeys(filter(None, found)))[:MOST]


def _ask(words: str) -> list[Any]:
    address = urlsplit(settings.PHOTON_URL)
    kind = HTTPSConnection if address.scheme == "https" else HTTPConnection
    connection = kind(address.hostname or "", address.port, timeout=CONNECT_SECONDS)
    query = urlencode({"q": words[:200], "limit": ASKED_FOR})
    try:
        connection.connect()
        connection.sock.settimeout(READ_SECONDS)
        connection.request(
            "GET", f"{address.path.rstrip('/')}/api?{query}", headers={"Accept": "application/json"}
        )
        answer = connection.getresponse()
        if answer.status != 200:
            raise Unanswered(answer.status)
        features = json.loads(_read_all(answer.read1))["features"]
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        raise Unanswered from error
    finally:
        connection.close()
    return features if isinstance(features, list) else []


def _read_all(read: Any) -> bytes:
    """Read an answer of a bounded size in a bounded time, however slowly it drips in."""
    deadline, content = time.monotonic() + READ_SECONDS, b""
    while piece := read(16_384):
        content += piece
        if len(content) > MOST_BYTES or time.monotonic() > deadline:
            raise Unanswered
    return content


def _read(feature: Any, rules: AddressRules, *, number: str) -> Suggestion | None:
    """Make an address of a feature; None when it is in another country, or no street."""
    facts = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(facts, dict) or facts.get("countrycode") != rules.country:
        return None
    is_street = facts.get("osm_key") == "highway" or facts.get("type") == "street"
    street = _text(facts, ["street", "name"] if is_street else ["street"])
    city = _text(facts, ["city", "town", "village", "locality"])
    postcode = tidy_postcode(_text(facts, ["postcode"]), rules)
    if not street or not city or (rules.needs_postcode and not postcode):
        return None
    # The number that was typed stays when the map knows only the street.
    whole = write_street(street, _text(facts, ["housenumber"]) or number, rules)
    return Suggestion(whole[:200], postcode[:20], city[:100])


def _text(facts: dict[str, Any], names: Iterable[str]) -> str:
    texts = (facts.get(name) for name in names)
    return next((text.strip() for text in texts if isinstance(text, str) and text.strip()), "")


def _house_number(street: str) -> str:
    found = NUMBER.search(street.strip())
    return (found[1] or found[2]) if found else ""
