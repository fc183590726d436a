from __future__ import annotations

import pytest

from catalog.models import SearchRecord, Synonym
from tests.admin_forms import address, errors, sign_in, submit
from tests.catalog.test_search_page import find, sell

pytestmark = pytest.mark.django_db

ADD = "/admin/catalog/synonym/add/"


def test_a_line_of_synonyms_is_followed_until_it_is_deleted(client) -> None:
    sell("Linen sofa")
    assert find(client, "couch") == []

    answer = submit(sign_in(), ADD, words="sofa, couch", means="")

    assert answer.status_code == 302, errors(answer)
    assert find(client, "couch") == ["Linen sofa"]

    delete = address("catalog_synonym", "delete", Synonym.objects.get().pk)
    sign_in().post(delete, {"post": "yes"})

    assert find(client, "couch") == []


@pytest.mark.parametrize(
    ("words", "means", "wrong"),
    [
        ("sofa", "", "two words"),
        (" , sofa", "", "two words"),
        ("!, ?", "sofa", "two words"),
        ("sofa", "!", "no word"),
    ],
)
def test_a_line_that_says_nothing_is_refused(words: str, means: str, wrong: str) -> None:
    answer = submit(sign_in(), ADD, words=words, means=means)

    assert wrong in " ".join(errors(answer))
    assert not Synonym.objects.exists()


def test_staff_see_what_shoppers_did_not_find_and_cannot_change_it() -> None:
    SearchRecord.objects.create(day="2026-11-20", words="sofa", searches=4, products=0)
    row = SearchRecord.objects.create(day="2026-11-20", words="mug", searches=9, products=2)
    staff = sign_in()

    page = staff.get("/admin/catalog/searchrecord/?found=nothing").content.decode()

    assert ">sofa<" in page
    assert ">mug<" not in page
    assert staff.get(address("catalog_searchrecord", "delete", row.pk)).status_code == 403
