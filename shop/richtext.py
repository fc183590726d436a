"""HTML that people typed or imported, made safe once, when it is stored."""

from __future__ import annotations

import re

import nh3
from django.utils.html import escape, strip_tags

ALLOWED_TAGS = {
    "a", "b", "blockquote", "br", "em", "h3", "h4", "hr", "i", "li", "ol", "p", "strong",
    "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


PASSES = 5
MOST_TAGS = 5_000
"""Time grows with the square of how deep tags nest, so what has more of them is taken as a text."""


def clean_html(html: str) -> str:
    """Return the HTML with only harmless tags and attributes left.

    Cleaning what is clean changes nothing: broken tables, say, take more than one pass.
    """
    for _pass in range(PASSES):
        if html.count("<") > MOST_TAGS:
            return " ".join(escape(re.sub(r"<[^<>]{0,200}>|[<>]", " ", html)).split())
        before, html = html, _clean(html)
        if html == before:
            break
    return html


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=ALLOWED_TAGS,
        attributes={"a": {"href", "title"}, "td": {"colspan"}, "th": {"colspan", "scope"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener nofollow",
        clean_content_tags={"script", "style", "iframe", "object", "svg", "math"},
    ).strip()


def paragraphs(text: str) -> str:
    """Turn plain text into safe HTML paragraphs, split at blank lines."""
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]
    return "\n".join(f"<p>{escape(block)}</p>" for block in blocks)


def to_text(html: str) -> str:
    """Return the words of some HTML on one line."""
    return " ".join(strip_tags(re.sub(r"<(br|/p|/li|/h\d)[^>]*>", " ", html)).split())


def shorten(text: str, *, most: int = 160) -> str:
    """Return the beginning of a text, cut between words, with an ellipsis where more would follow.

    >>> shorten("A cup for tea", most=9)
    'A cup for…'
    """
    words = " ".join(text.split())
    if len(words) <= most:
        return words
    kept = words[: most + 1].rpartition(" ")[0] or words[:most]
    return f"{kept.rstrip(' ,;:.–-')}…"
