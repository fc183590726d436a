"""Looking changes nothing, and shows what people typed as text: every page, as everybody.

One walk serves two questions, as it is the walk that takes the time. A GET that changed something
could be set off by a picture on another site (CSRF); a text that came back as markup would run there
(XSS).
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.apps import apps
from django.db import DatabaseError, connection, models, transaction
from django.test import Client

from accounts.models import User
from orders.models import Order
from tests.factories.accounts import SellerMemberFactory, UserFactory
from tests.factories.catalog import VariantFactory
from tests.factories.orders import place_order
from tests.matrix.routes import ROWS, list_routes
from tests.matrix.test_strangers import places  # noqa: F401  # the same things, under the same names

pytestmark = [pytest.mark.django_db, pytest.mark.breaks_invariants]

CANARY = "\"'><kanarie onx=1>{{7*7}}"
OURS = {"shop", "accounts", "catalog", "cart", "payments", "orders"}
BOOKKEEPING = {
    "django_session": "a session begins, and is told when it ends",
    "usersessions_usersession": "where somebody is signed in, and when they were seen last",
    "accounts_auditentry": "who takes a file of the shop's data out is written down",
    "payments_paymentattempt": "who comes back from a provider has it asked; what it says counts",
}
FOR_PROGRAMS = re.compile(
    # Names that programs give to things; nobody types them, and rules of the database guard them.
    r"(^|_)(key|id|code|codes|slug|path|base|kind|type|status|provider|currency|language|country"
    r"|url|task|payload|checksum|password|token|locale|number|reference|method|fingerprint|search"
    r"|words|xid|subject_key|sku|email|facet|region|format|role|unit|outcome)(_|$)"
)
CLEANED_WHEN_STORED = {("catalog", "product", "description"), ("shop", "page", "body")}
PEOPLE = ("a stranger", "a shopper", "a seller", "the boss")


@pytest.fixture
def people(places: dict[str, Any]) -> dict[str, Client]:  # noqa: F811
    """Browsers of everybody, and things of theirs."""
    shopper = UserFactory(name="Ada")
    variant = VariantFactory(stock=5)
    member = SellerMemberFactory(seller=variant.product.seller, role="owner")
    browsers = {name: Client(raise_request_exception=False) for name in PEOPLE}
    signed_in: dict[str, User] = {
        "a shopper": shopper,
        "a seller": member.user,
        "the boss": UserFactory(is_staff=True, is_superuser=True),
    }
    for name, person in signed_in.items():
        EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
        browsers[name].force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    browsers["a shopper"].post("/cart/add/", {"variant": variant.pk})
    browsers["a shopper"].post("/wishlists/save/", {"variant": variant.pk})
    order = place_order(variant, user=shopper)
    places["order"] = order.number
    return browsers


def list_addresses(places: dict[str, Any], *, of_admin: bool) -> list[str]:  # noqa: F811
    found = [row.path.format(**places) for row in ROWS if row.route != "feeds/google.xml"]
    return [*found, *(map(address_in_admin, list_routes(inside="admin/")) if of_admin else [])]


def address_in_admin(route: str) -> str:
    """Fill a route with the first thing of the kind that it is about."""
    about = re.match(r"admin/(\w+)/(\w+)/", route)
    first: Any = None
    if about and about.group(1) in apps.app_configs:
        model = apps.get_app_config(about.group(1)).models.get(about.group(2))
        first = model and model._default_manager.order_by("pk").values_list("pk", flat=True).first()
    path = re.sub(r"\(\?P<url>[^)]*\)\$?", "nonsense", route)
    return "/" + re.sub(r"<[^>]*>", str(first or 1), path)


def sum_up_tables() -> dict[str, tuple[int, int]]:
    """Return how many rows each table has, and a sum over all that they hold."""
    sums = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            if table not in BOOKKEEPING:
                cursor.execute(
                    f'SELECT count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM "{table}" t'
                )
                sums[table] = cursor.fetchone()
    return sums


def plant_canaries() -> set[str]:
    """Put the canary into every column that holds what somebody typed; return which took it."""
    planted = set()
    for model in apps.get_models():
        if model._meta.app_label not in OURS or not model._meta.managed:
            continue
        for field in model._meta.concrete_fields:
            place = (model._meta.app_label, model._meta.model_name, field.name)
            is_text = type(field) in (models.CharField, models.TextField)
            if not is_text or field.choices or field.unique or place in CLEANED_WHEN_STORED:
                continue
            if FOR_PROGRAMS.search(field.name) or (field.max_length or 99) < len(CANARY):
                continue
            try:
                with transaction.atomic():
                    if model._default_manager.update(**{field.name: CANARY}):
                        planted.add(".".join(map(str, place)))
            except DatabaseError:
                continue  # A rule of the database, which a form would obey as well.
    return planted


@pytest.mark.parametrize("person", PEOPLE)
def test_looking_changes_nothing_and_shows_texts_as_texts(
    person: str,
    people: dict[str, Client],
    places: dict[str, Any],  # noqa: F811
) -> None:
    planted = plant_canaries()
    assert {"catalog.product.title", "catalog.review.text", "shop.mail.text"} <= planted
    browser = people[person]
    before = sum_up_tables()

    broken, raw, seen = [], [], 0
    for path in list_addresses(places, of_admin=person in ("a seller", "the boss")):
        answer = browser.get(path)
        body = b"".join(answer) if answer.streaming else answer.content
        if answer.status_code >= 500:
            broken.append((path, answer.status_code))
        if b"html" in answer.headers.get("Content-Type", "").encode():
            if b"<kanarie" in body or b"\"'>" in body:
                raw.append(path)
            seen += b"&lt;kanarie" in body
            assert b"49}}" not in body

    after = sum_up_tables()
    assert broken == []
    assert raw == []
    assert seen > 3  # The canaries are really shown.
    assert {table for table in after if after[table] != before[table]} == set()
    assert Order.objects.count() == 2
