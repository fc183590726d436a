"""Components whose markup follows from their arguments alone, drawn once and remembered."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django import template
from django.conf import settings
from django.template.loader import get_template
from django.utils.translation import get_language

register = template.Library()

REMEMBERED = 4096


@register.simple_tag
def component(template_name: str, **values: Any) -> str:
    """Include a template with these values and nothing else, like `include ... only`.

    What was drawn is kept in this process by its values and the language, so it cannot go stale;
    in return the template must use nothing but its arguments, and these must be plain frozen
    values (or lists of them). A text that is marked as safe does not differ from one that is not:
    never pass one.
    """
    plain = tuple((name, _freeze(value)) for name, value in values.items())
    draw = _draw.__wrapped__ if settings.DEBUG else _draw
    markup: str = draw(template_name, get_language(), plain)
    return markup


@lru_cache(maxsize=REMEMBERED)
def _draw(template_name: str, language: str | None, values: tuple[tuple[str, Any], ...]) -> str:
    return get_template(template_name).render(dict(values))


def _freeze(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value
