"""Slips of the finger, one by one: mended, asked about, or left to the form to refuse."""

from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.addressing import get_rules
from orders import typos

GERMANY = get_rules("DE")


def mend_place(postcode: str, city: str, country: str = "DE") -> tuple[str, str]:
    mended = typos.mend({"postcode": postcode, "city": city}, get_rules(country))
    return mended["postcode"], mended["city"]


@pytest.mark.parametrize(
    "typed",
    [
        *("ada@gmail,com", "ada @gmail.com", "ada@ gmail.com", " ada@gmail.com ", "ada@@gmail.com"),
        *(
            "ada@gmail..com",
            "ada@gmail.com.",
            "ada@gmail.com,",
            "<ada@gmail.com>",
            "ada@gmail. com",
        ),
        *(
            "mailto:ada@gmail.com",
            "\u200bada@gmail.com\ufeff",
            "ada＠gmail．com",
            "ada@gmail.com\xa0",
        ),
    ],
)
def test_an_email_is_mended_where_only_one_thing_can_be_meant(typed: str) -> None:
    assert typos.mend_email(typed) == "ada@gmail.com"


@pytest.mark.parametrize(
    "email",
    ["ADA@GMAIL.COM", "ada.b+shop@example.co.uk", "Ada.Lovelace@Example.com", "ö@bücher.de"],
)
def test_an_email_that_is_right_stays_as_it_was_typed(email: str) -> None:
    assert typos.mend_email(email) == email
    assert typos.suggest_email(email) == ""


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ada@gmial.com", "ada@gmail.com"),
        ("ada@gmai.com", "ada@gmail.com"),
        ("ada@gmaill.com", "ada@gmail.com"),
        ("ada@gnail.com", "ada@gmail.com"),
        ("ada@gmail.con", "ada@gmail.com"),
        ("ada@gmial.con", "ada@gmail.com"),
        ("ada@hotmail.co", "ada@hotmail.com"),
        ("ada@gmail", "ada@gmail.com"),
        ("ada@outlok.de", "ada@outlook.de"),
        ("ada@t-onlin.de", "ada@t-online.de"),
        ("ada@freenet", "ada@freenet.de"),
        ("ada@web.ed", "ada@web.de"),
        ("ada@firma.con", "ada@firma.com"),
    ],
)
def test_a_doubtful_email_is_asked_about_with_what_was_probably_meant(
    typed: str, meant: str
) -> None:
    doubts = typos.find_doubts({"email": typed}, GERMANY)

    assert [(doubt.field, doubt.suggestion) for doubt in doubts] == [("email", meant)]
    assert doubts[0].question == f"Did you mean {meant}?"


@pytest.mark.parametrize(
    "email",
    [
        *("ada@mail.com", "ada@email.com", "ada@ymail.com", "ada@hotmail.se", "ada@hotmail.co.uk"),
        *("ada@smail.eu", "ada@gmx.de", "ada@web.de", "ada@posteo.net", "ada@example", "ada"),
    ],
)
def test_a_real_provider_is_never_taken_for_a_slip(email: str) -> None:
    assert typos.suggest_email(email) == ""


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("ada", "There is no @ in it."),
        ("ada.gmail.com", "There is no @ in it."),
        ("ada@home@gmail.com", "There is more than one @ in it."),
        ("ada@example", "The ending is missing, such as .com."),
        ("ada lovelace@gmail.com", "There is a space in it."),
        ("ada,lovelace@gmail.com", "There is a comma in it."),
    ],
)
def test_an_email_that_is_none_is_told_what_it_lacks(typed: str, told: str) -> None:
    email = typos.mend_email(typed)

    assert typos.explain_email(email) == f"{told} Enter an email like name@example.com."
    with pytest.raises(ValidationError):
        validate_email(email)


@pytest.mark.parametrize(
    ("postcode", "city", "country", "mended"),
    [
        ("10117 Berlin", "", "DE", ("10117", "Berlin")),
        ("10117 Berlin", "Berlin", "DE", ("10117", "Berlin")),
        ("", "10117 Berlin", "DE", ("10117", "Berlin")),
        ("10117", "10117 Berlin", "DE", ("10117", "Berlin")),
        ("", "Berlin, 10117", "DE", ("10117", "Berlin")),
        ("", "Frankfurt am Main 60311", "DE", ("60311", "Frankfurt am Main")),
        ("1234ab Amsterdam", "", "NL", ("1234 AB", "Amsterdam")),
        ("", "London SW1A 1AA", "GB", ("SW1A 1AA", "London")),
    ],
)
def test_postcode_and_city_typed_into_one_field_are_parted(
    postcode: str, city: str, country: str, mended: tuple[str, str]
) -> None:
    assert mend_place(postcode, city, country) == mended


@pytest.mark.parametrize(
    ("postcode", "city", "country"),
    [
        ("10117", "Berlin", "DE"),
        ("80331", "10117 Berlin", "DE"),
        ("10117 Berlin", "Potsdam", "DE"),
        ("", "Dublin 24", "IE"),
        ("13001", "Marseille 13", "FR"),
        ("", "10117", "DE"),
    ],
)
def test_a_place_that_is_clear_or_contradicts_itself_is_left_alone(
    postcode: str, city: str, country: str
) -> None:
    assert mend_place(postcode, city, country) == (postcode, city)


def test_a_street_without_a_number_is_asked_about_where_houses_have_numbers() -> None:
    def ask(street: str, country: str) -> list[str]:
        doubts = typos.find_doubts({"street": street}, get_rules(country))
        return [doubt.question for doubt in doubts]

    assert ask("Unter den Linden", "DE") == ["Is there a house number? Add it if there is one."]
    assert ask("Unter den Linden 1", "DE") == []
    assert ask("The Old Rectory", "GB") == []


def test_the_token_of_a_doubt_is_of_this_very_value() -> None:
    first, again, other = (
        typos.find_doubts({"email": email}, GERMANY)[0].token
        for email in ("ada@gmial.com", "ada@gmial.com", "bea@gmial.com")
    )

    assert first == again != other


def test_a_text_loses_only_what_nobody_sees() -> None:
    assert typos.tidy("\ufeff Ada\u200b \xa0Lovelace\u00ad ") == "Ada Lovelace"
    assert typos.tidy("ADA") == "ADA"
    joined = "می\u200cخواهم"
    assert typos.tidy(joined) == joined
