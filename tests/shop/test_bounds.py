"""No request makes the shop work without end: bodies, fields, statements, pages, nesting."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.test.utils import override_settings
from django.urls import path

from config.urls import urlpatterns as pages
from payments.errors import ForgedEvent
from payments.gateways.event_body import DEEPEST, read_body


def sleep(request: HttpRequest) -> HttpResponse:
    """A page whose statement takes longer than anybody waits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(20)")
    return HttpResponse("awake")


urlpatterns = [path("sleep/", sleep), *pages]
handler500 = "shop.views.broken.broken"


@pytest.mark.django_db(transaction=True)
@override_settings(ROOT_URLCONF="tests.shop.test_bounds")
def test_a_statement_that_takes_too_long_is_ended_and_the_page_says_so() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = '60ms'")
    try:
        answer = Client(raise_request_exception=False).get("/sleep/")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer["Cache-Control"] == "no-store"
    assert "That took too long" in answer.content.decode()


@pytest.mark.parametrize(
    ("path", "length", "status"),
    [
        ("/cart/add/", settings.LARGEST_BODY_BYTES + 1, 413),
        ("/admin/catalog/product/add/", settings.LARGEST_BODY_BYTES + 1, 413),
        ("/admin/catalog/importrun/add/", 101 * 2**20 + 1, 413),
        ("/payments/webhooks/stripe/", 2 * 2**20, 413),
        ("/payments/webhooks/paypal/", 2 * 2**20, 413),
        ("/cart/add/", "9" * 40, 413),
        ("/cart/add/", "-1", 413),
        ("/cart/add/", "1e9", 413),
    ],
)
def test_a_body_that_says_it_is_too_large_is_not_read(
    path: str, length: int | str, status: int
) -> None:
    answer = Client().generic("POST", path, b"", CONTENT_LENGTH=str(length))

    assert answer.status_code == status
    assert "nothing of it was kept" in answer.content.decode()


def test_a_body_without_an_end_is_refused() -> None:
    answer = Client().generic(
        "POST", "/cart/add/", b"", CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked"
    )

    assert answer.status_code == 411


@pytest.mark.django_db
@pytest.mark.parametrize(
    "body",
    [
        {f"field{number}": "" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)},
        {"text": "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)},
        {
            f"file{number}": SimpleUploadedFile("a.txt", b"a")
            for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FILES + 1)
        },
    ],
    ids=["fields", "text", "files"],
)
def test_too_many_fields_texts_or_files_are_refused(body: dict[str, Any]) -> None:
    assert Client(raise_request_exception=False).post("/cart/add/", body).status_code in (400, 413)


def test_a_webhook_that_nests_too_deep_is_refused() -> None:
    def nest(depth: int) -> bytes:
        return b'{"a":' * depth + b"1" + b"}" * depth

    assert read_body(nest(DEEPEST))
    for depth in (DEEPEST + 2, 100_000):
        with pytest.raises(ForgedEvent):
            read_body(nest(depth))
    assert json.loads(nest(DEEPEST))


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["1000000000", "9" * 400, "-1", "1e9", "NaN", "١"])
@pytest.mark.parametrize("address", ["/search/?q=mug&page=", "/search/?q=&page="])
def test_a_page_far_behind_the_last_is_cheap(
    address: str, page: str, django_assert_max_num_queries: Any
) -> None:
    Client().get("/search/?q=mug")  # What a process reads once.

    with django_assert_max_num_queries(3):
        answer = Client().get(f"{address}{page}")

    assert answer.status_code in (200, 301, 302, 404)
