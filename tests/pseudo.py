"""A language nobody speaks: every text of the shop in marks, longer, and from right to left.

What a page shows outside the marks never went through gettext. The language borrows the code of
Arabic, whose direction, dates and country names it then has.
"""

from __future__ import annotations

import gettext
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

from django.conf import settings
from django.test import override_settings
from django.utils import translation
from django.utils.translation import trans_real

CODE = "ar"
BEGIN, END = "[!!", "!!]"
RIGHT_TO_LEFT = "\u200f"

READ_ATTRIBUTES = ("aria-label", "alt", "placeholder", "title", "data-failed")
SILENT_ELEMENTS = ("script", "style")
VOID_ELEMENTS = ("area", "br", "circle", "hr", "img", "input", "link", "meta", "source", "use")
WORD = re.compile(r"[A-Za-zÀ-ÿ]{2,}")


def pretend(text: str) -> str:
    """Mark a text and make it 40 % longer, as many languages are."""
    _context, _mark, words = text.rpartition(trans_real.CONTEXT_SEPARATOR)
    return f"{BEGIN}{RIGHT_TO_LEFT}{words}{'~' * math.ceil(len(words) * 0.4)}{END}"


class PseudoTranslation(gettext.NullTranslations):
    """Answers every question of Django's with the English text in marks."""

    def gettext(self, message: str) -> str:
        return pretend(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return pretend(msgid1 if n == 1 else msgid2)

    def language(self) -> str:
        return CODE

    def to_language(self) -> str:
        return CODE


@contextmanager
def spoken() -> Iterator[None]:
    """Let the shop speak the language under /ar/; in no other process and not for long."""
    with override_settings(LANGUAGES=[*settings.LANGUAGES, (CODE, "Pseudo")]):
        real = trans_real._translations.get(CODE)
        trans_real._translations[CODE] = PseudoTranslation()
        try:
            yield
        finally:
            del trans_real._translations[CODE]
            if real is not None:
                trans_real._translations[CODE] = real
            translation.activate("en")


class _VisibleText(HTMLParser):
    """Gathers what a person sees or hears of a page, without what has a language of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.root: dict[str, str] = {}
        self.silent: list[bool] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "html":
            self.root = given
        is_foreign = tag != "html" and given.get("lang", CODE) != CODE
        is_silent = tag in SILENT_ELEMENTS or is_foreign or any(self.silent)
        if not is_silent:
            self.texts += [given[name] for name in READ_ATTRIBUTES if name in given]
            if tag == "meta" and given.get("name") == "description":
                self.texts.append(given.get("content", ""))
        if tag not in VOID_ELEMENTS:
            self.silent.append(is_silent)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID_ELEMENTS:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID_ELEMENTS and self.silent:
            self.silent.pop()

    def handle_data(self, data: str) -> None:
        if not any(self.silent):
            self.texts.append(data)


def root_of(html: str) -> dict[str, str]:
    """Return the attributes of the html element."""
    page = _VisibleText()
    page.feed(html)
    return page.root


def find_untranslated(html: str, *, known: set[str]) -> list[str]:
    """List the words that a page shows outside the marks; `known` are names and other data."""
    page = _VisibleText()
    page.feed(html)
    text = _without_marked("\n".join(page.texts))
    for name in sorted(known, key=len, reverse=True):
        text = text.replace(name, " ")
    return WORD.findall(text)


def _without_marked(text: str) -> str:
    """Cut out what stands in marks, which may lie within each other."""
    outside, depth = [], 0
    for piece in re.split(r"(\[!!|!!\])", text):
        if piece == BEGIN:
            depth += 1
        elif piece == END:
            depth -= 1
        elif depth == 0:
            outside.append(piece)
    assert depth == 0, "a mark stands alone: a text was cut"
    return "".join(outside)
