"""What PayPal demands of the bodies that it is sent; what the simulator does not play is refused."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from payments.simulator.paypal_errors import PayPalRefusal
from payments.simulator.paypal_shapes import WHOLE_ONLY, Document

CURRENCIES = frozenset(
    [
        "AUD",
        "BRL",
        "CAD",
        "CHF",
        "CNY",
        "CZK",
        "DKK",
        "EUR",
        "GBP",
        "HKD",
        "HUF",
        "ILS",
        "JPY",
        "MXN",
        "MYR",
        "NOK",
        "NZD",
        "PHP",
        "PLN",
        "SEK",
        "SGD",
        "THB",
        "TWD",
        "USD",
    ]
)
NUMBER = re.compile(r"\d{1,20}(\.\d+)?")
QUANTITY = re.compile(r"[1-9]\d{0,9}")
LOCALE = re.compile(r"[a-z]{2}(?:-[A-Z][a-z]{3})?(?:-(?:[A-Z]{2}|\d{3}))?")
CONTEXT = {
    "shipping_preference": {"GET_FROM_FILE", "NO_SHIPPING", "SET_PROVIDED_ADDRESS"},
    "user_action": {"CONTINUE", "PAY_NOW"},
    "landing_page": {"LOGIN", "GUEST_CHECKOUT", "NO_PREFERENCE"},
    "payment_method_preference": {"UNRESTRICTED", "IMMEDIATE_PAYMENT_REQUIRED"},
}


def check_order(body: Document) -> None:
    """Refuse what no order can be made of."""
    _only(body, "", {"intent", "purchase_units", "payment_source"})
    if _needed(body, "intent", "") != "CAPTURE":
        raise _not_valid("/intent", "The payment simulator plays the intent CAPTURE only.")
    units = _needed(body, "purchase_units", "")
    if not isinstance(units, list) or len(units) != 1:
        raise _not_valid("/purchase_units", "The payment simulator plays one purchase unit.")
    _check_unit(_object(units[0], "/purchase_units/0"), "/purchase_units/0")
    source = _object(_needed(body, "payment_source", ""), "/payment_source")
    _only(source, "/payment_source", {"paypal"})
    wallet = _object(_needed(source, "paypal", "/payment_source"), "/payment_source/paypal")
    _only(wallet, "/payment_source/paypal", {"experience_context", "email_address"})
    place = "/payment_source/paypal/experience_context"
    _check_context(_object(_needed(wallet, "experience_context", place), place), place)


def check_refund(body: Document) -> None:
    _only(body, "", {"amount", "custom_id", "invoice_id", "note_to_payer"})
    if "amount" in body and not check_money(body["amount"], "/amount"):
        raise PayPalRefusal(422, "CANNOT_BE_ZERO_OR_NEGATIVE")
    _check_words(body, "", {"custom_id": 127, "invoice_id": 127, "note_to_payer": 255})


def check_money(value: Any, place: str) -> Decimal:
    """Return an amount that PayPal can take, as a number."""
    amount = _object(value, place)
    _only(amount, place, {"currency_code", "value", "breakdown"})
    currency = _needed(amount, "currency_code", place)
    written = _needed(amount, "value", place)
    if currency not in CURRENCIES:
        raise PayPalRefusal(
            422, "CURRENCY_NOT_SUPPORTED", "Currency code is not supported.", field=place
        )
    if not isinstance(written, str) or not NUMBER.fullmatch(written):
        raise _not_valid(f"{place}/value", "Write the amount as a string of digits.")
    places = len(written.partition(".")[2])
    if currency in WHOLE_ONLY and places:
        raise PayPalRefusal(422, "DECIMALS_NOT_SUPPORTED", field=place)
    if places > 2:
        raise PayPalRefusal(422, "DECIMAL_PRECISION", field=place)
    return Decimal(written)


def _check_unit(unit: Document, place: str) -> None:
    _only(
        unit,
        place,
        {"reference_id", "custom_id", "invoice_id", "description", "amount", "items"},
    )
    _check_words(
        unit, place, {"reference_id": 256, "custom_id": 127, "invoice_id": 127, "description": 127}
    )
    amount = _object(_needed(unit, "amount", place), f"{place}/amount")
    total = check_money(amount, f"{place}/amount")
    if not total:
        raise PayPalRefusal(422, "CANNOT_BE_ZERO_OR_NEGATIVE")
    items = unit.get("items", [])
    sums = [_check_item(item, amount, f"{place}/items/{at}") for at, item in enumerate(items)]
    breakdown = _object(amount.get("breakdown", {}), f"{place}/amount/breakdown")
    _only(breakdown, f"{place}/amount/breakdown", {"item_total", "discount"})
    parts = {
        name: check_money(part, f"{place}/amount/breakdown/{name}")
        for name, part in breakdown.items()
    }
    if items and "item_total" not in parts:
        raise PayPalRefusal(422, "ITEM_TOTAL_REQUIRED")
    if items and parts["item_total"] != sum(sums):
        raise PayPalRefusal(422, "ITEM_TOTAL_MISMATCH")
    if parts and parts.get("item_total", Decimal(0)) - parts.get("discount", Decimal(0)) != total:
        raise PayPalRefusal(422, "AMOUNT_MISMATCH")


def _check_item(value: Any, amount: Document, place: str) -> Decimal:
    item = _object(value, place)
    _only(item, place, {"name", "quantity", "unit_amount", "description", "sku", "category"})
    _needed(item, "name", place)
    _check_words(item, place, {"name": 127, "description": 127, "sku": 127})
    quantity = _needed(item, "quantity", place)
    if not isinstance(quantity, str) or not QUANTITY.fullmatch(quantity):
        raise _not_valid(f"{place}/quantity", "Write the quantity as a string of digits.")
    price = check_money(_needed(item, "unit_amount", place), f"{place}/unit_amount")
    if item["unit_amount"]["currency_code"] != amount["currency_code"]:
        raise PayPalRefusal(422, "CURRENCY_MISMATCH", "All amounts should be of one currency.")
    return price * int(quantity)


def _check_context(context: Document, place: str) -> None:
    _only(context, place, {"brand_name", "locale", "return_url", "cancel_url", *CONTEXT})
    _check_words(context, place, {"brand_name": 127})
    for name, known in CONTEXT.items():
        if context.get(name, next(iter(known))) not in known:
            raise _not_valid(f"{place}/{name}", f"Known: {', '.join(sorted(known))}.")
    if "locale" in context and not LOCALE.fullmatch(str(context["locale"])):
        raise _not_valid(f"{place}/locale", "Write it as de-DE.")
    for name in ("return_url", "cancel_url"):
        address = _needed(context, name, place)
        try:
            parts = urlsplit(address)
            is_web_address = parts.scheme in ("http", "https") and bool(parts.hostname)
        except (ValueError, AttributeError):
            is_web_address = False
        if not is_web_address or not address.isprintable() or " " in address:
            raise _not_valid(f"{place}/{name}", "Give a whole web address.")


def _check_words(body: Document, place: str, longest: dict[str, int]) -> None:
    for name, most in longest.items():
        value = body.get(name, "x")
        if not isinstance(value, str) or not 1 <= len(value) <= most:
            raise PayPalRefusal(400, "INVALID_STRING_LENGTH", field=f"{place}/{name}")


def _only(body: Document, place: str, known: set[str]) -> None:
    for name in body:
        if name not in known:
            raise _not_valid(
                f"{place}/{name}",
                "The payment simulator does not play this member; the real API may know it.",
            )


def _needed(body: Document, name: str, place: str) -> Any:
    if name not in body:
        raise PayPalRefusal(400, "MISSING_REQUIRED_PARAMETER", field=f"{place}/{name}")
    return body[name]


def _object(value: Any, place: str) -> Document:
    if not isinstance(value, dict):
        raise _not_valid(place, "This must be an object.")
    return value


def _not_valid(field: str, description: str) -> PayPalRefusal:
    return PayPalRefusal(400, "INVALID_PARAMETER_VALUE", description, field=field)
