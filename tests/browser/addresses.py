"""Every page of the shop, by its route: what is tried on all pages finds them here.

A route's first address is its plain page, further ones are states of it.

A new GET route needs its place in one of these; `test_fit.py` compares them with the routes.
"""

from __future__ import annotations

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str

from catalog.access import make_restock_key
from tests.browser.long_names import WORD, LongNames

PAGES = {
    "": ["/"],
    "categories/<path:path>/": [
        "/categories/{category}/",
        "/categories/{category}/?page=2",
        "/categories/{category}/?brand=brand-works&material=material&price_min=1",
        "/categories/{category}/?price_min=999999999",
    ],
    "products/<slug:slug>/": [
        "/products/bowl/", "/products/works/", "/products/works/?variant={gone}"
    ],
    "products/<slug:slug>/reviews/": [
        "/products/bowl/reviews/", "/products/works/reviews/", "/products/bowl/reviews/?stars=4"
    ],
    "wishlists/": ["/wishlists/"],
    "wishlists/shared/<slug:key>/": ["/wishlists/shared/long/"],
    "back-in-stock/sent/": ["/back-in-stock/sent/"],
    "back-in-stock/<str:key>/": ["/back-in-stock/nonsense/", "/back-in-stock/{restock}/"],
    "collections/<slug:slug>/": ["/collections/long/"],
    "search/": ["/search/", "/search/?q=bowl", "/search/?q={word}", "/search/?q={nothing}",
                "/search/?q=bowll", "/search/?q=bowl+{word}"],
    "sellers/<slug:slug>/": ["/sellers/long/"],
    "pages/<slug:slug>/": ["/pages/long/"],
    "offline/": ["/offline/"],
    "cookies/": ["/cookies/"],
    "account/erased/": ["/account/erased/"],
    "accounts/login/": ["/accounts/login/"],
    "accounts/signup/": ["/accounts/signup/"],
    "accounts/inactive/": ["/accounts/inactive/"],
    "accounts/password/reset/": ["/accounts/password/reset/"],
    "accounts/password/reset/done/": ["/accounts/password/reset/done/"],
    "accounts/password/reset/key/done/": ["/accounts/password/reset/key/done/"],
    r"accounts/^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$": [
        "/accounts/password/reset/key/1-nonsense/", "/accounts/password/reset/key/{reset}/"
    ],
    "mailbox/": ["/mailbox/"],
    "mailbox/<int:mail_id>/": ["/mailbox/{mail}/"],
    "styleguide/": ["/styleguide/"],
}  # fmt: skip
FOR_MEMBERS = {
    "account/": ["/account/"],
    "account/cards/": ["/account/cards/"],
    "account/privacy/": ["/account/privacy/"],
    "wishlists/<int:list_id>/": ["/wishlists/{list}/"],
    "products/<slug:slug>/reviews/write/": [
        "/products/bowl/reviews/write/",
        "/products/works/reviews/write/",
    ],
    "accounts/logout/": ["/accounts/logout/"],
    "accounts/email/": ["/accounts/email/"],
    "accounts/password/change/": ["/accounts/password/change/"],
    "accounts/reauthenticate/": ["/accounts/reauthenticate/"],
}
IN_STEPS = {
    "account/privacy/erase/",
    "cart/",
    "checkout/",
    "orders/<slug:number>/",
    "accounts/confirm-email/",
}
NO_PAGES = {
    "livez", "readyz", "media/<path:name>",  # for machines
    "favicon.ico", "site.webmanifest", "service-worker.js",
    "robots.txt", "sitemap.xml", "sitemaps/<slug:name>.xml", "feeds/google.xml",
    "search/suggestions/", "cards/", "cart/badge/", "cart/drawer/", "orders/<slug:number>/status/",  # parts of other pages
    "checkout/fields/<slug:name>/", "checkout/addresses/",
    "payments/webhooks/stripe/", "payments/webhooks/paypal/", "cart/add/", "cart/items/<int:item_id>/",  # only taken, not shown
    "reviews/<int:review_id>/helpful/", "back-in-stock/", "wishlists/save/",
    "wishlists/<int:list_id>/sharing/", "wishlists/items/<int:item_id>/",
    "account/cards/<slug:card_id>/remove/",
    "account/privacy/copy/", "account/privacy/copies/<int:copy_id>/", ".well-known/gpc.json",
    "orders/<slug:number>/pay/", "orders/<slug:number>/cancel/",
    "orders/<slug:number>/returned/",  # goes on to the order's page
    "accounts/password/set/", "accounts/login/code/confirm/",  # nobody has an account without one
}  # fmt: skip


def fill_in(address: str, names: LongNames) -> str:
    """Put what the shop of long names has into an address."""
    person = user_pk_to_url_str(names.person)
    return address.format(
        category=names.category.path,
        gone=f"{WORD}-works-2",
        word=WORD,
        nothing=f"{WORD}{WORD}",
        mail=names.mail.pk,
        list=names.person.wishlists.get().pk,
        restock=make_restock_key(names.restock.pk),
        reset=f"{person}-{default_token_generator.make_token(names.person)}",
    )
