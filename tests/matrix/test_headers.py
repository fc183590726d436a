"""Every answer, whoever gives it, carries the headers that keep others out; every cookie is ours."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import pytest
from django.conf import settings as shop_settings
from django.test import Client

from shop.middleware.headers import PERMISSIONS_POLICY
from tests.admin_forms import sign_in
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.matrix.routes import ROWS, list_routes
from tests.matrix.test_strangers import places  # noqa: F401  # the same things, under the same names
from tests.shop.faulty_addresses import FAULTS

pytestmark = pytest.mark.django_db

TWO_YEARS = 63_072_000
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": PERMISSIONS_POLICY,
    "Strict-Transport-Security": f"max-age={TWO_YEARS}; includeSubDomains; preload",
}
STRICT = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
PAGE = STRICT | {
    "object-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "font-src": "'self'",
    "connect-src": "'self'",
    "manifest-src": "'self'",
    "worker-src": "'self'",
    "img-src": "'self' data:",
    "form-action": "'self'",
}
FILE = {"default-src": "'none'", "frame-ancestors": "'none'"}
UPLOAD = FILE | {"sandbox": ""}
ADMIN = PAGE | {"style-src-attr": "'unsafe-inline'"}
MAILBOX = PAGE | {"style-src": "'self' 'unsafe-inline'"}
CHECKOUT = PAGE | {
    "form-action": " ".join(
        dict.fromkeys(
            ["'self'", shop_settings.STRIPE_CHECKOUT_ORIGIN, shop_settings.PAYPAL_CHECKOUT_ORIGIN]
        )
    )
}
TO_A_PROVIDER = re.compile(r"^(checkout/|orders/<slug:number>/(pay/)?)$")


@pytest.fixture(autouse=True)
def _as_over_https_in_production(settings: Any) -> None:
    """What `config/settings.py` chooses where SHOP_URL begins with https, as its own test shows."""
    settings.SECURE_HSTS_SECONDS = TWO_YEARS
    settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = settings.SECURE_HSTS_PRELOAD = True
    settings.SESSION_COOKIE_SECURE = settings.CSRF_COOKIE_SECURE = True
    settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
    settings.MESSAGE_COOKIE_NAME = "__Host-messages"


def read_policy(answer: Any) -> dict[str, str]:
    parts = answer.headers.get("Content-Security-Policy", "").split(";")
    directives = (part.strip().partition(" ") for part in parts if part.strip())
    return {name: sources for name, _space, sources in directives}


def find_faults(
    answer: Any, policies: Iterable[dict[str, str]], *, but: dict[str, str] | None = None
) -> list[Any]:
    """List what is missing or too wide; any of the policies will do."""
    expected = ALWAYS | (but or {})
    faults: list[Any] = [
        (name, answer.headers.get(name))
        for name, value in expected.items()
        if answer.headers.get(name, "") != value
    ]
    policy = read_policy(answer)
    if policy not in list(policies):
        faults.append(policy)
    for name, cookie in answer.cookies.items():
        where = (name[:7], cookie["secure"], cookie["path"], cookie["domain"], cookie["samesite"])
        is_hidden = cookie["httponly"] or not cookie.value  # One that is taken away needs no flag.
        if where != ("__Host-", True, "/", "", "Lax") or not is_hidden:
            faults.append(cookie.OutputString())
    return faults


def test_every_route_answers_with_all_headers_whatever_is_asked(
    places: dict[str, Any],  # noqa: F811
) -> None:
    wrong = []
    for row in ROWS:
        path = row.path.format(**places)
        policies = [PAGE, *([CHECKOUT] if TO_A_PROVIDER.match(row.route) else [])]
        if row.route.startswith("mailbox/"):
            policies.append(MAILBOX)
        browser = Client(enforce_csrf_checks=True)
        browser.cookies["__Host-session"] = "a-session-that-ran-out"
        for method in ("get", "post", "options"):
            answer = getattr(browser, method)(path, secure=True)
            if faults := find_faults(answer, policies):
                wrong.append((method, path, answer.status_code, faults))

    assert not wrong, wrong


def test_every_address_of_the_admin_answers_with_all_headers() -> None:
    boss = sign_in(UserFactory(is_staff=True, is_superuser=True))
    wrong = []
    for route in list_routes(inside="admin/"):
        if route == "admin/logout/":
            continue
        path = "/" + re.sub(r"\(\?P<url>[^)]*\)\$?", "nonsense", re.sub(r"<[^>]*>", "1", route))
        answer = boss.get(path, secure=True)
        if faults := find_faults(answer, [ADMIN, PAGE]):
            wrong.append((path, answer.status_code, faults))

    assert not wrong, wrong


def test_a_page_of_the_admin_has_no_style_sheet_and_no_script_inside() -> None:
    boss = sign_in()

    for path in ("/admin/", "/admin/catalog/product/", "/admin/catalog/product/add/"):
        page = boss.get(path, secure=True).content.decode()
        scripts = re.findall(r"<script(?![^>]*\ssrc=)(?![^>]*application/json)[^>]*>", page)
        assert "<style" not in page
        assert scripts == []
        assert re.findall(r"<[a-z][^>]*\son[a-z]+\s*=", page) == []
        assert "css/admin/theme" in page


@pytest.mark.parametrize("fault", FAULTS)
def test_every_error_page_has_all_headers(settings: Any, fault: str) -> None:
    settings.ROOT_URLCONF = "tests.shop.faulty_addresses"
    browser = Client(raise_request_exception=False)

    answer = browser.get(f"/faulty/{fault}/", secure=True)

    statuses = {
        "bad-request": 400, "too-much": 400, "forbidden": 403, "nothing": 404, "broken": 500,
        "database-away": 503,
    }  # fmt: skip
    assert answer.status_code == statuses[fault]
    assert find_faults(answer, [PAGE]) == []
    assert b"on purpose" not in answer.content
    assert b"Traceback" not in answer.content


def test_refusals_of_the_middleware_have_all_headers(settings: Any, tmp_path: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    browser = Client(enforce_csrf_checks=True)
    guesser = Client()
    guess = {"login": "ada@example.com", "password": "a guess"}
    guesser.post("/accounts/login/", guess, secure=True)
    refusals = {
        "an unknown host": (browser.get("/", secure=True, headers={"Host": "evil.example"}), 400),
        "a missing token": (browser.post("/accounts/login/", guess, secure=True), 403),
        "a wrong method": (browser.delete("/cart/add/", secure=True), 405),
        "too many tries": (guesser.post("/accounts/login/", guess, secure=True), 429),
    }
    settings.MAINTENANCE_FILE = tmp_path / "maintenance.json"
    settings.MAINTENANCE_FILE.write_text("{}")
    refusals["a closed shop"] = (Client().get("/", secure=True), 503)

    assert {name: answer.status_code for name, (answer, _status) in refusals.items()} == {
        name: status for name, (_answer, status) in refusals.items()
    }
    faults = {name: find_faults(answer, [PAGE]) for name, (answer, _status) in refusals.items()}
    assert not any(faults.values()), faults


def test_who_comes_without_https_is_sent_to_it_and_nowhere_else(settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True

    answer = Client().get("/cart/?a=b")

    assert (answer.status_code, answer.headers["Location"]) == (301, "https://testserver/cart/?a=b")
    assert find_faults(answer, [FILE], but={"Strict-Transport-Security": ""}) == []


def test_files_have_all_headers_and_may_do_nothing(settings: Any) -> None:
    # Closing an answer here would close the test's own connection to the database.
    settings.MEDIA_ROOT.mkdir()
    (settings.MEDIA_ROOT / "cup.webp").write_bytes(b"RIFF")
    browser = Client()

    for path in ("/static/css/emporium.css", "/static/favicon/favicon.svg"):
        answer = browser.get(path, secure=True)
        assert answer.status_code == 200
        assert find_faults(answer, [FILE]) == []
        assert "Access-Control-Allow-Origin" not in answer.headers
    picture = browser.get("/media/cup.webp", secure=True)
    # Mails show pictures too.
    elsewhere = {"Cross-Origin-Resource-Policy": "cross-origin", "X-Frame-Options": ""}
    assert picture.status_code == 200
    assert find_faults(picture, [UPLOAD], but=elsewhere) == []


def test_session_token_and_message_travel_in_cookies_of_this_host_alone() -> None:
    browser = Client(enforce_csrf_checks=True)

    browser.post("/cart/add/", {"variant": VariantFactory().pk}, secure=True)
    browser.get("/accounts/login/", secure=True)
    empty = Client().get("/checkout/", secure=True)

    assert set(browser.cookies) == {"__Host-session", "__Host-csrf"}
    assert set(empty.cookies) == {"__Host-messages"}
    assert find_faults(empty, [PAGE, CHECKOUT]) == []
