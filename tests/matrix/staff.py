"""Who may do what in the admin, model by model and page by page; what is new there needs a row here.

Written out by hand and not read from `accounts.roles`, so that a slip there is seen here.
"""

from __future__ import annotations

from dataclasses import dataclass

WORD = "Zirkonkanarie"
"""In every name that the other seller has, and on no page that is not theirs."""
START = "Zirkonk"
"""What one would type to find it; a page may say it back."""

SELLERS_PEOPLE = ("owner", "manager", "packer")
SHOP_STAFF = ("support", "catalogue", "finance", "shop owner", "superuser")
EVERYBODY = (*SELLERS_PEOPLE, *SHOP_STAFF)
STRANGERS = ("anonymous", "shopper")

# Letters: l look, a add, c change, d delete; "-" for nothing. In the order of EVERYBODY.
MODELS = {
    "shop.page": "- - - - - - lacd lacd",
    "shop.mail": "- - - l - - l l",
    "shop.outboxmessage": "- - - - - - l l",
    "shop.taxclass": "- - - - - lacd lacd lacd",
    "shop.taxrate": "- - - - - lacd lacd lacd",
    "accounts.user": "- - - l - - lacd lacd",
    "accounts.seller": "lc lc l l l l lacd lacd",
    "accounts.sellermember": "lacd - - - - - lacd lacd",
    "accounts.auditentry": "l - - - - - l l",
    "auth.group": "- - - - - - l la",
    "account.emailaddress": "- - - l - - l lacd",
    "catalog.attribute": "l l l - lacd - lacd lacd",
    "catalog.category": "l l l - lacd - lacd lacd",
    "catalog.collection": "- - - - lacd - lacd lacd",
    "catalog.importrun": "la la - - la - la la",
    "catalog.imageasset": "- - - - l - l l",
    "catalog.product": "lac lac l l lacd - lacd lacd",
    "catalog.review": "lc lc l l lcd - lcd lcd",
    "catalog.synonym": "- - - - lacd - lacd lacd",
    "catalog.searchrecord": "- - - - l - l l",
    "catalog.stocklevel": "lc lc l l lc - lc lc",
    "cart.shippingzone": "- - - l - - lacd lacd",
    "cart.shippingmethod": "- - - l - - lacd lacd",
    "payments.paymentattempt": "- - - - - l l l",
    "payments.refund": "- - - - - l l l",
    "payments.dispute": "- - - - - l l l",
    "payments.providerevent": "- - - - - l l l",
    "payments.reconciliationbreak": "- - - - - lc lc lc",
    "orders.order": "- - - l - l l l",
    "orders.sellerorder": "l l l l - l l l",
}
OF_SELLERS = {
    *("accounts.seller", "accounts.sellermember", "accounts.auditentry", "catalog.importrun"),
    *("catalog.product", "catalog.review", "catalog.stocklevel", "orders.sellerorder"),
}
"""Models whose rows belong to a seller: the other's are as good as none."""

STAFF_WITH_MONEY = ("finance", "shop owner", "superuser")
OWNERS = ("shop owner", "superuser")


@dataclass(frozen=True, slots=True)
class Door:
    """A page of the admin that is not of the usual five; others than `open_to` are refused.

    `path` has {product}, {order}, {importrun} and so on filled in with what the test has made.
    """

    route: str
    path: str
    open_to: tuple[str, ...]
    is_posted: bool = False


DOORS = [
    Door("admin/", "/admin/", EVERYBODY),
    Door("admin/search/", "/admin/search/?s=pro", EVERYBODY),
    Door("admin/password_change/", "/admin/password_change/", EVERYBODY),
    Door("admin/password_change/done/", "/admin/password_change/done/", EVERYBODY),
    Door("admin/accounts/user/<id>/password/", "/admin/accounts/user/{user}/password/", OWNERS),
    Door(
        "admin/accounts/user/<int:object_id>/look-as/",
        "/admin/accounts/user/{user}/look-as/",
        ("support", *OWNERS),
        is_posted=True,
    ),
    Door(
        "admin/accounts/user/stop-looking/",
        "/admin/accounts/user/stop-looking/",
        EVERYBODY,
        is_posted=True,
    ),
    Door(
        "admin/accounts/user/<int:object_id>/reset-second-factors/",
        "/admin/accounts/user/{user}/reset-second-factors/",
        OWNERS,
        is_posted=True,
    ),
    Door(
        "admin/catalog/product/prices-and-stock/",
        "/admin/catalog/product/prices-and-stock/?variants={variant}",
        ("owner", "manager", "catalogue", *OWNERS),
    ),
    Door(
        "admin/catalog/product/export/",
        "/admin/catalog/product/export/",
        ("owner", "manager", "catalogue", *OWNERS),
    ),
    *(
        Door(
            f"admin/catalog/importrun/<int:object_id>/{name}/",
            f"/admin/catalog/importrun/{{importrun}}/{name}/",
            ("owner", "manager", "catalogue", *OWNERS),
            is_posted=name != "report",
        )
        for name in ("begin", "stop", "go-on", "report")
    ),
    Door(
        "admin/payments/reconciliationbreak/<int:object_id>/ask/",
        "/admin/payments/reconciliationbreak/{reconciliationbreak}/ask/",
        STAFF_WITH_MONEY,
        is_posted=True,
    ),
    *(
        Door(
            f"admin/orders/order/<int:object_id>/{name}/",
            f"/admin/orders/order/{{order}}/{name}/",
            STAFF_WITH_MONEY,
            is_posted=name == "send-back",
        )
        for name in ("cancel", "capture", "refund", "send-back", "money-came")
    ),
    Door(
        "admin/orders/order/<int:object_id>/money-sent/<int:refund_id>/",
        "/admin/orders/order/{order}/money-sent/{refund}/",
        STAFF_WITH_MONEY,
    ),
    *(
        Door(
            f"admin/orders/order/<int:object_id>/{name}/",
            f"/admin/orders/order/{{order}}/{name}/",
            ("support", *STAFF_WITH_MONEY),
            is_posted=name != "story",
        )
        for name in ("check", "confirm-again", "story")
    ),
    Door(
        "admin/orders/sellerorder/<int:object_id>/ship/",
        "/admin/orders/sellerorder/{sellerorder}/ship/",
        (*SELLERS_PEOPLE, *OWNERS),
    ),
    Door(
        "admin/orders/sellerorder/<int:object_id>/parcels/<int:shipment_id>/deliver/",
        "/admin/orders/sellerorder/{sellerorder}/parcels/{shipment}/deliver/",
        (*SELLERS_PEOPLE, *OWNERS),
        is_posted=True,
    ),
]
# Answered by tests of their own, or the same for everybody who asks.
ELSEWHERE = {
    "admin/login/",
    "admin/logout/",
    "admin/jsi18n/",
    "admin/autocomplete/",
    "admin/r/<path:content_type_id>/<path:object_id>/",
    "admin/(?P<url>.*)$",
}


def letters_of(model: str, role: str) -> str:
    return MODELS[model].split()[EVERYBODY.index(role)]
