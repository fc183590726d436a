"""The category tree: every node repeats the slugs on its way from the root, for its URL."""

from __future__ import annotations

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from catalog.models import Category
from catalog.records import CategoryStep
from catalog.services import indexing
from shop.models import FormerAddress
from shop.services.addresses import remember
from shop.services.changes import announce
from shop.transactions import inside_transaction, own_transaction


@inside_transaction
def ensure_path(steps: Sequence[CategoryStep]) -> Category | None:
    """Return the category at the end of the way, creating the missing steps; None for no steps."""
    whole_path = "/".join(step.slug for step in steps)
    category = Category.objects.filter(path=whole_path).first()
    if category:
        return category
    for step in steps:
        path = f"{category.path}/{step.slug}" if category else step.slug
        category, is_new = Category.objects.get_or_create(
            path=path,
            defaults={"parent": category, "slug": step.slug, "name": step.name[:120]},
        )
        if is_new:
            announce("categories")
    return category


@own_transaction
def save(category: Category) -> Category:
    """Save a category, as `place` does, in a transaction of its own."""
    return place(category)


@inside_transaction
def place(category: Category) -> Category:
    """Save a category where its parent and slug say, moving everything below it along.

    Old paths lead on to the new ones. Raises `ValidationError` when it would stand below itself or
    where another one stands.
    """
    check(category)
    before = Category.objects.filter(pk=category.pk).values_list("name", "parent").first()
    old_path, category.path = category.path, build_path(category)
    category.save()
    if before and before != (category.name, category.parent_id):
        indexing.reindex_later(category=category.pk)
    moves = [(category.pk, old_path, category.path)]
    if old_path and old_path != category.path:
        below = Category.objects.filter(path__startswith=f"{old_path}/").order_by("path")
        for child in below.select_for_update():
            child_before, child.path = child.path, category.path + child.path.removeprefix(old_path)
            child.save(update_fields=["path"])
            moves.append((child.pk, child_before, child.path))
    remember(FormerAddress.Kind.CATEGORY, moves)
    announce("categories")
    return category


def check(category: Category) -> None:
    """Raise `ValidationError` unless the category can stand where its parent and slug say."""
    ancestor = category.parent
    while ancestor is not None:
        if ancestor.pk == category.pk:
            raise ValidationError({"parent": _("A category cannot stand below itself.")})
        ancestor = ancestor.parent
    path = build_path(category)
    if Category.objects.filter(path=path).exclude(pk=category.pk).exists():
        raise ValidationError(
            {"slug": _("There is already a category at %(path)s.") % {"path": path}}
        )


def build_path(category: Category) -> str:
    return f"{category.parent.path}/{category.slug}" if category.parent else category.slug
