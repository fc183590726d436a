"""Days as people read them, in the shop's time zone."""

from __future__ import annotations

from datetime import date, datetime

from babel.dates import format_date, format_skeleton, format_time
from django import template
from django.utils.timezone import is_aware, localtime
from django.utils.translation import get_language, to_locale

register = template.Library()


def _local_day(value: date | datetime) -> date:
    if isinstance(value, datetime):
        return (localtime(value) if is_aware(value) else value).date()
    return value


@register.filter
def day(value: date | datetime | None) -> str:
    """Write a day in full: `{{ order.placed_at|day }}` gives "November 21, 2026"."""
    if value is None:
        return ""
    return format_date(_local_day(value), "long", locale=to_locale(get_language() or "en"))


@register.filter
def short_day(value: date | datetime | None) -> str:
    """Write a day of this year in brief: `{{ step.at|short_day }}` gives "Nov 21"."""
    if value is None:
        return ""
    return format_skeleton("MMMd", _local_day(value), locale=to_locale(get_language() or "en"))


@register.filter
def moment(value: datetime | None) -> str:
    """Write a day with its time: `{{ event.created_at|moment }}` gives "Nov 21, 2026, 11:05"."""
    if value is None:
        return ""
    locale = to_locale(get_language() or "en")
    local = localtime(value)
    time = format_time(local, "HH:mm", locale=locale)
    return f"{format_date(local, 'medium', locale=locale)}, {time}"
