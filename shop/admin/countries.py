"""Countries as people choose them in forms."""

from __future__ import annotations

from babel import Locale
from django.utils.translation import get_language, to_locale

NOT_COUNTRIES = {"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"}


def country_choices() -> list[tuple[str, str]]:
    """List ISO 3166 codes with their names in the page's language, by name."""
    territories = Locale.parse(to_locale(get_language() or "en")).territories
    countries = [
        (code, f"{name} ({code})")
        for code, name in territories.items()
        if len(code) == 2 and code.isalpha() and code not in NOT_COUNTRIES
    ]
    return sorted(countries, key=lambda country: country[1])
