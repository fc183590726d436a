"""HTTP to PayPal: the token, the time limits, and what its answers mean for us.

Sources: PayPal's REST reference, "Authentication", "API responses", "Idempotency".
"""

from __future__ import annotations

import logging
import threading
import time
from hashlib import sha256
from typing import Any, Final

import requests
from django.utils.translation import gettext as _

from payments.errors import ProviderRefused, ProviderUnavailable, UnknownAtProvider
from payments.gateways.breaker import Call, breaker_of
from shop.transactions import assert_no_transaction

logger = logging.getLogger(__name__)

Document = dict[str, Any]

CONNECT_SECONDS: Final = 1.0
READ_SECONDS: Final = 8.0
TOKEN_MARGIN_SECONDS = 60.0
LONGEST_REQUEST_ID = 108
NOT_YET = frozenset({"PREVIOUS_REQUEST_IN_PROGRESS", "ORDER_COMPLETION_IN_PROGRESS"})
"""Refusals that only say that the first of two equal requests still runs."""


class PayPalRefused(ProviderRefused):
    """A clear no; `issue` is PayPal's own word for it, such as INSTRUMENT_DECLINED."""

    def __init__(self, message: str, *, reason: str, issue: str) -> None:
        super().__init__(message, reason=reason)
        self.issue = issue


class Bearer(requests.auth.AuthBase):
    """Sends our token; being set, it also keeps a .netrc from having a say."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class PayPalClient:
    """Calls PayPal's REST API with a token that is kept until shortly before its end."""

    def __init__(self, *, base: str, client_id: str, secret: str) -> None:
        self._base = base
        self._credentials = (client_id, secret)
        self._connections = threading.local()
        self._token = ""
        self._token_ends_at = 0.0
        self._scopes: frozenset[str] = frozenset()
        self._token_lock = threading.Lock()

    def get(
        self,
        path: str,
        *,
        doing: str,
        query: dict[str, str] | None = None,
        read_seconds: float = READ_SECONDS,
        breaker: str = "paypal",
    ) -> Document:
        """Read something; another `breaker` keeps its failures from those who pay."""
        return self._send(
            "GET", path, doing=doing, query=query, read_seconds=read_seconds, breaker=breaker
        )

    def post(
        self,
        path: str,
        body: Document,
        *,
        doing: str,
        request_id: str,
        read_seconds: float = READ_SECONDS,
    ) -> Document:
        """Change something once per `request_id`, however often it is sent."""
        headers = {
            "PayPal-Request-Id": short_id(request_id),
            "Prefer": "return=representation",
        }
        return self._send(
            "POST", path, doing=doing, body=body, headers=headers, read_seconds=read_seconds
        )

    def check_credentials(self) -> frozenset[str]:
        """Ask for a token, and return what it allows.

        Raises `ProviderUnavailable`, `ProviderRefused` for a wrong secret.
        """
        with self._token_lock:
            self._fetch_token()
            return self._scopes

    def _send(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: dict[str, str] | None = None,
        body: Document | None = None,
        headers: dict[str, str] | None = None,
        read_seconds: float = READ_SECONDS,
        breaker: str = "paypal",
    ) -> Document:
        assert_no_transaction(doing)
        with breaker_of(breaker).watch() as call:
            for is_second_try in (False, True):
                token = self._get_token(call)
                answer = self._exchange(
                    method,
                    path,
                    auth=Bearer(token),
                    params=query,
                    json=body,
                    headers=headers,
                    timeout=(CONNECT_SECONDS, read_seconds),
                )
                if answer.status_code == 401 and not is_second_try:
                    self._forget_token(token)
                    continue
                break
            return _understand(answer, call, doing=doing)

    def _exchange(self, method: str, path: str, **options: Any) -> requests.Response:
        try:
            return self._session().request(
                method, self._base + path, allow_redirects=False, **options
            )
        except (requests.RequestException, OSError) as error:
            raise _unavailable() from error

    def _session(self) -> requests.Session:
        """Return this thread's session, which keeps its connections open."""
        if not hasattr(self._connections, "session"):
            self._connections.session = requests.Session()
        session: requests.Session = self._connections.session
        return session

    def _get_token(self, call: Call) -> str:
        with self._token_lock:
            if self._token and time.monotonic() < self._token_ends_at:
                return self._token
            try:
                return self._fetch_token()
            except ProviderRefused as error:
                call.answered()
                logger.error("PayPal does not take our client id and secret: %s", error.reason)
                raise _unavailable() from error

    def _fetch_token(self) -> str:
        answer = self._exchange(
            "POST",
            "/v1/oauth2/token",
            auth=self._credentials,
            data={"grant_type": "client_credentials"},
            timeout=(CONNECT_SECONDS, READ_SECONDS),
        )
        if answer.status_code in (400, 401, 403):
            raise ProviderRefused(
                _("PayPal does not know us."), reason=str(_read(answer).get("error", "refused"))
            )
        given = _read(answer)
        if answer.status_code != 200 or not given.get("access_token"):
            raise _unavailable()
        self._token = str(given["access_token"])
        self._scopes = frozenset(str(given.get("scope") or "").split())
        life = float(given.get("expires_in") or 0)
        self._token_ends_at = time.monotonic() + life - TOKEN_MARGIN_SECONDS
        return self._token

    def _forget_token(self, token: str) -> None:
        with self._token_lock:
            if self._token == token:
                self._token = ""


def short_id(key: str) -> str:
    """Return the key, or what stands for it where PayPal would find it too long."""
    return key if len(key) <= LONGEST_REQUEST_ID else sha256(key.encode()).hexdigest()


def _understand(answer: requests.Response, call: Call, *, doing: str) -> Document:
    """Turn an answer into its document or one of our errors."""
    status = answer.status_code
    if 200 <= status < 300:
        return _read(answer)
    if status == 429 or status >= 500 or status < 400:
        raise _unavailable()
    call.answered()
    problem = _read_leniently(answer)
    issue, reason = _reason_of(problem, status)
    trace = answer.headers.get("Paypal-Debug-Id", "")
    if status in (401, 403):
        logger.error("%s: PayPal does not let us (%s): %s", doing, trace, reason)
        raise _unavailable()
    if status == 409 or issue in NOT_YET:
        raise _unavailable()
    logger.warning("%s: PayPal refused (%s): %s", doing, trace, reason)
    message = _("The payment provider refused this payment. Nothing was charged; please tell us.")
    if status == 404:
        raise UnknownAtProvider(message, reason=reason)
    raise PayPalRefused(message, reason=reason, issue=issue)


def _read(answer: requests.Response) -> Document:
    try:
        document = answer.json()
    except (ValueError, requests.RequestException) as error:
        raise _unavailable() from error
    if not isinstance(document, dict):
        raise _unavailable()
    return document


def _read_leniently(answer: requests.Response) -> Document:
    try:
        return _read(answer)
    except ProviderUnavailable:
        return {}


def _reason_of(problem: Document, status: int) -> tuple[str, str]:
    """Return the first issue and everything that was said, in PayPal's words."""
    name = str(problem.get("name") or f"HTTP {status}")
    details = [each for each in problem.get("details") or () if isinstance(each, dict)]
    first = details[0] if details else {}
    issue = str(first.get("issue") or name)
    words = [issue, str(first.get("description") or problem.get("message") or "")]
    return issue, ": ".join(filter(None, words))


def _unavailable() -> ProviderUnavailable:
    return ProviderUnavailable(
        _("The payment provider does not answer. Please look at your order before you pay again.")
    )
