"""Django's own look at a shop with real settings finds nothing to say."""

from __future__ import annotations

import subprocess
import sys

from tests.config.test_settings import PRODUCTION, ROOT, read_settings


def test_djangos_checks_for_deployment_are_silent() -> None:
    answer = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT,
        env=PRODUCTION,
        capture_output=True,
        text=True,
    )

    assert answer.returncode == 0, answer.stderr
    assert "no issues" in answer.stdout, answer.stdout + answer.stderr


def test_over_https_every_cookie_is_bound_to_this_host_and_browsers_stay_with_https() -> None:
    names = (
        *("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME", "MESSAGE_COOKIE_NAME"),
        *("SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT"),
        *("SECURE_HSTS_SECONDS", "SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD"),
        *("DEBUG", "MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN"),
    )

    assert read_settings(*names, **PRODUCTION) == [
        *("__Host-session", "__Host-csrf", "__Host-messages"),
        *("True", "True", "True"),
        *("63072000", "True", "True"),
        *("False", "False"),
    ]
