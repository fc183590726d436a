"""Pages leave compressed: small for everybody, and silent about what is in personal ones."""

from __future__ import annotations

import gzip

import brotli
import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from shop.middleware.compression import compress_answers
from tests.factories.catalog import BuyableProductFactory, VariantFactory

BROWSER = "gzip, deflate, br, zstd"
TEXT = b"<p>" + b"much the same " * 100


def answer(response: HttpResponse | StreamingHttpResponse, accepted: str = BROWSER) -> HttpResponse:
    """Let the middleware take a view's answer."""
    request = RequestFactory().get("/", headers={"accept-encoding": accepted})
    return compress_answers(lambda _request: response)(request)


def public(body: bytes = TEXT, **headers: str) -> HttpResponse:
    return HttpResponse(body, headers={"Cache-Control": "public, max-age=0", **headers})


@pytest.mark.django_db
def test_catalogue_page_is_the_same_few_bytes_for_everybody() -> None:
    product = BuyableProductFactory()
    shopper = Client(headers={"accept-encoding": BROWSER})
    shopper.post("/cart/add/", {"variant": VariantFactory().pk})
    stranger = Client(headers={"accept-encoding": BROWSER})

    pages = [each.get(f"/products/{product.slug}/") for each in (shopper, stranger)]
    plain = Client().get(f"/products/{product.slug}/")

    assert pages[0].content == pages[1].content
    assert pages[0].headers["Content-Encoding"] == "br"
    assert pages[0].headers["Content-Length"] == str(len(pages[0].content))
    assert pages[0].headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert brotli.decompress(pages[0].content) == plain.content
    assert len(pages[0].content) < len(plain.content) / 3


@pytest.mark.django_db
def test_who_has_a_compressed_page_is_told_that_it_is_still_good() -> None:
    browser = Client(headers={"accept-encoding": BROWSER})
    first = browser.get("/")

    again = browser.get("/", headers={"if-none-match": first.headers["ETag"]})

    assert first.headers["ETag"].startswith('W/"')
    assert (again.status_code, again.content) == (304, b"")
    assert [again.headers[name] for name in ("ETag", "Vary", "Cache-Control")] == [
        first.headers[name] for name in ("ETag", "Vary", "Cache-Control")
    ]
    assert "Content-Encoding" not in again.headers


def test_public_page_is_gzip_of_equal_length_where_brotli_is_unknown() -> None:
    pages = [answer(public(), "gzip, deflate") for _ in range(5)]

    assert {page.headers["Content-Encoding"] for page in pages} == {"gzip"}
    assert {page.content for page in pages} == {gzip.compress(TEXT, 4, mtime=0)}


def test_length_of_a_personal_page_is_different_each_time() -> None:
    pages = [answer(HttpResponse(TEXT)) for _ in range(40)]

    assert {page.headers["Content-Encoding"] for page in pages} == {"gzip"}
    assert {gzip.decompress(page.content) for page in pages} == {TEXT}
    assert len({len(page.content) for page in pages}) > 10


@pytest.mark.parametrize("accepted", ["", "identity", "zstd", "br;q=0, gzip;q=0", "*;q=0"])
def test_who_cannot_read_it_gets_it_plain(accepted: str) -> None:
    page = answer(public(), accepted)

    assert page.content == TEXT
    assert "Content-Encoding" not in page.headers
    assert page.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "left_alone",
    [
        public(b"short"),
        public(**{"Content-Type": "image/webp"}),
        public(**{"Content-Encoding": "br"}),
    ],
    ids=["small", "picture", "compressed already"],
)
def test_what_would_gain_nothing_stays_as_it_is(left_alone: HttpResponse) -> None:
    before, headers = left_alone.content, dict(left_alone.headers)

    after = answer(left_alone)

    assert (after.content, dict(after.headers)) == (before, headers)


def test_stream_is_passed_on_piece_by_piece() -> None:
    pieces = [TEXT, TEXT]

    after = answer(StreamingHttpResponse(iter(pieces), content_type="text/event-stream"))

    assert list(after) == pieces
    assert "Content-Encoding" not in after.headers
