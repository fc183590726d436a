"""The languages in which the page at hand can be read."""

from __future__ import annotations

from typing import Any

from django import template

from shop.languages import LanguageLink, list_language_links

register = template.Library()


@register.simple_tag(takes_context=True)
def language_links(context: dict[str, Any]) -> list[LanguageLink]:
    """List this page in all languages: `{% language_links as languages %}`."""
    request = context.get("request")
    if request is None:
        return []
    return list_language_links(request.path, query=request.META.get("QUERY_STRING", ""))
