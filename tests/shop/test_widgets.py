from __future__ import annotations

import re

import pytest
from django import forms
from django.forms.renderers import DjangoTemplates
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy

from shop.widgets import DRAWERS, QuickRenderer

NASTY = "\"><script>&'1,5"
ATTRS = {
    "id": "id_field",
    "required": True,
    "disabled": False,
    "maxlength": 1200,
    "placeholder": gettext_lazy("Email"),
    "data-nasty": NASTY,
    "data-safe": mark_safe("&amp;"),
}
CHOICES = [
    ("", "Please choose"),
    (1200, NASTY),
    ("Group", [("a", "A"), ("b", mark_safe("<b>B</b>"))]),
]


def without_gaps(html: str) -> str:
    """Leave out white space between tags, of which Django's templates have a little more."""
    return re.sub(r">\s+<", "><", html)


@pytest.mark.parametrize("value", [None, "", "plain", NASTY, 1200, 12.5, mark_safe("&amp;")])
@pytest.mark.parametrize(
    "widget",
    [
        forms.TextInput(),
        forms.EmailInput(),
        forms.NumberInput(),
        forms.PasswordInput(render_value=True),
        forms.HiddenInput(),
        forms.URLInput(),
        forms.CheckboxInput(),
        forms.DateInput(),
        forms.TimeInput(),
        forms.DateTimeInput(),
        forms.Select(choices=CHOICES),
        forms.SelectMultiple(choices=CHOICES),
        forms.NullBooleanSelect(),
        forms.RadioSelect(choices=CHOICES),
        forms.CheckboxSelectMultiple(choices=CHOICES),
        forms.Textarea(),
    ],
    ids=lambda widget: type(widget).__name__,
)
def test_an_input_is_drawn_as_django_draws_it(widget: forms.Widget, value: object) -> None:
    if isinstance(widget, forms.SelectMultiple | forms.CheckboxSelectMultiple):
        value = [] if value is None else [value]

    ours = widget.render("field", value, attrs=ATTRS, renderer=QuickRenderer())

    djangos = widget.render("field", value, attrs=ATTRS, renderer=DjangoTemplates())
    assert without_gaps(ours) == without_gaps(djangos)


def test_one_of_several_is_drawn_alone_as_django_draws_it() -> None:
    class Choice(forms.Form):
        way = forms.ChoiceField(choices=CHOICES, widget=forms.RadioSelect)

    ours = [each.tag() for each in Choice({"way": "a"}, renderer=QuickRenderer())["way"]]

    assert ours == [each.tag() for each in Choice({"way": "a"}, renderer=DjangoTemplates())["way"]]


def test_every_input_that_is_drawn_here_is_one_of_djangos() -> None:
    for name in DRAWERS:
        assert DjangoTemplates().get_template(name)
