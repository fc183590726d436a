"""Refusals of the simulated provider, in the words and shapes of Stripe's error object.

Source: https://docs.stripe.com/api/errors and https://docs.stripe.com/error-codes
"""

from __future__ import annotations

from typing import Any


class Refusal(Exception):
    """An answer of the API other than success."""

    status = 400
    error_type = "invalid_request_error"

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.param = param

    def envelope(self) -> dict[str, Any]:
        """Return the error object as it goes over the wire, without empty members."""
        error = {
            "type": self.error_type,
            "code": self.code,
            "message": self.message,
            "param": self.param,
        }
        return {"error": {name: value for name, value in error.items() if value is not None}}


class InvalidRequest(Refusal):
    """The request cannot be carried out as it was sent."""


class InvalidParameter(InvalidRequest):
    """A parameter is unknown, missing or malformed; found before anything was done."""


class NoSuchObject(Refusal):
    """The id in the path or in a parameter belongs to nothing."""

    def __init__(self, kind: str, object_id: str, *, param: str = "id", status: int = 404) -> None:
        super().__init__(
            f"No such {kind.replace('.', ' ')}: '{object_id}'", code="resource_missing", param=param
        )
        self.status = status


class UnknownAddress(Refusal):
    """No endpoint answers this method and path."""

    status = 404


class WrongKey(Refusal):
    """The secret key is missing or not the simulator's."""

    status = 401


class BodyRefused(Refusal):
    """The body is too large, has no length, or is not a form."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class IdempotencyMismatch(Refusal):
    """A key came back with another request than the one it was first used for."""

    error_type = "idempotency_error"


class IdempotencyKeyInUse(Refusal):
    """The first request with this key is still running."""

    status = 409
    error_type = "idempotency_error"


class RateLimited(Refusal):
    """Too many requests; scripted."""

    status = 429


class LockTimeout(Refusal):
    """Another request holds the object; scripted."""

    status = 409


class ProviderFailure(Refusal):
    """Something broke on the provider's side; scripted, or a bug of the simulator."""

    status = 500
    error_type = "api_error"
