"""The simulated PayPal's signing key, and the certificate it makes for itself."""

from __future__ import annotations

import threading
import uuid
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from shop import clock

NAME = "payment-simulator.invalid"


class SigningKey:
    """A key with a self-made certificate; both are made when they are first needed."""

    def __init__(
        self, *, name: str = NAME, starts_in: timedelta = timedelta(days=-1), days: int = 825
    ) -> None:
        self.id = f"CERT-{uuid.uuid4()}"
        self._name, self._starts_in, self._days = name, starts_in, days
        self._lock = threading.Lock()
        self._made: tuple[RSAPrivateKey, bytes] | None = None

    def sign(self, message: bytes) -> bytes:
        return self._make()[0].sign(message, PKCS1v15(), SHA256())

    @property
    def certificate(self) -> bytes:
        """The certificate as PEM."""
        return self._make()[1]

    def _make(self) -> tuple[RSAPrivateKey, bytes]:
        with self._lock:
            if self._made is None:
                key = generate_private_key(public_exponent=65537, key_size=2048)
                self._made = key, self._certify(key)
            return self._made

    def _certify(self, key: RSAPrivateKey) -> bytes:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self._name)])
        starts_at = clock.now() + self._starts_in
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(starts_at)
            .not_valid_after(starts_at + timedelta(days=self._days))
        )
        return builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
