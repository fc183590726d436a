"""What every page knows about the shop itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from shop import queries


@dataclass(frozen=True, slots=True)
class ShopFacts:
    name: str
    tagline: str
    introduction: str
    logo: str
    currency: str
    email: str
    address: str
    url: str
    prices_include_tax: bool
    has_mailbox: bool


def shop(request: HttpRequest) -> dict[str, Any]:
    """Offer the shop's facts and, when a template asks, the pages of the footer."""
    return {
        "shop": ShopFacts(
            name=settings.SHOP_NAME,
            tagline=settings.SHOP_TAGLINE,
            introduction=settings.SHOP_INTRODUCTION,
            logo=settings.SHOP_LOGO,
            currency=settings.SHOP_CURRENCY,
            email=settings.SHOP_EMAIL,
            address=settings.SHOP_ADDRESS,
            url=settings.SHOP_URL,
            prices_include_tax=settings.SHOP_PRICES_INCLUDE_TAX,
            has_mailbox=not (settings.IS_PRODUCTION or settings.HAS_MAIL_SERVER),
        ),
        "footer_pages": SimpleLazyObject(queries.list_footer_pages),
    }
