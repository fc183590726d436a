"""What the pages about signing in need beside the shop's own tags."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.core.serializers.json import DjangoJSONEncoder

from accounts.devices import describe_device

register = template.Library()
register.filter("device", describe_device)


@register.filter
def as_json(value: Any) -> str:
    """Write options for a script into an attribute, which the template escapes."""
    return json.dumps(value, cls=DjangoJSONEncoder)
