from __future__ import annotations

import pytest
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from shop.views.same_origin import same_origin_required


@same_origin_required
def change(request: HttpRequest) -> HttpResponse:
    return HttpResponse("changed")


def post(**headers: str) -> int:
    request = RequestFactory(headers={"host": "localhost:8000"}).post("/", headers=headers)
    try:
        return change(request).status_code
    except PermissionDenied:
        return 403


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin", "origin": "null"},
        {"origin": "http://localhost:8000"},
        {"origin": "http://LOCALHOST:8000"},
        {"referer": "http://localhost:8000/products/dune-mug/"},
        {},
    ],
)
def test_a_form_of_our_own_pages_is_accepted(headers: dict[str, str]) -> None:
    assert post(**headers) == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "nonsense"},
        {"sec-fetch-site": "cross-site", "origin": "http://localhost:8000"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:8001"},
        {"origin": "http://localhost:8000.evil.example"},
        {"origin": "http://localhost:8000@evil.example"},
        {"origin": "http://[evil"},
        {"origin": "null", "referer": "http://localhost:8000/"},
        {"referer": "https://evil.example/?http://localhost:8000/"},
    ],
)
def test_a_form_of_another_site_is_refused(headers: dict[str, str]) -> None:
    assert post(**headers) == 403


def test_reading_is_never_refused() -> None:
    request = RequestFactory().get("/", headers={"sec-fetch-site": "cross-site"})

    assert change(request).status_code == 200


def test_no_csrf_token_is_asked_for() -> None:
    assert change.csrf_exempt is True
