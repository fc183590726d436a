"""Scripts that a browser runs only if they are the ones that the page was made with."""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from pathlib import Path

from django import template
from django.conf import settings
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import staticfiles_storage
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def script(path: str, *, is_module: bool = True) -> SafeString:
    """Load a static script once the page is read: `{% script "js/emporium.js" %}`.

    A cache or a proxy between shop and browser that changes the file finds it refused
    (W3C, Subresource Integrity).
    """
    digest = _read_digest(path) if settings.DEBUG else _remember_digest(path)
    if is_module:
        line = '<script src="{}" type="module" integrity="{}"></script>'
    else:
        line = '<script src="{}" defer integrity="{}"></script>'
    return format_html(line, static(path), digest)


def _read_digest(path: str) -> str:
    digest = hashlib.sha384(_read(path)).digest()
    return f"sha384-{base64.b64encode(digest).decode()}"


_remember_digest = lru_cache(_read_digest)


def _read(path: str) -> bytes:
    """Read the file as it is sent: the collected one, else its source."""
    if settings.STATIC_HASHED:
        name = staticfiles_storage.url(path).removeprefix(settings.STATIC_URL)
        with staticfiles_storage.open(name) as file:
            return bytes(file.read())
    found = finders.find(path)
    if not found:
        raise FileNotFoundError(f"There is no static file {path}.")
    return Path(found).read_bytes()
