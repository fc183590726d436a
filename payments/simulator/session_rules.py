"""What the provider demands of a new Checkout Session beyond the types of its parameters."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from payments.simulator import currencies
from payments.simulator.errors import InvalidParameter
from payments.simulator.parameters import Parameters, missing

SHORTEST_LIFE = 30 * 60
LONGEST_LIFE = 24 * 60 * 60
CLOCK_TOLERANCE = 60
MOST_LINE_ITEMS = 100
MOST_ITEMS_OF_A_LINE = 999_999
EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")

ACTED_ON = frozenset(
    [
        "billing_address_collection",
        "cancel_url",
        "client_reference_id",
        "customer",
        "customer_creation",
        "customer_email",
        "expand",
        "expires_at",
        "line_items",
        "line_items.price_data",
        "line_items.price_data.currency",
        "line_items.price_data.product_data",
        "line_items.price_data.product_data.description",
        "line_items.price_data.product_data.images",
        "line_items.price_data.product_data.metadata",
        "line_items.price_data.product_data.name",
        "line_items.price_data.product_data.tax_code",
        "line_items.price_data.tax_behavior",
        "line_items.price_data.unit_amount",
        "line_items.quantity",
        "locale",
        "metadata",
        "mode",
        "payment_intent_data",
        "payment_intent_data.capture_method",
        "payment_intent_data.description",
        "payment_intent_data.metadata",
        "payment_intent_data.receipt_email",
        "payment_intent_data.shipping",
        "payment_intent_data.statement_descriptor",
        "payment_intent_data.statement_descriptor_suffix",
        "payment_method_types",
        "saved_payment_method_options",
        "saved_payment_method_options.payment_method_save",
        "submit_type",
        "success_url",
        "ui_mode",
    ]
)
FREE_FORM = frozenset({"metadata", "shipping", "images"})


def check_session(parameters: Parameters, *, now: int) -> None:
    """Refuse what no session can be made of; fill in the default of `expires_at`."""
    _refuse_unplayed(parameters, path="")
    _check_mode(parameters)
    _check_lines(parameters)
    for name in ("success_url", "cancel_url"):
        _check_url(parameters, name)
    if "client_reference_id" in parameters and len(parameters["client_reference_id"]) > 200:
        raise InvalidParameter(
            "client_reference_id can be up to 200 characters long.", param="client_reference_id"
        )
    if "customer_email" in parameters and not EMAIL.fullmatch(parameters["customer_email"]):
        raise InvalidParameter(
            f"Invalid email address: {parameters['customer_email']}",
            code="email_invalid",
            param="customer_email",
        )
    if "customer" in parameters and "customer_email" in parameters:
        raise InvalidParameter(
            "You may only specify one of these parameters: customer, customer_email.",
            code="parameters_exclusive",
            param="customer",
        )
    if "saved_payment_method_options" in parameters and "customer" not in parameters:
        raise InvalidParameter(
            "Payment methods are saved for a customer only.", param="saved_payment_method_options"
        )
    _check_expiry(parameters, now=now)


def _refuse_unplayed(parameters: Parameters, *, path: str) -> None:
    """Refuse what the real API would act on and the simulator does not: silence would mislead."""
    for name, value in parameters.items():
        full_name = f"{path}.{name}" if path else name
        if full_name not in ACTED_ON:
            raise InvalidParameter(
                f"The payment simulator does not play '{full_name}'; the real API knows it.",
                param=full_name,
            )
        if name in FREE_FORM:
            continue
        for nested in value if isinstance(value, list) else [value]:
            if isinstance(nested, dict):
                _refuse_unplayed(nested, path=full_name)


def _check_mode(parameters: Parameters) -> None:
    if "mode" not in parameters:
        raise missing("mode")
    if parameters["mode"] != "payment":
        raise InvalidParameter(
            f"The payment simulator does not play mode '{parameters['mode']}'.", param="mode"
        )
    if parameters.get("ui_mode", "hosted_page") not in ("hosted", "hosted_page"):
        raise InvalidParameter("The payment simulator plays the hosted page only.", param="ui_mode")
    if parameters.get("payment_method_types", ["card"]) != ["card"]:
        raise InvalidParameter(
            "The payment simulator takes cards only.", param="payment_method_types"
        )


def _check_lines(parameters: Parameters) -> None:
    lines = parameters.get("line_items")
    if not lines:
        raise missing("line_items")
    if len(lines) > MOST_LINE_ITEMS:
        raise InvalidParameter(
            f"A session can have up to {MOST_LINE_ITEMS} line items; {len(lines)} were sent.",
            param="line_items",
        )
    for position, line in enumerate(lines):
        _check_line(line, name=f"line_items[{position}]")
    used = {line["price_data"]["currency"] for line in lines}
    if len(used) > 1:
        raise InvalidParameter(
            "All line items of a session must have the same currency.", param="line_items"
        )
    _check_total(lines, currency=used.pop())


def _check_line(line: Parameters, *, name: str) -> None:
    for needed in ("price_data", "quantity"):
        if needed not in line:
            raise missing(f"{name}[{needed}]")
    price, name_of_price = line["price_data"], f"{name}[price_data]"
    for needed in ("unit_amount", "product_data"):
        if needed not in price:
            raise missing(f"{name_of_price}[{needed}]")
    if not 1 <= line["quantity"] <= MOST_ITEMS_OF_A_LINE:
        raise _bad_integer(line["quantity"], f"{name}[quantity]")
    if not 0 <= price["unit_amount"] <= currencies.LARGEST_CHARGE:
        raise _bad_integer(price["unit_amount"], f"{name_of_price}[unit_amount]")
    if price["currency"] not in currencies.SUPPORTED:
        raise InvalidParameter(
            f"Invalid currency: {price['currency']}. It is written in lowercase, like 'eur'.",
            param=f"{name_of_price}[currency]",
        )
    if price["unit_amount"] % currencies.step(price["currency"]):
        raise _bad_integer(price["unit_amount"], f"{name_of_price}[unit_amount]")


def _check_total(lines: list[Parameters], *, currency: str) -> None:
    total = subtotal_of(lines)
    smallest = currencies.SMALLEST_CHARGE.get(currency, 1)
    if total < smallest:
        raise InvalidParameter(
            f"The session's total of {currencies.amount_of(total, currency)} {currency} must be "
            f"at least {currencies.amount_of(smallest, currency)}.",
            code="amount_too_small",
            param="line_items",
        )
    if total > currencies.LARGEST_CHARGE:
        raise InvalidParameter(
            f"The session's total of {currencies.amount_of(total, currency)} {currency} is more "
            "than one charge can be.",
            code="amount_too_large",
            param="line_items",
        )


def subtotal_of(lines: list[Parameters]) -> int:
    """Add up the lines, in integer units of their currency."""
    return sum(line["price_data"]["unit_amount"] * line["quantity"] for line in lines)


def _check_url(parameters: Parameters, name: str) -> None:
    if name not in parameters:
        if name == "success_url":
            raise missing(name)
        return
    try:
        parts = urlsplit(parameters[name])
        is_web_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_web_address = False
    if not is_web_address or not parameters[name].isprintable() or " " in parameters[name]:
        raise InvalidParameter("Not a valid URL", code="url_invalid", param=name)


def _check_expiry(parameters: Parameters, *, now: int) -> None:
    expires_at = parameters.setdefault("expires_at", now + LONGEST_LIFE)
    life = expires_at - now
    if not SHORTEST_LIFE - CLOCK_TOLERANCE <= life <= LONGEST_LIFE + CLOCK_TOLERANCE:
        raise InvalidParameter(
            "expires_at must lie between 30 minutes and 24 hours after the session's creation.",
            param="expires_at",
        )


def _bad_integer(value: int, name: str) -> InvalidParameter:
    return InvalidParameter(
        f"Invalid integer: {value}", code="parameter_invalid_integer", param=name
    )
