"""Whether a webhook is PayPal's: its signature, checked here, by a certificate of PayPal's.

Source: PayPal, "Webhooks: integrate, verify messages yourself". What is signed is
`<transmission id>|<time>|<webhook id>|<CRC-32 of the body>`.

The certificate is trusted because it came over TLS from PayPal's own host; it must also be in its
time, name a host of PayPal's, carry an RSA key of 2048 bits or more, and have been issued by the
next one where a chain comes with it. The chain is not followed to a root, nor is revocation asked
for: TLS to that host has just done the first, and nothing fetched lives longer than six hours here.
"""

from __future__ import annotations

import base64
import binascii
import re
import threading
import time
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import pairwise
from urllib.parse import urlsplit

import requests
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID
from django.conf import settings
from django.utils.dateparse import parse_datetime

from payments.errors import ForgedEvent, ProviderUnavailable
from shop.clock import now
from shop.transactions import assert_no_transaction

ALGORITHM = "SHA256withRSA"
OLDEST = timedelta(days=3, hours=1)
"""PayPal repeats a message for three days; one that is known already is not stored twice."""
NEWEST = timedelta(minutes=5)
HOSTS = frozenset({"api.paypal.com", "api.sandbox.paypal.com"})
NAME = re.compile(r"(?:[a-z0-9-]+\.)+paypal\.com")
PATH = re.compile(r"/v1/notifications/certs/[A-Za-z0-9._-]{1,120}")
SMALLEST_KEY = 2048

CONNECT_SECONDS, READ_SECONDS, WHOLE_SECONDS = 1.0, 3.0, 5.0
MOST_BYTES = 64 * 1024
MOST_KEPT = 16
KEPT_SECONDS = 6 * 60 * 60.0
PAUSE_SECONDS = 60.0
MOST_FETCHES = 10
"""How many certificates are fetched a minute: the address comes from whoever writes to us."""


def verify(*, body: bytes, headers: Mapping[str, str], webhook_id: str) -> None:
    """Raise `ForgedEvent` unless PayPal signed the body for our webhook, lately.

    Raises `ProviderUnavailable` when the certificate cannot be had now: PayPal calls again.
    """
    if not webhook_id:
        raise ForgedEvent("there is no PAYPAL_WEBHOOK_ID")
    transmission_id = headers.get("PAYPAL-TRANSMISSION-ID", "")
    sent_at = headers.get("PAYPAL-TRANSMISSION-TIME", "")
    if headers.get("PAYPAL-AUTH-ALGO", "") != ALGORITHM:
        raise ForgedEvent("the algorithm is not PayPal's")
    _check_time(sent_at)
    try:
        signature = base64.b64decode(headers.get("PAYPAL-TRANSMISSION-SIG", ""), validate=True)
        signed = message(transmission_id, sent_at, webhook_id, body)
    except (binascii.Error, ValueError) as error:
        raise ForgedEvent("the signature cannot be read") from error
    if not transmission_id or not signature:
        raise ForgedEvent("the signature is missing")
    key = _certificates.get(headers.get("PAYPAL-CERT-URL", ""))
    try:
        key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature as error:
        raise ForgedEvent("the signature does not fit") from error


def message(transmission_id: str, sent_at: str, webhook_id: str, body: bytes) -> bytes:
    """Return what PayPal signs."""
    return f"{transmission_id}|{sent_at}|{webhook_id}|{zlib.crc32(body)}".encode("ascii")


def forget_certificates() -> None:
    _certificates.forget()


def _check_time(written: str) -> None:
    try:
        sent_at = parse_datetime(written)
    except ValueError:
        sent_at = None
    if sent_at is None or sent_at.tzinfo is None:
        raise ForgedEvent("the time of sending cannot be read")
    if not now() - OLDEST <= sent_at <= now() + NEWEST:
        raise ForgedEvent("it was sent too long ago, or in the future")


class Certificates:
    """Public keys by the address of their certificate; few, and not for ever."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._fetching = threading.Lock()
        self.forget()

    def forget(self) -> None:
        with self._lock:
            self._kept: dict[str, tuple[RSAPublicKey, float, datetime]] = {}
            self._failed: dict[str, float] = {}
            self._fetched_at: list[float] = []

    def get(self, address: str) -> RSAPublicKey:
        """Return the key of a certificate of PayPal's. Raises as `verify` does."""
        is_simulated = _check_address(address)
        if key := self._find(address):
            return key
        if not self._fetching.acquire(timeout=WHOLE_SECONDS):
            raise ProviderUnavailable("certificates are being fetched")
        try:
            if key := self._find(address):
                return key
            self._make_room(address)
            try:
                certificate = _read(_fetch(address), is_simulated=is_simulated)
            except (ForgedEvent, ProviderUnavailable):
                self._failed[address] = time.monotonic()
                raise
            key = _key_of(certificate)
            with self._lock:
                self._kept[address] = (key, time.monotonic(), certificate.not_valid_after_utc)
            return key
        finally:
            self._fetching.release()

    def _find(self, address: str) -> RSAPublicKey | None:
        with self._lock:
            key, kept_at, ends_at = self._kept.get(address, (None, 0.0, now()))
        is_fresh = time.monotonic() - kept_at < KEPT_SECONDS and now() < ends_at
        return key if is_fresh else None

    def _make_room(self, address: str) -> None:
        """Forget what is old; refuse to fetch what failed a moment ago, or too much at once."""
        moment = time.monotonic()
        with self._lock:
            self._failed = {
                each: at for each, at in self._failed.items() if moment - at < PAUSE_SECONDS
            }
            self._fetched_at = [at for at in self._fetched_at if moment - at < PAUSE_SECONDS]
            if address in self._failed or len(self._fetched_at) >= MOST_FETCHES:
                raise ProviderUnavailable("this certificate was asked for a moment ago")
            self._fetched_at.append(moment)
            while len(self._kept) >= MOST_KEPT:
                del self._kept[next(iter(self._kept))]


_certificates = Certificates()


def _check_address(address: str) -> bool:
    """Refuse an address that is not PayPal's for certificates; say whether it is the simulator's."""
    try:
        parts = urlsplit(address)
        origin, host, port = f"{parts.scheme}://{parts.netloc}", parts.hostname, parts.port
    except ValueError as error:
        raise ForgedEvent("the certificate's address cannot be read") from error
    if not PATH.fullmatch(parts.path) or parts.query or parts.fragment:
        raise ForgedEvent("the certificate is not where PayPal keeps them")
    if settings.SIMULATOR_IS_ON and origin == settings.PAYPAL_API_BASE:
        return True
    is_plain = parts.netloc == host and port is None
    if parts.scheme != "https" or not is_plain or host != _certificate_host():
        raise ForgedEvent("the certificate is not PayPal's")
    return False


def _certificate_host() -> str | None:
    """Return the host that keeps the certificates of the PayPal that we call, live or sandbox."""
    called = urlsplit(settings.PAYPAL_API_BASE).hostname or ""
    host = called.replace("api-m.", "api.", 1)
    return host if host in HOSTS else None


def _fetch(address: str) -> bytes:
    """Read a certificate: little, quickly, and from nowhere else."""
    assert_no_transaction("fetching a certificate")
    ends_at = time.monotonic() + WHOLE_SECONDS
    content = b""
    try:
        with requests.get(
            address,
            timeout=(CONNECT_SECONDS, READ_SECONDS),
            allow_redirects=False,
            stream=True,
        ) as answer:
            if 300 <= answer.status_code < 500 and answer.status_code != 429:
                raise ForgedEvent("there is no such certificate")
            if answer.status_code != 200:
                raise ProviderUnavailable("PayPal does not give its certificate now")
            for part in answer.iter_content(8 * 1024):
                content += part
                if len(content) > MOST_BYTES or time.monotonic() > ends_at:
                    raise ProviderUnavailable("the certificate is too large or too slow")
    except (requests.RequestException, OSError) as error:
        raise ProviderUnavailable("PayPal does not give its certificate now") from error
    return content


def _read(content: bytes, *, is_simulated: bool) -> x509.Certificate:
    """Return the certificate that signs, which comes first. Raises `ForgedEvent`."""
    try:
        chain = x509.load_pem_x509_certificates(content)
        for certificate, issuer in pairwise(chain):
            certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm) as error:
        raise ForgedEvent("the certificate is none") from error
    leaf = chain[0]
    if not leaf.not_valid_before_utc <= now() < leaf.not_valid_after_utc:
        raise ForgedEvent("the certificate is not in its time")
    if not is_simulated and not any(NAME.fullmatch(name) for name in _names_of(leaf)):
        raise ForgedEvent("the certificate is not PayPal's")
    _key_of(leaf)
    return leaf


def _names_of(certificate: x509.Certificate) -> list[str]:
    names = [
        str(each.value).lower()
        for each in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    ]
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (x509.ExtensionNotFound, ValueError):
        return names
    return names + [each.lower() for each in extension.value.get_values_for_type(x509.DNSName)]


def _key_of(certificate: x509.Certificate) -> RSAPublicKey:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ForgedEvent("the certificate's key cannot be read") from error
    if not isinstance(key, RSAPublicKey) or key.key_size < SMALLEST_KEY:
        raise ForgedEvent("the certificate's key is not PayPal's kind")
    return key
