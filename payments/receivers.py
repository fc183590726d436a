"""What payments answer when somebody asks for their data, or wants it gone."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from accounts.archive import Archive
from accounts.erasure import ErasureRun
from accounts.person import Person
from accounts.signals import person_erasing, person_exporting
from payments.services import people


@receiver(person_exporting)
def tell_how_providers_know_them(
    sender: Any, person: Person, archive: Archive, **kwargs: Any
) -> None:
    people.export(person, archive)


@receiver(person_erasing)
def have_providers_forget_them(sender: Any, erasure: ErasureRun, **kwargs: Any) -> None:
    people.erase(erasure)
