"""A field is checked when it is left: by the same form, in silence where all is well."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.factories.orders import TYPED, make_delivery
from tests.shared import naughty_strings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _delivery() -> None:
    make_delivery()


def leave(name: str, /, **typed: str) -> Any:
    return Client().post(f"/checkout/fields/{name}/", TYPED | {"phone": ""} | typed)


@pytest.mark.parametrize("name", ["email", "name", "street", "postcode", "city", "phone"])
def test_a_field_that_is_right_or_empty_is_answered_with_nothing(name: str) -> None:
    for answer in (leave(name), leave(name, **{name: ""})):
        assert (answer.status_code, answer.content) == (200, b"")


@pytest.mark.parametrize(
    ("name", "typed", "told"),
    [
        ("email", "ada", "There is no @ in it."),
        ("email", "ada@gmial.com", "Did you mean ada@gmail.com?"),
        ("name", "ada@gmail.com", "This looks like an email."),
        ("street", "Unter den Linden", "Is there a house number?"),
        ("postcode", "1011", "Enter a postcode as it is written in Germany"),
        ("phone", "123", "Enter a phone number"),
    ],
)
def test_a_field_is_told_what_the_whole_form_would_be_told(
    name: str, typed: str, told: str
) -> None:
    answer = leave(name, **{name: typed})

    words = answer.content.decode()
    assert told in words
    assert "<input type" not in words.replace('<input type="hidden" name="asked"', "")


def test_a_field_says_nothing_of_the_others() -> None:
    assert leave("city", email="ada", name="").content == b""


def test_while_somebody_types_only_what_is_mended_is_answered() -> None:
    still_wrong = leave("postcode", postcode="1011", while_typing="1")
    mended = leave("postcode", while_typing="1")

    assert (still_wrong.status_code, still_wrong.content) == (204, b"")
    assert (mended.status_code, mended.content) == (200, b"")


def test_a_suggestion_that_is_taken_comes_back_in_its_field() -> None:
    words = leave("email", email="ada@gmial.com", take="email").content.decode()

    assert 'value="ada@gmail.com"' in words
    assert "autofocus" in words
    assert "Did you mean" not in words


@pytest.mark.parametrize("name", ["nothing", "submit_key", "shipping_method"])
def test_a_field_that_the_form_does_not_have_is_refused(name: str) -> None:
    assert leave(name).status_code == 400


def test_a_field_takes_any_text() -> None:
    client = Client()
    for name in ("email", "name", "street", "postcode", "city", "phone"):
        for text in [*naughty_strings()[::12], "\0", "\ud7ff", "9" * 400, "@" * 300, "." * 300]:
            answer = client.post(f"/checkout/fields/{name}/", TYPED | {name: text})
            assert answer.status_code == 200, (name, text)
            assert "<script>alert" not in answer.content.decode()


def test_a_check_touches_no_session_and_needs_one_statement(
    django_assert_num_queries: Any,
) -> None:
    with django_assert_num_queries(1):
        answer = leave("email", email="ada")

    assert not answer.cookies
