"""Whether the shop is closed for maintenance: a small file says so, and needs no database.

An empty file closes the shop, too, so `touch` does in an emergency.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.utils.dateparse import parse_datetime

ANY_LANGUAGE = ""
MINUTES = 30
SOONEST_SECONDS = 60
"""What late visitors are told to wait when it takes longer than was said."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Why the shop is closed; `messages` holds words of one's own by language, "" for any."""

    began_at: str = ""
    ends_at: str = ""
    messages: Mapping[str, str] = field(default_factory=dict)

    def message(self, language: str) -> str:
        return self.messages.get(language) or self.messages.get(ANY_LANGUAGE, "")

    def get_end(self, *, now: datetime) -> datetime | None:
        """Return when the shop should be open again, None when that is past or was not said."""
        end = _read_time(self.ends_at)
        return end if end and end > now else None

    def count_seconds_left(self, *, now: datetime) -> int:
        """Return what `Retry-After` should say."""
        end = self.get_end(now=now)
        return max(SOONEST_SECONDS, round((end - now).total_seconds())) if end else SOONEST_SECONDS


def close(*, messages: Mapping[str, str], minutes: int, now: datetime) -> Notice:
    """Close the shop for about so many minutes; closing it again changes the notice.

    Raises OSError when the file cannot be written.
    """
    notice = Notice(
        began_at=now.isoformat(timespec="seconds"),
        ends_at=(now + timedelta(minutes=minutes)).isoformat(timespec="seconds"),
        messages=dict(messages),
    )
    path = _path()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(json.dumps(asdict(notice), ensure_ascii=False) + "\n", encoding="utf-8")
    draft.replace(path)
    return notice


def open_again() -> bool:
    """Open the shop; False if it was open. Raises OSError when the file cannot be removed."""
    was_closed = _path().exists()
    _path().unlink(missing_ok=True)
    return was_closed


def get_notice() -> Notice | None:
    """Return why the shop is closed, None while it is open. Each request asks this."""
    try:
        text = _path().read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError):
        return Notice()
    return _parse(text)


def _parse(text: str) -> Notice:
    """Read a notice; whatever else somebody put into the file closes the shop without words."""
    try:
        found = json.loads(text)
        return Notice(str(found["began_at"]), str(found["ends_at"]), {**found["messages"]})
    except (ValueError, TypeError, KeyError):
        return Notice()


def _read_time(text: str) -> datetime | None:
    try:
        return parse_datetime(text)
    except ValueError:
        return None


def _path() -> Path:
    path: Path = settings.MAINTENANCE_FILE
    return path
