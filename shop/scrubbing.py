"""Takes secrets and card numbers out of what is written to the log, tracebacks included.

The last step before a line leaves: whoever logs need not think of it, and a library's own words go
through it as well. What is hidden says what it was.
"""

from __future__ import annotations

import logging
import re

from shop import cards

HIDDEN = "[hidden]"
LONGEST = 20_000
_NAMES = (
    r"pass(?:word|wd|phrase)?\d?|secret|token|api[_-]?key|csrf\w*|session(?:id|[_-]key)?|otp|"
    r"authorization|(?:set-)?cookie|client[_-]secret|private[_-]key|credential|signature|cvc|cvv"
)
_RULES = (
    # Authorization: Bearer …, Cookie: a=…; b=…, to the end of the line or the quotes.
    (
        re.compile(
            r"(?P<name>\b(?:(?:proxy-)?authorization|(?:set-)?cookie|stripe-signature)"
            r"[\"']?\s*[:=]\s*b?[\"']?)[^\"'\r\n]+",
            re.IGNORECASE,
        ),
        rf"\g<name>{HIDDEN}",
    ),
    (re.compile(r"\b(?P<name>Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\g<name> {HIDDEN}"),
    # password=…, "token": "…", 'csrfmiddlewaretoken': ['…']
    (
        re.compile(
            rf"(?P<name>\b[\w-]{{0,40}}(?:{_NAMES})[\w-]{{0,40}}[\"']?\s*(?:=>|[:=])\s*)"
            r"(?:\[?b?\"[^\"\r\n]*\"\]?|\[?b?'[^'\r\n]*'\]?|[^\s,;&\"'<>)\]}]+)",
            re.IGNORECASE,
        ),
        rf"\g<name>{HIDDEN}",
    ),
    # The signed links of mails: a key behind the question mark, or in the path.
    (
        re.compile(r"(?P<name>[?&](?:key|code|state|sig|hash|s)=)[^&\s\"'<>#]+"),
        rf"\g<name>{HIDDEN}",
    ),
    (
        re.compile(
            r"(?P<name>/(?:accounts/(?:password/reset/key|confirm-email)|back-in-stock"
            r"|wishlists/shared)/)(?!done/|sent/)[^/\s\"'?]+"
        ),
        rf"\g<name>{HIDDEN}",
    ),
    # Whole addresses with a password in them: redis://:pw@host, postgres://user:pw@host.
    (
        re.compile(r"(?P<name>\b[a-z][a-z0-9+.-]{0,20}://[^/\s:@]{0,80}:)[^/\s@]+(?=@)"),
        rf"\g<name>{HIDDEN}",
    ),
    (re.compile(r"\b(?P<name>(?:sk|rk|pk)_(?:live|test)_|whsec_)\w+"), rf"\g<name>{HIDDEN}"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"), HIDDEN),
)


def scrub(text: str) -> str:
    """Return a text without the secrets and card numbers that can be told by their looks.

    No line of a log is longer than `LONGEST` characters; so it takes no time to look through one.
    """
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]} …"
    for pattern, instead in _RULES:
        text = pattern.sub(instead, text)
    return cards.mask(text)


class ScrubbingFormatter(logging.Formatter):
    """Formats a record as ever, or as another formatter does, and scrubs the whole of it."""

    inner: logging.Formatter | None = None

    @classmethod
    def around(cls, inner: logging.Formatter | None) -> ScrubbingFormatter:
        made = cls()
        made.inner = inner
        return made

    def format(self, record: logging.LogRecord) -> str:
        text = self.inner.format(record) if self.inner else super().format(record)
        # A traceback that was formatted is kept with the record, for the handlers after this one.
        if record.exc_text:
            record.exc_text = scrub(record.exc_text)
        return scrub(text)


def scrub_handlers(logger: logging.Logger) -> None:
    """Let what a library's own handlers write be scrubbed, too, as Celery's."""
    for handler in logger.handlers:
        if not isinstance(handler.formatter, ScrubbingFormatter):
            handler.setFormatter(ScrubbingFormatter.around(handler.formatter))
