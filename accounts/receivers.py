"""What follows a `migrate`: the shop's roles have the rights that the code gives them."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate
from django.dispatch import receiver

from accounts.services import staff


@receiver(post_migrate, dispatch_uid="accounts.lay_down_roles")
def lay_down_roles(sender: AppConfig, **kwargs: Any) -> None:
    """Follow each app's permissions, which Django has made just before; skip a half-way database."""
    if _has_groups(kwargs.get("apps", apps)):
        staff.lay_down_roles(sender.label)


def _has_groups(state: Any) -> bool:
    """Say whether the tables of roles and of the trail are there: a migration may go backwards."""
    try:
        state.get_model("auth", "Group")
        state.get_model("accounts", "AuditEntry")
    except LookupError:
        return False
    return True
