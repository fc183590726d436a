"""What somebody looked at before. Only their browser knows it, and names it by ids."""

from __future__ import annotations

import re

from catalog import index
from catalog.queries.cards import ProductCard, list_cards

MOST_IDS = 8
_IDS = re.compile(r"[0-9]{1,9}(,[0-9]{1,9}){0,30}")
SHOWN = 4


def list_recent_cards(ids: str) -> list[ProductCard]:
    """Return the first few of the products named, as "12,7,30", that are still for sale."""
    if not _IDS.fullmatch(ids):
        return []
    wanted = dict.fromkeys(int(number) for number in ids.split(",")[:MOST_IDS])
    for_sale = index.current().for_sale
    return list_cards([number for number in wanted if number in for_sale][:SHOWN])
