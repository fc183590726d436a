"""What pages tell machines about themselves, in the words of schema.org, as JSON-LD.

https://schema.org/docs/full.html names the types and properties;
https://developers.google.com/search/docs/appearance/structured-data/product what is made of them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from catalog.gtin import read_gtin
from catalog.queries.links import Crumb, absolute, product_url
from catalog.queries.pictures import Picture
from catalog.queries.reviews import Reviews, ReviewView
from catalog.queries.variants import Variant
from shop.money import quantize

Thing = dict[str, Any]
CONTEXT = "https://schema.org"
BRAND = "brand"
"""The attribute that names a brand, where makers sell what others have made."""
MOST_OFFERS = 120
MOST_PICTURES = 6
LONGEST_DESCRIPTION = 1000
# Nothing in a data block may end it, begin a comment or break a line of script.
_ESCAPES = {ord(character): f"\\u{ord(character):04X}" for character in "<>&\u2028\u2029"}


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """What is told of a product; `brand` is its maker where nobody named one."""

    slug: str
    title: str
    description: str
    brand: str
    seller: str
    seller_url: str
    breadcrumbs: Sequence[Crumb]
    pictures: Sequence[Picture]
    variants: Sequence[Variant]
    reviews: Reviews


def write(things: Sequence[Thing]) -> SafeString:
    """Write things as one data block, safe inside a script element whatever people typed."""
    text = json.dumps(
        {"@context": CONTEXT, "@graph": list(things)}, ensure_ascii=False, separators=(",", ":")
    )
    return mark_safe(text.translate(_ESCAPES))


def describe_shop() -> list[Thing]:
    """Tell who the shop is, for its front page."""
    home = absolute(reverse("catalog:home"))
    shop = {
        "@type": "Organization",
        "@id": absolute("/#shop"),
        "name": settings.SHOP_NAME,
        "url": home,
        "email": settings.SHOP_EMAIL,
        "logo": absolute(static(settings.SHOP_LOGO or "favicon/apple-touch-icon.png")),
        "slogan": settings.SHOP_TAGLINE,
    }
    site = {
        "@type": "WebSite",
        "@id": absolute("/#site"),
        "name": settings.SHOP_NAME,
        "url": home,
        "publisher": {"@id": absolute("/#shop")},
    }
    return [shop, site]


def describe_way(crumbs: Sequence[Crumb], *, here: str) -> Thing:
    """Tell the way from the front page; the page itself is its end."""
    steps = [
        {
            "@type": "ListItem",
            "position": place,
            "name": crumb.label,
            "item": {"@id": absolute(crumb.url)},
        }
        for place, crumb in enumerate(
            [Crumb(label=_("Home"), url=reverse("catalog:home")), *crumbs], start=1
        )
    ]
    steps.append({"@type": "ListItem", "position": len(steps) + 1, "name": here})
    return {"@type": "BreadcrumbList", "itemListElement": steps}


def describe_product(facts: ProductFacts) -> list[Thing]:
    """Tell what a product is, what its variants cost, and what people say of it."""
    url = absolute(product_url(facts.slug))
    product: Thing = {
        "@type": "Product",
        "@id": f"{url}#product",
        "name": facts.title,
        "url": url,
        "description": facts.description[:LONGEST_DESCRIPTION],
        "image": [picture.absolute for picture in facts.pictures[:MOST_PICTURES]],
        "brand": {"@type": "Brand", "name": facts.brand},
        "category": " > ".join(crumb.label for crumb in facts.breadcrumbs),
        "offers": _describe_offers(facts),
    }
    if len(facts.variants) == 1:
        product["sku"] = facts.variants[0].sku
        product["gtin"] = read_gtin(facts.variants[0].barcode)
    if facts.reviews.count and facts.reviews.rating is not None:
        product["aggregateRating"] = {
            "@type": "AggregateRating",
            "ratingValue": str(facts.reviews.rating),
            "reviewCount": facts.reviews.count,
            "bestRating": 5,
            "worstRating": 1,
        }
        product["review"] = [_describe_review(review) for review in facts.reviews.reviews]
    return [_without_empty(product), describe_way(facts.breadcrumbs, here=facts.title)]


def _describe_offers(facts: ProductFacts) -> Thing:
    """One variant is an offer; several are one offer from the lowest to the highest price."""
    seller = {"@type": "Organization", "name": facts.seller, "url": absolute(facts.seller_url)}
    if len(facts.variants) == 1:
        url = absolute(product_url(facts.slug))
        return _describe_offer(facts.variants[0], url=url) | {"seller": seller}
    prices = [variant.price for variant in facts.variants]
    return {
        "@type": "AggregateOffer",
        "lowPrice": _amount(min(prices)),
        "highPrice": _amount(max(prices)),
        "priceCurrency": settings.SHOP_CURRENCY,
        "offerCount": len(facts.variants),
        "availability": _availability(any(variant.in_stock for variant in facts.variants)),
        "seller": seller,
        "offers": [
            _describe_offer(variant, url=absolute(product_url(facts.slug, sku=variant.sku)))
            for variant in facts.variants[:MOST_OFFERS]
        ],
    }


def _describe_offer(variant: Variant, *, url: str) -> Thing:
    return _without_empty(
        {
            "@type": "Offer",
            "name": variant.label,
            "sku": variant.sku,
            "gtin": read_gtin(variant.barcode),
            "url": url,
            "price": _amount(variant.price),
            "priceCurrency": settings.SHOP_CURRENCY,
            "availability": _availability(variant.in_stock),
            "itemCondition": f"{CONTEXT}/NewCondition",
        }
    )


def _describe_review(review: ReviewView) -> Thing:
    return _without_empty(
        {
            "@type": "Review",
            "name": review.title,
            "reviewBody": review.text,
            "author": {"@type": "Person", "name": review.name},
            "datePublished": f"{review.written_at:%Y-%m-%d}",
            "reviewRating": {
                "@type": "Rating",
                "ratingValue": review.stars,
                "bestRating": 5,
                "worstRating": 1,
            },
        }
    )


def _availability(in_stock: bool) -> str:
    return f"{CONTEXT}/{'InStock' if in_stock else 'OutOfStock'}"


def _amount(price: Decimal) -> str:
    return str(quantize(price, settings.SHOP_CURRENCY))


def _without_empty(thing: Mapping[str, Any]) -> Thing:
    return {name: value for name, value in thing.items() if value not in ("", [])}
