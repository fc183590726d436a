"""Components whose markup follows from their arguments alone, drawn once and remembered."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from django import template
from django.conf import settings
from django.template.loader import get_template
from django.utils.translation import get_language

register = template.Library()

MOST_DRAWINGS = 8192
MOST_CHARACTERS = 8_000_000
"""What one component may remember in a process, so that a crawl of all filters fills no memory."""

Values = tuple[tuple[str, Any], ...]
Drawer = Callable[[str | None, Values], str]


@register.simple_tag
def component(template_name: str, **values: Any) -> str:
    """Include a template with these values and nothing else, like `include ... only`.

    What was drawn is kept in this process by its values and the language, so it cannot go stale;
    in return the template must use nothing but its arguments, and these must be plain frozen
    values (or lists of them). A text that is marked as safe does not differ from one that is not:
    never pass one.
    """
    plain = tuple((name, _freeze(value)) for name, value in values.items())
    if settings.DEBUG:
        return _draw(template_name, get_language(), plain)
    draw = _memories.get(template_name) or _open_memory(template_name, plain)
    return draw(get_language(), plain)


_memories: dict[str, Drawer] = {}


def _open_memory(template_name: str, values: Values) -> Drawer:
    """Let a component remember as many drawings as fit its share, judged by the first one."""
    length = len(_draw(template_name, get_language(), values))
    room = min(MOST_DRAWINGS, max(16, MOST_CHARACTERS // max(1, length)))
    return _memories.setdefault(
        template_name, lru_cache(maxsize=room)(partial(_draw, template_name))
    )


def _draw(template_name: str, language: str | None, values: Values) -> str:
    return get_template(template_name).render(dict(values))


def _freeze(value: Any) -> Any:
    return tuple(value) if isinstance(value, list | tuple) else value
