"""Postcodes as people type them, written as their country does."""

from __future__ import annotations

import pytest

from accounts.addressing import get_rules, tidy_postcode, write_street


@pytest.mark.parametrize(
    ("country", "typed", "written"),
    [
        ("DE", "1O117", "10117"),
        ("DE", "l0117", "10117"),
        ("DE", "D-10117", "10117"),
        ("DE", "DE 10117", "10117"),
        ("DE", "DO1067", "01067"),
        ("DE", " 101 17 ", "10117"),
        ("DE", "１０１１７", "10117"),
        ("DE", "101\u200b17", "10117"),
        ("AT", "A-1010", "1010"),
        ("CH", "CH-8001", "8001"),
        ("LU", "L-1234", "1234"),
        ("IT", "IT-00144", "00144"),
        ("SE", "SE-114 55", "11455"),
        ("NL", "1234ab", "1234 AB"),
        ("GB", "sw1a1aa", "SW1A 1AA"),
        ("CZ", "11000", "110 00"),
        ("PL", "00950", "00-950"),
        ("PL", "00–950", "00-950"),
        ("PT", "1000001", "1000-001"),
        ("US", "94103-1234", "94103-1234"),
        ("JP", "1540023", "154-0023"),
    ],
)
def test_a_postcode_is_forgiven_its_spelling(country: str, typed: str, written: str) -> None:
    assert tidy_postcode(typed, get_rules(country)) == written


@pytest.mark.parametrize(
    ("country", "typed"), [("DE", "1011"), ("DE", "101177"), ("DE", "ABCDE"), ("GB", "10117")]
)
def test_a_postcode_that_is_none_is_not_made_one(country: str, typed: str) -> None:
    assert tidy_postcode(typed, get_rules(country)) == typed


@pytest.mark.parametrize(
    ("country", "is_numeric"),
    [("DE", True), ("PL", True), ("CZ", True), ("JP", True), ("GB", False), ("NL", False)],
)
def test_a_country_whose_postcodes_are_digits_gets_the_keys_for_digits(
    country: str, is_numeric: bool
) -> None:
    assert get_rules(country).is_postcode_numeric is is_numeric


def test_a_house_number_stands_where_its_country_puts_it() -> None:
    assert write_street("Unter den Linden", "1", get_rules("DE")) == "Unter den Linden 1"
    assert write_street("Baker Street", "221b", get_rules("GB")) == "221b Baker Street"
    assert write_street("Baker Street", "", get_rules("GB")) == "Baker Street"
