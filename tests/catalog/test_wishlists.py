"""Wishlists: a guest's and a person's, several, shared by a link, taken along at sign-in."""

from __future__ import annotations

import re
import threading
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import transaction
from django.test import Client

from accounts.models import User
from cart.models import CartItem
from catalog.models import Product, ProductVariant, Wishlist, WishlistItem
from catalog.services import stock, wishlists
from catalog.services.wishlists import Holder
from shop.clock import now
from tests.factories.accounts import UserFactory
from tests.factories.catalog import VariantFactory
from tests.races.threads import PATIENCE, at_once, meeting_at

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough password"


@pytest.fixture
def mug() -> ProductVariant:
    return VariantFactory(
        product__slug="dune-mug", product__title="Dune mug", label="Moss", stock=3
    )


@pytest.fixture
def ada() -> User:
    person = UserFactory(email="ada@example.com")
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


@pytest.fixture
def guest() -> Client:
    return Client()


def save(client: Client, variant: ProductVariant, **headers: str) -> Any:
    return client.post("/wishlists/save/", {"variant": variant.pk}, headers=headers)


def sign_in(client: Client, person: User) -> None:
    answer = client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    assert answer.status_code == 302


def list_titles(client: Client, path: str = "/wishlists/") -> list[str]:
    page = client.get(path).context["page"]
    return [wish.title for wish in page.wishes] if page else []


# Saving --------------------------------------------------------------------------------------------


def test_a_guest_saves_something_and_finds_it_again(guest, mug) -> None:
    answer = save(guest, mug)

    wishlist = Wishlist.objects.get()
    assert answer["Location"] == f"/wishlists/{wishlist.pk}/"
    assert wishlist.owner is None
    assert list_titles(guest) == ["Dune mug"]
    assert list_titles(Client()) == []


def test_saving_twice_is_once(guest, mug) -> None:
    save(guest, mug)
    save(guest, mug)

    assert WishlistItem.objects.count() == 1


def test_the_button_answers_where_the_thing_is_now(guest, mug) -> None:
    html = save(guest, mug, **{"HX-Request": "true"}).content.decode()

    assert "Saved in “Wishlist”." in html
    assert f'href="/wishlists/{Wishlist.objects.get().pk}/"' in html


def test_looking_at_lists_starts_no_session(guest) -> None:
    guest.get("/wishlists/")

    assert "sessionid" not in guest.cookies


def test_something_is_saved_in_the_list_that_was_used_last(guest, mug) -> None:
    save(guest, VariantFactory())
    guest.post("/wishlists/", {"name": "For the new flat"})

    save(guest, mug)

    assert Wishlist.objects.get(name="For the new flat").items.get().variant == mug


@pytest.mark.parametrize("variant", ["", "x", "0", "-1", "999999", "9" * 40, "\0"])
def test_what_does_not_exist_is_not_saved(guest, variant: str) -> None:
    answer = guest.post("/wishlists/save/", {"variant": variant})

    assert answer["Location"] == "/wishlists/"
    assert "no longer for sale" in guest.get("/wishlists/").content.decode()
    assert Wishlist.objects.count() == 0


def test_what_the_shop_does_not_show_yet_is_not_saved(guest, mug) -> None:
    Product.objects.filter(pk=mug.product_id).update(status=Product.Status.DRAFT)

    save(guest, mug)

    assert not WishlistItem.objects.exists()


def test_another_site_cannot_save(guest, mug) -> None:
    assert save(guest, mug, Origin="https://evil.example").status_code == 403
    assert Wishlist.objects.count() == 0


def test_a_full_list_says_so(guest, mug, monkeypatch) -> None:
    monkeypatch.setattr(wishlists, "MOST_ITEMS", 1)
    save(guest, VariantFactory())

    save(guest, mug)

    assert "as many as it can" in guest.get("/wishlists/").content.decode()
    assert WishlistItem.objects.count() == 1


# Keeping -------------------------------------------------------------------------------------------


def test_a_list_gets_another_name_but_not_one_that_is_taken(guest, mug) -> None:
    guest.post("/wishlists/", {"name": "Presents"})
    guest.post("/wishlists/", {"name": "Kitchen"})
    kitchen = Wishlist.objects.get(name="Kitchen")

    refused = guest.post(f"/wishlists/{kitchen.pk}/", {"new-name": " presents "})
    empty = guest.post(f"/wishlists/{kitchen.pk}/", {"new-name": ""})
    guest.post(f"/wishlists/{kitchen.pk}/", {"new-name": "Our  kitchen"})

    assert "You have a list of this name already." in refused.content.decode()
    assert "Give the list a name." in empty.content.decode()
    assert sorted(Wishlist.objects.values_list("name", flat=True)) == ["Our kitchen", "Presents"]


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_two_lists_that_get_one_name_at_once_are_told_apart(ada, monkeypatch) -> None:
    first, second = (Wishlist.objects.create(owner=ada, name=name) for name in ("Old", "New"))
    both_have_looked = threading.Barrier(2)
    check = wishlists._check_name

    def check_together(*args: Any, **kwargs: Any) -> str:
        name = check(*args, **kwargs)
        both_have_looked.wait(PATIENCE)
        return name

    monkeypatch.setattr(wishlists, "_check_name", check_together)
    visitors = {first: Client(), second: Client()}
    for visitor in visitors.values():
        visitor.force_login(ada)

    answers = at_once(
        *(
            partial(visitor.post, f"/wishlists/{wishlist.pk}/", {"new-name": "Presents"})
            for wishlist, visitor in visitors.items()
        )
    )

    assert sorted(answer.status_code for answer in answers) == [200, 302]
    refused = next(answer for answer in answers if answer.status_code == 200)
    assert "You have a list of this name already." in refused.content.decode()
    assert Wishlist.objects.filter(name="Presents").count() == 1


def test_a_thing_moves_to_another_list(guest, mug) -> None:
    save(guest, mug)
    guest.post("/wishlists/", {"name": "Presents"})
    item, presents = WishlistItem.objects.get(), Wishlist.objects.get(name="Presents")

    guest.post(f"/wishlists/items/{item.pk}/", {"to": presents.pk})
    garbage = guest.post(f"/wishlists/items/{presents.items.get().pk}/", {"to": "x"})

    assert garbage.status_code == 404
    assert presents.items.get().variant == mug
    assert WishlistItem.objects.count() == 1


def test_a_thing_is_removed_and_a_list_deleted(guest, mug) -> None:
    save(guest, mug)
    save(guest, VariantFactory())
    wishlist = Wishlist.objects.get()

    guest.post(f"/wishlists/items/{WishlistItem.objects.earliest('pk').pk}/")
    left = wishlist.items.count()
    guest.post(f"/wishlists/{wishlist.pk}/", {"action": "delete"})

    assert left == 1
    assert Wishlist.objects.count() == 0


def test_nobody_touches_what_is_anothers(guest, mug, ada) -> None:
    theirs = Wishlist.objects.create(owner=ada, name="Hers")
    item = WishlistItem.objects.create(wishlist=theirs, variant=mug)
    save(guest, mug)

    for path, typed in {
        f"/wishlists/items/{item.pk}/": {"action": "remove"},
        f"/wishlists/{theirs.pk}/": {"action": "delete"},
        f"/wishlists/{theirs.pk}/sharing/": {"action": "share"},
    }.items():
        guest.post(path, typed)
    guest.post("/cart/add/", {"variant": mug.pk, "wish": item.pk})

    theirs.refresh_from_db()
    assert (theirs.share_key, theirs.items.count()) == ("", 1)
    assert guest.get(f"/wishlists/{theirs.pk}/").status_code == 404


def test_sold_out_and_no_longer_sold_are_told(guest, mug) -> None:
    bowl = VariantFactory(product__title="Bowl")
    save(guest, mug)
    save(guest, bowl)
    with transaction.atomic():
        stock.count(mug, 0, reason="broken")
    Product.objects.filter(pk=bowl.product_id).update(status=Product.Status.ARCHIVED)

    page = guest.get("/wishlists/")

    wishes = {wish.title: wish for wish in page.context["page"].wishes}
    assert (wishes["Dune mug"].in_stock, wishes["Bowl"].url, wishes["Bowl"].price) == (
        False, "", None,
    )  # fmt: skip
    html = page.content.decode()
    assert "Sold out" in html
    assert "No longer sold" in html
    assert "Move to cart" not in html


def test_moving_to_the_cart_takes_it_off_the_list(guest, mug) -> None:
    save(guest, mug)
    item = WishlistItem.objects.get()

    guest.post("/cart/add/", {"variant": mug.pk, "wish": item.pk})

    assert CartItem.objects.get().variant == mug
    assert WishlistItem.objects.count() == 0


def test_what_could_not_be_put_in_the_cart_stays_on_the_list(guest, mug) -> None:
    save(guest, mug)
    with transaction.atomic():
        stock.count(mug, 0, reason="broken")

    guest.post("/cart/add/", {"variant": mug.pk, "wish": WishlistItem.objects.get().pk})

    assert WishlistItem.objects.count() == 1


@pytest.mark.parametrize("many", [1, 6])
def test_more_things_need_no_more_statements(
    guest, django_assert_num_queries: Any, many: int
) -> None:
    for _each in range(many):
        save(guest, VariantFactory())
    guest.get("/wishlists/")  # Menu and footer are remembered.

    with django_assert_num_queries(4):  # Session, lists, things, photographs.
        guest.get("/wishlists/")


# Sharing -------------------------------------------------------------------------------------------


def test_a_list_is_read_by_its_link_until_it_is_taken_back(guest, mug) -> None:
    save(guest, mug)
    address = f"/wishlists/{Wishlist.objects.get().pk}/"
    guest.post(f"{address}sharing/", {"action": "share"})
    html = guest.get(address).content.decode()
    found = re.search(r"/wishlists/shared/[\w-]{20,}/", html)
    assert found
    friend = Client()

    assert list_titles(friend, found[0]) == ["Dune mug"]
    shown = friend.get(found[0])
    assert "Remove" not in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]

    guest.post(f"{address}sharing/", {"action": "stop"})
    assert friend.get(found[0]).status_code == 404


@pytest.mark.parametrize("key", ["nothing", "-", "x" * 300, "A"])
def test_a_made_up_link_leads_nowhere(guest, mug, key: str) -> None:
    save(guest, mug)

    assert guest.get(f"/wishlists/shared/{key}/").status_code == 404


# Signing in ----------------------------------------------------------------------------------------


def test_a_guests_list_becomes_the_persons_own(guest, mug, ada) -> None:
    save(guest, mug)

    sign_in(guest, ada)

    assert Wishlist.objects.get().owner == ada
    assert list_titles(guest) == ["Dune mug"]


def test_what_is_on_both_lists_is_there_once(guest, mug, ada) -> None:
    bowl, vase = VariantFactory(product__title="Bowl"), VariantFactory(product__title="Vase")
    for variant in (mug, bowl):
        wishlists.save(Holder(ada.pk), variant_id=variant.pk)
    for variant in (bowl, vase):
        save(guest, variant)

    sign_in(guest, ada)

    assert Wishlist.objects.get().owner == ada
    assert sorted(list_titles(guest)) == ["Bowl", "Dune mug", "Vase"]


def test_lists_of_other_names_are_kept_beside_each_other(guest, mug, ada) -> None:
    wishlists.create(Holder(ada.pk), name="Kitchen")
    save(guest, mug)
    guest.post("/wishlists/", {"name": "KITCHEN"})

    sign_in(guest, ada)

    assert sorted(Wishlist.objects.values_list("owner", "name")) == [
        (ada.pk, ""), (ada.pk, "Kitchen"),
    ]  # fmt: skip


def test_merging_twice_doubles_nothing(guest, mug, ada) -> None:
    save(guest, mug)
    ids = guest.session["wishlists"]

    for _twice in range(2):
        wishlists.merge_at_sign_in(list_ids=ids, user=ada)

    assert WishlistItem.objects.count() == 1


@pytest.mark.race
@pytest.mark.django_db(transaction=True)
def test_signing_in_twice_at_once_makes_one_list_of_two(mug, ada) -> None:
    lists = [wishlists.save(Holder(None), variant_id=mug.pk) for _browser in range(2)]

    results = meeting_at(
        User.objects.filter(pk=ada.pk),
        *(partial(wishlists.merge_at_sign_in, list_ids=[each.pk], user=ada) for each in lists),
    )

    assert results == [None, None]
    assert Wishlist.objects.get().owner == ada
    assert WishlistItem.objects.get().variant == mug


def test_a_link_that_a_guest_gave_away_leads_to_the_list_after_signing_in(guest, mug, ada) -> None:
    wishlists.save(Holder(ada.pk), variant_id=VariantFactory().pk)
    save(guest, mug)
    Wishlist.objects.filter(owner=None).update(share_key="a-key-that-friends-have")

    sign_in(guest, ada)

    assert "Dune mug" in list_titles(Client(), "/wishlists/shared/a-key-that-friends-have/")


def test_signing_in_does_not_take_somebody_elses_list(guest, mug, ada) -> None:
    theirs = Wishlist.objects.create(owner=UserFactory())
    session = guest.session
    session["wishlists"] = [theirs.pk]
    session.save()

    sign_in(guest, ada)

    theirs.refresh_from_db()
    assert theirs.owner != ada


def test_lists_that_nobody_can_find_any_more_are_forgotten(guest, mug, ada) -> None:
    save(guest, mug)
    wishlists.save(Holder(ada.pk), variant_id=mug.pk)
    Wishlist.objects.update(updated_at=now() - timedelta(days=61))

    assert wishlists.prune() == 1
    assert Wishlist.objects.get().owner == ada
