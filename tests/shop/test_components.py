from __future__ import annotations

import pytest
from django.template import Context, Template
from django.utils import translation

from catalog.queries.category import CategoryCard


def draw(source: str, **values: object) -> str:
    return Template("{% load components %}" + source).render(Context(values))


def test_draws_what_an_include_would() -> None:
    card = CategoryCard(url="/categories/cups/", name="Cups & <mugs>", picture=None)

    remembered = draw(
        '{% component "components/tile.html" category=card sizes="50vw" %}', card=card
    )
    included = draw(
        '{% include "components/tile.html" with category=card sizes="50vw" only %}', card=card
    )

    assert remembered == included
    assert "Cups &amp; &lt;mugs&gt;" in remembered


def test_other_values_and_other_languages_are_drawn_anew() -> None:
    source = '{% component "components/empty.html" title=title %}'

    assert "First" in draw(source, title="First")
    assert "Second" in draw(source, title="Second")
    with translation.override("de"):
        assert "First" in draw(source, title="First")


def test_nothing_but_the_arguments_gets_in() -> None:
    html = draw('{% component "components/empty.html" title="Empty" %}', words="secret")

    assert "secret" not in html


def test_what_could_change_unseen_is_refused() -> None:
    with pytest.raises(TypeError):
        draw('{% component "components/empty.html" title=title %}', title={"a": 1})
