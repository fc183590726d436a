from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from catalog.models import Category
from tests.admin_forms import address, errors, sign_in, submit
from tests.catalog.pictures import picture
from tests.factories.catalog import CategoryFactory

pytestmark = pytest.mark.django_db

ADD = "/admin/catalog/category/add/"


def page(category: Category) -> str:
    return address("catalog_category", "change", category.pk)


def test_new_category_stands_below_its_parent_with_its_picture() -> None:
    living = CategoryFactory(slug="living")

    answer = submit(
        sign_in(),
        ADD,
        name="Vases",
        slug="vases",
        parent=living.pk,
        upload=SimpleUploadedFile("vases.webp", picture("WEBP").getvalue()),
        image_alt="Three vases",
    )

    assert answer.status_code == 302, errors(answer)
    vases = Category.objects.get(slug="vases")
    assert vases.path == "living/vases"
    assert (vases.image.width, vases.image_alt) == (800, "Three vases")


def test_moved_category_takes_everything_below_along() -> None:
    home = CategoryFactory(slug="home")
    living = CategoryFactory(slug="living")
    vases = CategoryFactory(slug="vases", parent=living)
    CategoryFactory(slug="small", parent=vases)
    CategoryFactory(slug="living-room")

    answer = submit(sign_in(), page(living), parent=home.pk)

    assert answer.status_code == 302, errors(answer)
    assert sorted(Category.objects.values_list("path", flat=True)) == [
        "home",
        "home/living",
        "home/living/vases",
        "home/living/vases/small",
        "living-room",
    ]


def test_category_cannot_stand_below_itself() -> None:
    living = CategoryFactory(slug="living")
    vases = CategoryFactory(slug="vases", parent=living)

    answer = submit(sign_in(), page(living), parent=vases.pk)

    assert errors(answer) == ["A category cannot stand below itself."]
    living.refresh_from_db()
    assert living.path == "living"


def test_two_categories_cannot_have_one_address() -> None:
    CategoryFactory(slug="living")

    answer = submit(sign_in(), ADD, name="Living", slug="living")

    assert errors(answer) == ["There is already a category at living."]


def test_form_with_a_broken_picture_keeps_what_was_typed() -> None:
    answer = submit(
        sign_in(), ADD, name="Vases", slug="vases", upload=SimpleUploadedFile("a.jpg", b"no")
    )

    assert errors(answer)[0].startswith("This file is not a picture.")
    assert answer.context["adminform"].form["name"].value() == "Vases"
    assert not Category.objects.exists()
