from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.template import Context, Template
from django.utils import translation


def render(source: str, **context: object) -> str:
    return Template("{% load dates ui %}" + source).render(Context(context))


def test_icon_without_a_label_is_hidden_from_screen_readers() -> None:
    assert 'aria-hidden="true"' in render('{% icon "cart" %}')


def test_icon_with_a_label_is_a_named_picture() -> None:
    assert 'role="img" aria-label="Basket &amp; co"' in render(
        '{% icon "cart" label %}', label="Basket & co"
    )


def test_swatch_takes_its_colour_without_a_style_attribute() -> None:
    html = render("{% swatch colour %}", colour='#7b7f63" onload="x')

    assert 'fill="#7b7f63&quot; onload=&quot;x"' in html
    assert "style" not in html


@pytest.mark.parametrize(
    ("language", "full", "brief"),
    [("en", "November 21, 2026", "Nov 21"), ("de", "21. November 2026", "21. Nov.")],
)
def test_day_is_written_in_the_language_and_time_zone_of_the_shop(
    settings: object, language: str, full: str, brief: str
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"  # type: ignore[attr-defined]
    late_evening_in_utc = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)

    with translation.override(language):
        written = render("{{ at|day }}|{{ at|short_day }}", at=late_evening_in_utc)

    assert written == f"{full}|{brief}"


def test_no_day_is_written_as_nothing() -> None:
    assert render("{{ at|day }}{{ at|short_day }}", at=None) == ""
