"""The choices of a facet, drawn here since a page has hundreds: a tenth of what a template takes."""

from __future__ import annotations

from functools import lru_cache

from django import template
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.text import slugify

from catalog.queries.facets import Facet
from shop.templatetags.ui import swatch

register = template.Library()


@register.simple_tag
def facet_options(facet: Facet) -> SafeString:
    """Draw what there is to choose of a facet, each a link that puts the choice in or takes it out.

    All but address and count is the same on every page, and remembered.
    """
    drawn = []
    for option in facet.options:
        link, inside = _draw_still(facet.code, option.value, option.label, option.swatch)
        current = ' aria-current="true"' if option.selected else ""
        drawn.append(
            f'{link}{escape(option.url)}" rel="nofollow"{current}>{inside}{option.count}</span></a></li>'
        )
    return mark_safe("".join(drawn))


@lru_cache(maxsize=8192)
def _draw_still(code: str, value: str, label: str, colour: str) -> tuple[str, str]:
    """Draw what stands before the address of a choice, and what stands before its count."""
    link = format_html('<li><a class="facet__option" id="facet-{}-{}" href="', code, slugify(value))
    mark = swatch(colour) if colour else mark_safe('<span class="facet__box"></span>')
    inside = format_html(
        '{}<span class="facet__name">{}</span> <span class="facet__count">', mark, label
    )
    return link, inside
