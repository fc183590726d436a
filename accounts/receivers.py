"""What this floor answers when somebody asks for their data, or wants it gone."""

from __future__ import annotations

from typing import Any

from django.dispatch import receiver

from accounts import signals
from accounts.archive import Archive
from accounts.erasure import ErasureRun
from accounts.person import Person
from accounts.services import people


@receiver(signals.person_exporting)
def tell_what_is_known(sender: Any, person: Person, archive: Archive, **kwargs: Any) -> None:
    people.export(person, archive)


@receiver(signals.person_leaving)
def name_duties(sender: Any, erasure: ErasureRun, **kwargs: Any) -> None:
    people.find_obstacles(erasure)


@receiver(signals.person_erasing)
def erase_the_account(sender: Any, erasure: ErasureRun, **kwargs: Any) -> None:
    people.erase(erasure)
