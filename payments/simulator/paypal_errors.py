"""Refusals of the simulated PayPal, in the words and shapes of its error object.

Source: PayPal, "API responses", and the errors of Orders v2 and Payments v2.
"""

from __future__ import annotations

from typing import Any

from payments.simulator.errors import Refusal
from payments.simulator.paypal_shapes import new_id

NAMES = {
    400: ("INVALID_REQUEST", "Request is not well-formed, syntactically incorrect, or violates schema."),
    401: ("AUTHENTICATION_FAILURE", "Authentication failed due to missing authorization header, or invalid authentication credentials."),
    404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
    409: ("RESOURCE_CONFLICT", "The server has detected a conflict while processing this request."),
    413: ("INVALID_REQUEST", "The body is too large."),
    415: ("UNSUPPORTED_MEDIA_TYPE", "The server does not support the request payload's media type."),
    422: ("UNPROCESSABLE_ENTITY", "The requested action could not be performed, semantically incorrect, or failed business validation."),
    429: ("RATE_LIMIT_REACHED", "Too many requests."),
    500: ("INTERNAL_SERVER_ERROR", "An internal server error occurred."),
}  # fmt: skip


DESCRIPTIONS = {
    "AMOUNT_MISMATCH": "Should equal item_total + tax_total + shipping + handling + insurance - shipping_discount - discount.",
    "CANNOT_BE_ZERO_OR_NEGATIVE": "Must be greater than zero. If the currency supports decimals, only two decimal place precision is supported.",
    "CAPTURE_FULLY_REFUNDED": "The capture has already been fully refunded",
    "DECIMALS_NOT_SUPPORTED": "Currency does not support decimals. Please refer to https://developer.paypal.com/docs/api/reference/currency-codes/ for more information.",
    "DECIMAL_PRECISION": "If the currency supports decimals, only two decimal place precision is supported.",
    "DUPLICATE_INVOICE_ID": "Duplicate Invoice ID detected. To avoid a potential duplicate transaction your account setting requires that Invoice Id be unique for each transaction.",
    "INSTRUMENT_DECLINED": "The instrument presented  was either declined by the processor or bank, or it can't be used for this payment.",
    "INVALID_RESOURCE_ID": "Specified resource ID does not exist. Please check the resource ID and try again.",
    "INVALID_STRING_LENGTH": "The value of a field is either too short or too long.",
    "ITEM_TOTAL_MISMATCH": "Should equal sum of (unit_amount * quantity) across all items for a given purchase_unit.",
    "ITEM_TOTAL_REQUIRED": "If item details are specified (items.unit_amount and items.quantity) corresponding amount.breakdown.item_total is required.",
    "MISSING_REQUIRED_PARAMETER": "A required field / parameter is missing.",
    "ORDER_ALREADY_CAPTURED": "Order already captured. If 'intent=CAPTURE' only one capture per order is allowed.",
    "ORDER_NOT_APPROVED": "Payer has not yet approved the Order for payment. Please redirect the payer to the 'rel':'approve' url returned as part of the HATEOAS links within the Create Order call.",
    "REFUND_AMOUNT_EXCEEDED": "The refund amount must be less than or equal to the capture amount that has not yet been refunded.",
    "REFUND_CAPTURE_CURRENCY_MISMATCH": "Refund must be in the same currency as the capture",
    "REFUND_NOT_ALLOWED": "Capture cannot be refunded.",
}
"""In PayPal's words, down to the spaces: its own specification allows no others."""


class PayPalRefusal(Refusal):
    """An answer of PayPal's API other than success; `issue` is its word for what was wrong."""

    def __init__(self, status: int, issue: str, description: str = "", *, field: str = "") -> None:
        super().__init__(description or DESCRIPTIONS[issue])
        self.status = status
        self.issue = issue
        self.field = field


def envelope(refusal: Refusal) -> dict[str, Any]:
    """Return the error object as it goes over the wire, for refusals of any kind."""
    name, message = NAMES.get(refusal.status, NAMES[400])
    if not isinstance(refusal, PayPalRefusal):
        return {"name": name, "message": refusal.message, "debug_id": new_id().lower()}
    detail = {"issue": refusal.issue, "description": refusal.message}
    if refusal.field:
        detail["field"] = refusal.field
    return {
        "name": name,
        "message": message,
        "debug_id": new_id().lower(),
        "details": [detail],
    }
