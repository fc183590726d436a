"""HTML that people typed or imported, made safe once, when it is stored."""

from __future__ import annotations

import re

import nh3
from django.utils.html import escape, strip_tags

ALLOWED_TAGS = {
    "a", "b", "blockquote", "br", "em", "h3", "h4", "hr", "i", "li", "ol", "p", "strong",
    "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


def clean_html(html: str) -> str:
    """Return the HTML with only harmless tags and attributes left."""
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
