"""Carriers that sellers choose from, and where shoppers follow their parcels."""

from __future__ import annotations

from urllib.parse import quote

# The public tracking pages, as the carriers link to them in their own mails.
TRACKING_PAGES = {
    "DHL": "https://www.dhl.com/global-en/home/tracking.html?tracking-id={number}",
    "DPD": "https://tracking.dpd.de/status/en_US/parcel/{number}",
    "GLS": "https://gls-group.com/EU/en/parcel-tracking?match={number}",
    "UPS": "https://www.ups.com/track?tracknum={number}",
    "FedEx": "https://www.fedex.com/fedextrack/?trknbr={number}",
    "PostNord": "https://tracking.postnord.com/en/?id={number}",
}
CARRIERS = tuple(TRACKING_PAGES)


def tracking_url(carrier: str, number: str) -> str:
    """Return where a parcel can be followed; empty for a carrier or number we do not know."""
    page = TRACKING_PAGES.get(carrier, "")
    return page.format(number=quote(number, safe="")) if number and page else ""
