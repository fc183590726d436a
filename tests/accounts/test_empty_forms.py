from __future__ import annotations

import pytest

from tests.forms import read_form

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("/accounts/login/", ["Enter your email.", "Enter your password."]),
        ("/accounts/signup/", ["Enter your email.", "Choose a password."]),
        ("/accounts/password/reset/", ["Enter your email."]),
    ],
)
def test_an_empty_field_says_how_to_mend_it(client, address: str, words: list[str]) -> None:
    token = read_form(client.get(address), address)["csrfmiddlewaretoken"]

    page = client.post(address, {"csrfmiddlewaretoken": token}).content.decode()

    assert all(word in page for word in words)
    assert "This field is required" not in page
