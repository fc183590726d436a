"""The copy of a person's data: one archive, with JSON for machines and a page for people."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.template.loader import render_to_string
from django.utils import formats, timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

Row = Mapping[str, Any]

LABELS = {
    "amount": gettext_lazy("Amount"),
    "after": gettext_lazy("After"),
    "answer": gettext_lazy("Answer of the seller"),
    "asked_at": gettext_lazy("Asked"),
    "back_in_stock": gettext_lazy("Back in stock"),
    "before": gettext_lazy("Before"),
    "bought_at": gettext_lazy("Bought"),
    "browser": gettext_lazy("Browser"),
    "changed_at": gettext_lazy("Changed"),
    "city": gettext_lazy("City"),
    "closed_at": gettext_lazy("Closed"),
    "confirmed_at": gettext_lazy("Confirmed"),
    "country": gettext_lazy("Country"),
    "created_at": gettext_lazy("Since"),
    "currency": gettext_lazy("Currency"),
    "details": gettext_lazy("Details"),
    "done_at": gettext_lazy("Done"),
    "email": gettext_lazy("Email"),
    "events": gettext_lazy("What happened"),
    "failure": gettext_lazy("What went wrong"),
    "groups": gettext_lazy("Groups"),
    "happened_at": gettext_lazy("When"),
    "id": gettext_lazy("Number"),
    "ip": gettext_lazy("IP address"),
    "is_for_billing": gettext_lazy("Default for billing"),
    "is_for_delivery": gettext_lazy("Default for delivery"),
    "is_primary": gettext_lazy("Main address"),
    "is_public": gettext_lazy("Published"),
    "is_verified": gettext_lazy("Confirmed"),
    "items": gettext_lazy("Things"),
    "joined_at": gettext_lazy("Joined"),
    "kind": gettext_lazy("Kind"),
    "language": gettext_lazy("Language"),
    "last_login": gettext_lazy("Last signed in"),
    "last_used_at": gettext_lazy("Last used"),
    "lines": gettext_lazy("Items"),
    "message": gettext_lazy("Message"),
    "name": gettext_lazy("Name"),
    "news": gettext_lazy("News"),
    "number": gettext_lazy("Number"),
    "ordered_at": gettext_lazy("Ordered"),
    "paid_at": gettext_lazy("Paid"),
    "payment": gettext_lazy("Payment"),
    "payments": gettext_lazy("Payments"),
    "phone": gettext_lazy("Phone"),
    "photos": gettext_lazy("Photographs"),
    "place": gettext_lazy("Where"),
    "postcode": gettext_lazy("Postcode"),
    "product": gettext_lazy("Product"),
    "provider": gettext_lazy("Provider"),
    "provider_number": gettext_lazy("Number at the provider"),
    "quantity": gettext_lazy("Quantity"),
    "reason": gettext_lazy("Reason"),
    "refunds": gettext_lazy("Refunds"),
    "region": gettext_lazy("Region"),
    "reviewed_at": gettext_lazy("Written"),
    "role": gettext_lazy("Role"),
    "seller": gettext_lazy("Seller"),
    "reviews": gettext_lazy("Reviews"),
    "sent_at": gettext_lazy("Sent"),
    "share_link": gettext_lazy("Shared by link"),
    "shipments": gettext_lazy("Parcels"),
    "shipped_at": gettext_lazy("Shipped"),
    "signed_in_at": gettext_lazy("Signed in"),
    "sku": gettext_lazy("SKU"),
    "stars": gettext_lazy("Stars"),
    "status": gettext_lazy("Status"),
    "street": gettext_lazy("Street"),
    "subject": gettext_lazy("Subject"),
    "text": gettext_lazy("Text"),
    "title": gettext_lazy("Title"),
    "what": gettext_lazy("What"),
    "told_at": gettext_lazy("Told"),
    "total": gettext_lazy("Total"),
    "tracking_number": gettext_lazy("Tracking number"),
    "typed": gettext_lazy("Typed at the checkout"),
    "addresses": gettext_lazy("Addresses"),
    "unit_price": gettext_lazy("Unit price"),
    "updated_at": gettext_lazy("Last changed"),
    "variant": gettext_lazy("Variant"),
    "delivery": gettext_lazy("Delivery"),
    "tax": gettext_lazy("Tax"),
    "method": gettext_lazy("Second factor"),
}


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the copy; a row's values are plain, or lists of rows."""

    key: str
    title: str
    rows: list[Row]


@dataclass(slots=True)
class Archive:
    """Collects what the apps hold of a person, in the language that is active."""

    asked_at: datetime
    sections: list[Section] = field(default_factory=list)
    files: list[tuple[str, Callable[[], bytes]]] = field(default_factory=list)

    def add(self, key: str, title: str, rows: Iterable[Row]) -> None:
        """Add a part; one without rows is left out."""
        if found := list(rows):
            self.sections.append(Section(key, title, found))

    def add_file(self, name: str, read: Callable[[], bytes]) -> None:
        """Add a file; `read` is called while the archive is written."""
        self.files.append((make_safe_name(name), read))

    def add_json(self, name: str, content: Any) -> None:
        self.add_file(name, lambda: _to_json(content))

    def write(self, out: IO[bytes]) -> None:
        """Write the archive: `data.json`, `index.html` and what else was added."""
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("data.json", _to_json(self._as_document()))
            archive.writestr("index.html", self._as_page())
            archive.writestr("style.css", render_to_string("accounts/archive/style.css"))
            for name, read in self.files:
                archive.writestr(name, read())

    def _as_document(self) -> dict[str, Any]:
        return {
            "shop": settings.SHOP_NAME,
            "address": settings.SHOP_URL,
            "made_at": self.asked_at,
            **{section.key: section.rows for section in self.sections},
        }

    def _as_page(self) -> str:
        sections = [
            {"key": each.key, "title": each.title, "rows": [_readable(row) for row in each.rows]}
            for each in self.sections
        ]
        return render_to_string(
            "accounts/archive/index.html",
            {
                "sections": sections,
                "language": get_language() or settings.LANGUAGE_CODE,
                "shop_name": settings.SHOP_NAME,
                "shop_url": settings.SHOP_URL,
                "made_at": _in_words(self.asked_at),
                "files": [name for name, _read in self.files],
            },
        )


def make_safe_name(name: str) -> str:
    """Return a name that is no way out of the folder it is unpacked in, on any system."""
    parts = [re.sub(r"[^A-Za-z0-9._-]+", "-", part).strip(".") for part in name.split("/")]
    return "/".join(part for part in parts if part)


def _readable(row: Row) -> list[dict[str, Any]]:
    """Turn a row into labelled texts and rows below it; what is empty is left out."""
    cells = []
    for key, value in row.items():
        if value in (None, "", []):
            continue
        label = str(LABELS.get(key, key.replace("_", " ")))
        if isinstance(value, list) and isinstance(value[0], Mapping):
            cells.append({"label": label, "rows": [_readable(each) for each in value]})
        else:
            cells.append({"label": label, "text": _in_words(value)})
    return cells


def _in_words(value: Any) -> str:
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return formats.date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if isinstance(value, date):
        return formats.date_format(value, "DATE_FORMAT")
    if isinstance(value, Decimal):
        return formats.localize(value)
    if isinstance(value, list):
        return ", ".join(str(each) for each in value)
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False, cls=DjangoJSONEncoder)
    return str(value)


def _to_json(content: Any) -> bytes:
    return json.dumps(content, cls=DjangoJSONEncoder, ensure_ascii=False, indent=2).encode()
