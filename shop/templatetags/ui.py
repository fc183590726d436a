"""Small pieces of markup that nearly every page needs."""

from __future__ import annotations

from decimal import Decimal

from django import template
from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from shop.formatting import format_decimal

register = template.Library()


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Draw a symbol of the sprite; without a label it is decoration and hidden from readers."""
    address = f"{static('icons/sprite.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="icon" role="img" aria-label="{}"><use href="{}"/></svg>', label, address
        )
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>', address)


@register.simple_tag
def swatch(colour: str, label: str = "") -> SafeString:
    """Draw a dot in a colour of the catalogue, as `#rrggbb`."""
    if label:
        return format_html(
            '<svg class="swatch" viewBox="0 0 2 2" role="img" aria-label="{}">'
            '<circle cx="1" cy="1" r="1" fill="{}"/></svg>',
            label,
            colour,
        )
    return format_html(
        '<svg class="swatch" viewBox="0 0 2 2" aria-hidden="true">'
        '<circle cx="1" cy="1" r="1" fill="{}"/></svg>',
        colour,
    )


@register.simple_tag
def stars(rating: Decimal | int) -> SafeString:
    """Draw a rating of one to five stars, filled as far as it goes: `{% stars review.stars %}`."""
    address = f"{static('icons/sprite.svg')}#stars"
    words = _("%(rating)s of 5 stars") % {"rating": format_decimal(rating)}
    return format_html(
        '<svg class="stars" viewBox="0 0 120 24" role="img" aria-label="{}">'
        '<use class="stars__none" href="{}" width="120" height="24"/>'
        '<svg width="{}" height="24"><use href="{}" width="120" height="24"/></svg></svg>',
        words,
        address,
        round(float(rating) * 24, 1),
        address,
    )


@register.simple_tag
def offline_worker() -> str:
    """Return where browsers find the worker that keeps the offline page, "" if there is none."""
    return reverse("service_worker") if settings.SHOP_OFFLINE_PAGE else ""
