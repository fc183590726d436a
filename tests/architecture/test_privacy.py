"""Nothing that is kept of people escapes: every table and column is answered for."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from accounts.models import User
from accounts.privacy import Erasure, Holding, list_holdings, list_impersonal
from tests.architecture.test_docs import read_rows

HOLDINGS = {each.model: each for each in list_holdings()}
MODELS = {model._meta.label: model for model in apps.get_models(include_auto_created=True)}
HOLDS_TEXT = (
    models.CharField, models.TextField, models.JSONField, models.BinaryField, models.FileField,
    models.GenericIPAddressField,
)  # fmt: skip
OBVIOUS = (models.EmailField, models.GenericIPAddressField)
NAMES_OF_PEOPLE = re.compile(
    r"e?mail|phone|street|postcode|surname|first_?name|last_?name|birth|\bip\b|user_?agent"
)
HOW = "declare it in <app>/holdings.py; docs/privacy.md says how"


def may_tell_of_a_person(field: models.Field) -> bool:
    """Say whether somebody has to answer for a column: it leads to a person or may hold words."""
    if field.is_relation:
        return issubclass(field.related_model, User)
    if isinstance(field, ArrayField):
        return may_tell_of_a_person(field.base_field)
    return isinstance(field, HOLDS_TEXT) and not field.choices


@pytest.mark.parametrize("label", sorted(MODELS))
def test_every_table_and_column_is_answered_for(label: str) -> None:
    fields = {
        field.name: field
        for field in MODELS[label]._meta.local_concrete_fields
        if may_tell_of_a_person(field)
    }
    if label in HOLDINGS:
        named = {*HOLDINGS[label].fields, *HOLDINGS[label].rest}
        assert fields.keys() <= named, f"{label}: {sorted(fields.keys() - named)}: {HOW}"
        people = {name for name, field in fields.items() if field.is_relation}
        assert people <= {*HOLDINGS[label].fields}, f"{label}: whom a row is about is of a person"
        return

    assert label in list_impersonal(), f"{label} is declared nowhere: {HOW}"
    telling = [
        name
        for name, field in fields.items()
        if field.is_relation or isinstance(field, OBVIOUS) or NAMES_OF_PEOPLE.search(name)
    ]
    assert telling == [], f"{label} is said to tell nothing of a person, but has {telling}: {HOW}"


def test_nothing_is_declared_that_is_not_there() -> None:
    assert HOLDINGS.keys() | list_impersonal().keys() == MODELS.keys()
    assert not HOLDINGS.keys() & list_impersonal().keys()
    for label, holding in HOLDINGS.items():
        columns = {each.name for each in MODELS[label]._meta.get_fields()}
        assert {*holding.fields, *holding.rest} <= columns, label


def test_a_column_that_leads_to_a_person_or_holds_words_is_noticed() -> None:
    fields = {field.name: field for field in MODELS["catalog.Review"]._meta.local_concrete_fields}

    noticed = {name for name, field in fields.items() if may_tell_of_a_person(field)}

    assert {"author", "decided_by", "email", "text"} <= noticed
    assert not noticed & {"stars", "status", "product", "created_at"}


@pytest.mark.parametrize("holding", HOLDINGS.values(), ids=lambda each: each.model)
def test_what_is_not_in_the_copy_or_stays_says_why(holding: Holding) -> None:
    assert holding.section or "not in the copy" in holding.remark.lower()
    assert holding.erasure == Erasure.DELETED or holding.remark
    assert holding.purpose
    assert holding.kept
    assert holding.ground


def test_the_page_about_privacy_lists_exactly_what_is_declared() -> None:
    rows = [row for row in read_rows("privacy.md", "What is kept") if row[0].startswith("`")]

    assert rows == [describe(each) for each in HOLDINGS.values()]


def describe(holding: Holding) -> list[str]:
    """Return the row of the table in docs/privacy.md."""
    remark = f": {holding.remark}" if holding.remark else ""
    return [
        f"`{holding.model}`",
        ", ".join(f"`{name}`" for name in holding.fields),
        holding.purpose,
        holding.kept,
        holding.ground,
        f"`{holding.section}`" if holding.section else "no",
        f"{holding.erasure}{remark}",
    ]


def test_the_periods_on_the_page_are_settings() -> None:
    text = (settings.BASE_DIR / "docs" / "privacy.md").read_text("utf-8")
    named = set(re.findall(r"`(RETENTION_[A-Z_]+)`", text))

    assert named == {name for name in dir(settings) if name.startswith("RETENTION_")}
