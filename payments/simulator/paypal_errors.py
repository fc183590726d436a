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


class PayPalRefusal(Refusal):
    """An answer of PayPal's API other than success; `issue` is its word for what was wrong."""

    def __init__(self, status: int, issue: str, description: str, *, field: str = "") -> None:
        super().__init__(description)
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
