"""The same page in the shop's other languages, told from its address alone."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings
from django.urls import get_resolver
from django.urls.resolvers import LocalePrefixPattern
from django.utils.translation import get_language, get_language_info

LONGEST_QUERY = 1_000
"""What stands behind a longer question mark is not repeated in links: it would fill the page."""


@dataclass(frozen=True, slots=True)
class LanguageLink:
    """A page in one language; `name` is what that language calls itself."""

    code: str
    name: str
    path: str
    is_current: bool
    is_default: bool


def list_language_links(path: str, *, query: str = "") -> list[LanguageLink]:
    """List a page's addresses in all languages; none where a page has only one language.

    The path is one as the active language has it. No address is resolved, for every page of the
    shop asks this.
    """
    codes = [code for code, _name in settings.LANGUAGES]
    if len(codes) < 2 or path.startswith(_paths_without_language(settings.ROOT_URLCONF)):
        return []
    current = get_language() or settings.LANGUAGE_CODE
    page = path.removeprefix(_prefix(current))
    question = f"?{query}" if 0 < len(query) <= LONGEST_QUERY else ""
    return [
        LanguageLink(
            code=code,
            name=_own_name(code),
            path=f"{_prefix(code)}{page}{question}",
            is_current=code == current,
            is_default=code == settings.LANGUAGE_CODE,
        )
        for code in codes
    ]


def _prefix(code: str) -> str:
    return "" if code == settings.LANGUAGE_CODE else f"/{code}"


def _own_name(code: str) -> str:
    name: str = get_language_info(code)["name_local"]
    return name[:1].upper() + name[1:]


@lru_cache(maxsize=4)
def _paths_without_language(urlconf: str) -> tuple[str, ...]:
    """Return how the addresses begin that stand beside the languages, such as the admin's."""
    beside = (
        str(entry.pattern).partition("<")[0]
        for entry in get_resolver(urlconf).url_patterns
        if not isinstance(entry.pattern, LocalePrefixPattern)
    )
    return tuple(f"/{beginning}" for beginning in beside if beginning)
