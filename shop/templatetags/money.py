"""The filter that shows amounts."""

from __future__ import annotations

from django import template

from shop.formatting import format_money
from shop.money import Money

register = template.Library()


@register.filter
def money(value: Money | None) -> str:
    """Format an amount by the page's language: `{{ line.total|money }}`."""
    return "" if value is None else format_money(value)
