"""Every page of the admin, as everybody: what each role gets, and that nobody sees the other seller."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import transaction
from django.test import Client, override_settings

from catalog.models import Product, ProductVariant
from orders.models import Shipment
from tests.admin_forms import errors, submit
from tests.matrix import staff
from tests.matrix.routes import list_routes
from tests.matrix.staff import (
    DOORS,
    ELSEWHERE,
    EVERYBODY,
    MODELS,
    OF_SELLERS,
    SELLERS_PEOPLE,
    START,
    WORD,
    letters_of,
)
from tests.matrix.staff_world import World, build

# The orders here were never paid for, whatever they say.
pytestmark = [pytest.mark.django_db, pytest.mark.breaks_invariants]

PAGES = {"": "l", "add/": "a", "{}/change/": "l", "{}/history/": "l", "{}/delete/": "d"}
ROUTES = ("", "add/", *(f"<path:object_id>/{name}" for name in
                        ("history/", "delete/", "change/", "")))  # fmt: skip


@pytest.fixture(scope="module")
def world(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Build the shop once; each test sees it within a transaction of its own, and changes nothing."""
    media = override_settings(MEDIA_ROOT=tmp_path_factory.mktemp("media"))
    with django_db_blocker.unblock(), media:
        around = transaction.atomic()
        around._from_testcase = True
        with around:
            yield build()
            transaction.set_rollback(True)


def ask(browser: Client, path: str, data: Any = None, *, post: bool = False) -> tuple[int, str]:
    answer = browser.post(path, data or {}) if post else browser.get(path, data)
    body = b"".join(answer) if answer.streaming else answer.content
    if answer.status_code == 302:
        return 302, f"{answer['Location']} {body.decode()}"
    return answer.status_code, body.decode()


def base_of(model: str) -> str:
    return f"/admin/{model.replace('.', '/')}/"


def fill(path: str, rows: dict[str, int], world: World) -> str:
    """Put keys into an address: of these rows, else of what there is one of."""
    found = {key.rpartition(".")[2]: pk for key, pk in (world.own | rows).items()}
    return path.format(**found)


# Nothing escapes ----------------------------------------------------------------------------------


def test_every_model_in_the_admin_has_a_row() -> None:
    assert set(MODELS) == {model._meta.label_lower for model in admin.site._registry}


def test_every_route_of_the_admin_is_in_the_table() -> None:
    of_models = {f"admin/{model.replace('.', '/')}/{route}" for model in MODELS for route in ROUTES}
    known = of_models | {door.route for door in DOORS} | ELSEWHERE
    routes = {route for route in list_routes(inside="admin/") if "(?P<app_label>" not in route}

    assert sorted(routes - known) == []
    assert sorted(known - routes) == []


# Who gets in where --------------------------------------------------------------------------------


@pytest.mark.parametrize("role", EVERYBODY)
def test_each_role_gets_what_the_table_says(role: str, world: World) -> None:
    browser, wrong = world.browsers[role], []
    for model in MODELS:
        letters = letters_of(model, role)
        for page, letter in PAGES.items():
            path = base_of(model) + page.format(world.own[model])
            status, body = ask(browser, path)
            expected = {200} if letter in letters else {403}
            if page == "{}/history/" and 200 in expected:
                expected.add(302)  # Some tell their history on their own page.
            if "{}" in page and role in SELLERS_PEOPLE and 403 in expected:
                expected |= {302, 404}  # A row that is no part of their list is none.
            if status not in expected:
                wrong.append((path, status, expected))
            if role in SELLERS_PEOPLE and WORD.lower() in body.lower():
                wrong.append((path, WORD, _around(body)))
    assert wrong == []


@pytest.mark.parametrize("role", EVERYBODY)
def test_each_role_gets_through_its_own_doors_alone(role: str, world: World) -> None:
    browser, wrong = world.browsers[role], []
    for door in DOORS:
        path = fill(door.path, {}, world)
        if role not in door.open_to:
            status, _body = ask(browser, path, post=door.is_posted)
            if status != 403 and not (status == 404 and role in SELLERS_PEOPLE):
                wrong.append((path, status, 403))
        elif not door.is_posted:
            status, body = ask(browser, path)
            if status not in (200, 302, 404):  # Not every order has such a refund.
                wrong.append((path, status, 200))
            if role in SELLERS_PEOPLE and WORD.lower() in body.lower():
                wrong.append((path, WORD, _around(body)))
    assert wrong == []


@pytest.mark.parametrize("who", staff.STRANGERS)
def test_who_does_not_work_here_is_sent_to_the_sign_in_page(who: str, world: World) -> None:
    browser = world.browsers[who]
    paths = [
        *(base_of(model) + page.format(world.own[model]) for model in MODELS for page in PAGES),
        *(fill(door.path, {}, world) for door in DOORS),
        "/admin/autocomplete/?app_label=catalog&model_name=product&field_name=seller",
        "/admin/catalog/",
        f"/admin/r/1/{world.own['catalog.product']}/",
    ]

    wrong = []
    for path in paths:
        status, where = ask(browser, path)
        if status != 302 or not where.startswith("/admin/login/"):
            wrong.append((path, status))

    assert wrong == []


# The other seller does not exist --------------------------------------------------------------------


@pytest.mark.parametrize("role", SELLERS_PEOPLE)
def test_the_other_sellers_rows_are_as_good_as_none(role: str, world: World) -> None:
    browser, wrong = world.browsers[role], []
    shipments = Shipment.objects.count()
    paths = [
        (base_of(model) + page.format(world.foreign[model]), is_posted)
        for model in sorted(OF_SELLERS)
        for page in ("{}/change/", "{}/history/", "{}/delete/")
        for is_posted in (False, True)
    ]
    paths += [
        (fill(door.path, world.foreign, world), door.is_posted)
        for door in DOORS
        if any(f"/{model.replace('.', '/')}/{{" in door.path for model in OF_SELLERS)
    ]
    for path, is_posted in paths:
        status, body = ask(browser, path, {"post": "yes"} if is_posted else None, post=is_posted)
        if status not in (302, 403, 404, 405) or WORD.lower() in body.lower():
            wrong.append((path, is_posted, status, _around(body)))

    assert wrong == []
    assert Product.objects.filter(title=f"{WORD} mug").exists()
    assert Shipment.objects.count() == shipments


@pytest.mark.parametrize("role", SELLERS_PEOPLE)
def test_no_filter_search_or_popup_finds_the_other_seller(role: str, world: World) -> None:
    browser, wrong = world.browsers[role], []
    seller = world.foreign["accounts.seller"]
    paths_to_seller = (
        "seller", "product__seller", "variant__product__seller", "seller__name", "seller_id",
    )  # fmt: skip
    for model in MODELS:
        if "l" not in letters_of(model, role):
            continue
        key = world.foreign.get(model, 0)
        probes: list[dict[str, Any]] = [
            {"q": START},
            {"q": START.upper()},
            {"q": "", "o": "-1", "all": "", "_facets": "True"},
            {"_popup": "1"},
            {"_popup": "1", "_to_field": "id"},
            {"_to_field": "email"},
            {"pk": key},
            {"id__exact": key},
            {"id__in": str(key)},
            *({f"{path}__exact": seller} for path in paths_to_seller),
            *({f"{path}": seller} for path in paths_to_seller),
            *({f"{path}__id__exact": seller} for path in paths_to_seller),
            {"seller__name__startswith": START},
            {"title__startswith": START},
            {"created_at__year": "2026"},
            {"p": "2"},
        ]
        for probe in probes:
            status, body = ask(browser, base_of(model), probe)
            if status not in (200, 302, 400) or WORD.lower() in body.lower():
                wrong.append((model, probe, status, _around(body)))
    assert wrong == []


def test_a_packer_guesses_no_amount_by_filtering(world: World) -> None:
    packer = world.browsers["packer"]
    guesses = [
        ("orders.sellerorder", "items_total__gte"),
        ("orders.sellerorder", "order__total__gte"),
        ("catalog.product", "price_from__gte"),
        ("catalog.product", "variants__cost__gte"),
        ("catalog.stocklevel", "variant__cost__gte"),
    ]

    for model, lookup in guesses:
        assert ask(packer, base_of(model), {lookup: "1"})[0] == 400, (model, lookup)


def test_a_packer_sees_no_amount_anywhere(world: World) -> None:
    packer = world.browsers["packer"]
    pages = [
        "/admin/",
        *(base_of(model) for model in MODELS if "l" in letters_of(model, "packer")),
        *(
            f"{base_of(model)}{world.own[model]}/change/"
            for model in MODELS
            if "l" in letters_of(model, "packer")
        ),
        fill("/admin/orders/sellerorder/{sellerorder}/ship/", {}, world),
    ]

    for path in pages:
        _status, body = ask(packer, path)
        assert "€" not in body, path
        assert "24.00" not in body, path


def test_whoever_reads_mails_guesses_none_that_are_hidden(world: World) -> None:
    support = world.browsers["support"]

    for lookup in ("text__startswith", "html__contains"):
        assert ask(support, "/admin/shop/mail/", {lookup: "H"})[0] == 400
    for lookup in ("password__startswith", "password"):
        assert ask(support, "/admin/accounts/user/", {lookup: "a"})[0] == 400


@pytest.mark.parametrize("role", SELLERS_PEOPLE)
def test_no_autocomplete_names_the_other_seller(role: str, world: World) -> None:
    browser, wrong = world.browsers[role], []
    for model in apps.get_models():
        for row in model._meta.get_fields():
            if not (row.many_to_one or row.many_to_many) or row.auto_created:
                continue
            if row.related_model not in admin.site._registry:
                continue
            source = {
                "app_label": model._meta.app_label,
                "model_name": model._meta.model_name,
                "field_name": row.name,
            }
            for term in (START, ""):
                status, body = ask(browser, "/admin/autocomplete/", source | {"term": term})
                if status not in (200, 403, 404) or WORD.lower() in body.lower():
                    wrong.append((source, status, _around(body)))
    assert wrong == []


@pytest.mark.parametrize("role", SELLERS_PEOPLE)
def test_no_action_reaches_the_other_sellers_rows(role: str, world: World) -> None:
    browser, wrong = world.browsers[role], []
    for model in sorted(OF_SELLERS):
        model_admin = admin.site._registry[apps.get_model(model)]
        names = {str(getattr(name, "__name__", name)) for name in model_admin.actions or ()}
        for action in {*names, "delete_selected"}:
            chosen = {"action": action, "_selected_action": [world.foreign[model]], "post": "yes"}
            status, body = ask(browser, base_of(model), chosen, post=True)
            if status not in (200, 302, 403) or WORD.lower() in body.lower():
                wrong.append((model, action, status, _around(body)))
    assert wrong == []
    assert Product.objects.count() == 2


@pytest.mark.parametrize("role", SELLERS_PEOPLE)
def test_no_list_is_edited_in_place(role: str, world: World) -> None:
    """A list that takes changes would take them for rows that it does not show."""
    for model in OF_SELLERS:
        assert not admin.site._registry[apps.get_model(model)].list_editable
    form = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "_save": "Save",
            "form-0-id": str(world.foreign["catalog.product"]), "form-0-title": "Mine"}  # fmt: skip

    ask(world.browsers[role], base_of("catalog.product"), form, post=True)

    assert Product.objects.get(pk=world.foreign["catalog.product"]).title == f"{WORD} mug"


def test_a_form_takes_no_key_of_the_other_seller(world: World) -> None:
    manager = world.browsers["manager"]
    page = f"{base_of('catalog.product')}{world.own['catalog.product']}/change/"

    moved = submit(manager, page, seller=world.foreign["accounts.seller"])
    taken = submit(manager, page, variants__0__id=world.foreign["variant"],
                   variants__0__price="0.01")  # fmt: skip
    hung_on = submit(
        manager, page,
        variants__0__product=world.foreign["catalog.product"], images__0__id="1",
    )  # fmt: skip

    assert errors(moved)
    assert taken.status_code == 200
    assert hung_on.status_code in (200, 302)
    foreign = ProductVariant.objects.get(pk=world.foreign["variant"])
    assert (str(foreign.price), foreign.product_id) == ("24.0000", world.foreign["catalog.product"])
    assert (
        Product.objects.get(pk=world.own["catalog.product"]).seller_id
        == world.own["accounts.seller"]
    )


@pytest.mark.parametrize("role", SELLERS_PEOPLE)
def test_the_rest_of_the_admin_says_nothing_either(role: str, world: World) -> None:
    browser = world.browsers[role]
    paths = [
        *(f"/admin/{label}/" for label in {model.partition(".")[0] for model in MODELS}),
        f"/admin/search/?s={START}",
        "/admin/jsi18n/",
        "/admin/nothing-here/",
        *(f"/admin/r/{number}/{world.foreign['catalog.product']}/" for number in range(1, 40)),
    ]

    for path in paths:
        status, body = ask(browser, path)
        assert status in (200, 302, 404), path
        assert WORD.lower() not in body.lower(), path


def test_a_file_has_no_row_of_the_other_seller(world: World) -> None:
    status, body = ask(world.browsers["owner"], "/admin/catalog/product/export/")

    assert status == 200
    assert "Aster mug" in body
    assert WORD.lower() not in body.lower()


def _around(body: str) -> str:
    """Show where the word stands, so that a failure says what leaked."""
    found = re.search(WORD, body, re.IGNORECASE)
    return body[max(0, found.start() - 120) : found.end() + 40] if found else ""
