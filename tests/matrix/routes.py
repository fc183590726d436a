"""Every address of the shop and what a stranger gets there; a new route needs a row here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, get_resolver


@dataclass(frozen=True, slots=True)
class Row:
    """A route, an address of it, and the answers to GET and to an empty POST with a token."""

    route: str
    path: str
    get: int
    post: int
    is_shared: bool = False
    """The same bytes for everybody: no cookie may be set."""


# {product}, {sku} and so on are filled in with what the test has made.
ROWS = [
    Row("livez", "/livez", 200, 405, is_shared=True),
    Row("readyz", "/readyz", 200, 405, is_shared=True),
    Row("favicon.ico", "/favicon.ico", 200, 405, is_shared=True),
    Row("site.webmanifest", "/site.webmanifest", 200, 405, is_shared=True),
    Row("robots.txt", "/robots.txt", 200, 405, is_shared=True),
    Row("sitemap.xml", "/sitemap.xml", 200, 405, is_shared=True),
    Row("sitemaps/<slug:name>.xml", "/sitemaps/pages.xml", 200, 405, is_shared=True),
    Row("feeds/google.xml", "/feeds/google.xml", 200, 405, is_shared=True),
    Row("service-worker.js", "/service-worker.js", 200, 405, is_shared=True),
    Row("payments/webhooks/stripe/", "/payments/webhooks/stripe/", 405, 400),
    Row("payments/webhooks/paypal/", "/payments/webhooks/paypal/", 405, 400),
    Row("media/<path:name>", "/media/nothing.webp", 404, 405, is_shared=True),
    Row("mailbox/", "/mailbox/", 200, 405),
    Row("mailbox/<int:mail_id>/", "/mailbox/{mail}/", 200, 405),
    Row("styleguide/", "/styleguide/", 200, 405),
    Row("accounts/login/", "/accounts/login/", 200, 200),
    Row("accounts/logout/", "/accounts/logout/", 302, 302),
    Row("accounts/inactive/", "/accounts/inactive/", 200, 405),
    Row("accounts/signup/", "/accounts/signup/", 200, 200),
    Row("accounts/reauthenticate/", "/accounts/reauthenticate/", 302, 302),
    Row("accounts/email/", "/accounts/email/", 302, 302),
    Row("accounts/confirm-email/", "/accounts/confirm-email/", 302, 302),
    Row("accounts/password/change/", "/accounts/password/change/", 302, 302),
    Row("accounts/password/set/", "/accounts/password/set/", 302, 302),
    Row("accounts/password/reset/", "/accounts/password/reset/", 200, 200),
    Row("accounts/login/code/confirm/", "/accounts/login/code/confirm/", 302, 302),
    Row("accounts/password/reset/key/done/", "/accounts/password/reset/key/done/", 200, 405),
    Row(
        r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        "/accounts/password/reset/key/1-nonsense/",
        200,
        200,
    ),
    Row("accounts/password/reset/done/", "/accounts/password/reset/done/", 200, 405),
    Row("accounts/3rdparty/", "/accounts/3rdparty/", 302, 302),
    Row("accounts/3rdparty/signup/", "/accounts/3rdparty/signup/", 302, 302),
    Row("accounts/3rdparty/login/cancelled/", "/accounts/3rdparty/login/cancelled/", 200, 405),
    Row("accounts/3rdparty/login/error/", "/accounts/3rdparty/login/error/", 401, 405),
    Row("accounts/sessions/", "/accounts/sessions/", 302, 302),
    Row("accounts/2fa/", "/accounts/2fa/", 302, 302),
    Row("accounts/2fa/authenticate/", "/accounts/2fa/authenticate/", 302, 302),
    Row("accounts/2fa/reauthenticate/", "/accounts/2fa/reauthenticate/", 302, 302),
    Row("accounts/2fa/totp/activate/", "/accounts/2fa/totp/activate/", 302, 302),
    Row("accounts/2fa/totp/deactivate/", "/accounts/2fa/totp/deactivate/", 302, 302),
    Row("accounts/2fa/recovery-codes/", "/accounts/2fa/recovery-codes/", 302, 302),
    Row(
        "accounts/2fa/recovery-codes/generate/", "/accounts/2fa/recovery-codes/generate/", 302, 302
    ),
    Row(
        "accounts/2fa/recovery-codes/download/", "/accounts/2fa/recovery-codes/download/", 302, 302
    ),
    Row("accounts/2fa/webauthn/", "/accounts/2fa/webauthn/", 302, 302),
    Row("accounts/2fa/webauthn/add/", "/accounts/2fa/webauthn/add/", 302, 302),
    Row(
        "accounts/2fa/webauthn/reauthenticate/", "/accounts/2fa/webauthn/reauthenticate/", 302, 302
    ),
    Row(
        "accounts/2fa/webauthn/keys/<int:pk>/remove/",
        "/accounts/2fa/webauthn/keys/1/remove/",
        302,
        302,
    ),
    Row(
        "accounts/2fa/webauthn/keys/<int:pk>/edit/", "/accounts/2fa/webauthn/keys/1/edit/", 302, 302
    ),
    Row("accounts/2fa/webauthn/login/", "/accounts/2fa/webauthn/login/", 302, 302),
    Row(".well-known/gpc.json", "/.well-known/gpc.json", 200, 405, is_shared=True),
    Row("account/privacy/", "/account/privacy/", 302, 405),
    Row("account/privacy/copy/", "/account/privacy/copy/", 405, 302),
    Row("account/privacy/copies/<int:copy_id>/", "/account/privacy/copies/1/", 302, 405),
    Row("account/privacy/erase/", "/account/privacy/erase/", 302, 302),
    Row("account/erased/", "/account/erased/", 200, 405),
    Row("cookies/", "/cookies/", 200, 405, is_shared=True),
    Row("account/", "/account/", 302, 405),
    Row("account/addresses/", "/account/addresses/", 302, 405),
    Row("account/addresses/add/", "/account/addresses/add/", 302, 302),
    Row("account/addresses/<int:address_id>/", "/account/addresses/1/", 302, 302),
    Row("account/addresses/<int:address_id>/remove/", "/account/addresses/1/remove/", 405, 302),
    Row("account/addresses/<int:address_id>/default/", "/account/addresses/1/default/", 405, 302),
    Row("account/notifications/", "/account/notifications/", 302, 302),
    Row("account/claim/", "/account/claim/", 405, 302),
    Row("mails/<str:key>/", "/mails/nonsense/", 200, 200),
    Row("account/cards/", "/account/cards/", 302, 405),
    Row("account/cards/<slug:card_id>/remove/", "/account/cards/pm_1/remove/", 405, 302),
    Row("checkout/", "/checkout/", 302, 302),
    Row("checkout/addresses/", "/checkout/addresses/", 405, 404),
    Row("checkout/fields/<slug:name>/", "/checkout/fields/email/", 405, 200),
    Row("orders/<slug:number>/", "/orders/{order}/", 404, 405),
    Row("orders/<slug:number>/returned/", "/orders/{order}/returned/", 404, 405),
    Row("orders/<slug:number>/status/", "/orders/{order}/status/", 404, 405),
    Row("orders/<slug:number>/pay/", "/orders/{order}/pay/", 405, 404),
    Row("orders/<slug:number>/again/", "/orders/{order}/again/", 405, 404),
    Row("orders/<slug:number>/account/", "/orders/{order}/account/", 405, 404),
    Row("orders/<slug:number>/cancel/", "/orders/{order}/cancel/", 405, 404),
    Row("cart/", "/cart/", 200, 405),
    Row("cart/add/", "/cart/add/", 405, 302),
    Row("cart/items/<int:item_id>/", "/cart/items/{item}/", 405, 302),
    Row("cart/badge/", "/cart/badge/", 200, 405),
    Row("cart/drawer/", "/cart/drawer/", 200, 405),
    Row("offline/", "/offline/", 200, 405, is_shared=True),
    Row("pages/<slug:slug>/", "/pages/{page}/", 200, 405, is_shared=True),
    Row("", "/", 200, 405, is_shared=True),
    Row("categories/<path:path>/", "/categories/{category}/", 200, 405, is_shared=True),
    Row("collections/<slug:slug>/", "/collections/{collection}/", 200, 405, is_shared=True),
    Row("cards/", "/cards/?ids={id}", 200, 405, is_shared=True),
    Row("products/<slug:slug>/", "/products/{product}/", 200, 405, is_shared=True),
    Row("products/<slug:slug>/reviews/", "/products/{product}/reviews/", 200, 405, is_shared=True),
    Row("products/<slug:slug>/reviews/write/", "/products/{product}/reviews/write/", 302, 302),
    Row("back-in-stock/", "/back-in-stock/", 405, 200),
    Row("back-in-stock/sent/", "/back-in-stock/sent/", 200, 405),
    Row("back-in-stock/<str:key>/", "/back-in-stock/nonsense/", 200, 200),
    Row("wishlists/", "/wishlists/", 200, 200),
    Row("wishlists/save/", "/wishlists/save/", 405, 302),
    Row("wishlists/<int:list_id>/", "/wishlists/{list}/", 404, 404),
    Row("wishlists/<int:list_id>/sharing/", "/wishlists/{list}/sharing/", 405, 302),
    Row("wishlists/items/<int:item_id>/", "/wishlists/items/1/", 405, 302),
    Row("wishlists/shared/<slug:key>/", "/wishlists/shared/{key}/", 200, 405),
    Row("reviews/<int:review_id>/helpful/", "/reviews/{review}/helpful/", 405, 302),
    Row("search/", "/search/?q={title}", 200, 405, is_shared=True),
    Row("search/suggestions/", "/search/suggestions/?q={title}", 200, 405, is_shared=True),
    Row("sellers/<slug:slug>/", "/sellers/{seller}/", 200, 405, is_shared=True),
]


def list_routes(*, inside: str = "") -> list[str]:
    """Return every route of the shop; the admin's only when they are asked for."""
    routes = dict.fromkeys(_walk(get_resolver(), ""))
    return [route for route in routes if route.startswith("admin/") == (inside == "admin/")]


def _walk(resolver: Any, prefix: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = prefix + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield route
        else:
            yield from _walk(pattern, route)
