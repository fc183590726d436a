"""A setting that cannot be right is named before the shop opens, with what to write instead."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "EMPORIUM_MODE": "production",
    "SECRET_KEY": "0123456789" * 5,
    "SHOP_URL": "https://shop.example.com",
    "ALLOWED_HOSTS": "shop.example.com",
    "DATABASE_URL": "postgres://user:password@127.0.0.1:5432/emporium",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.com:587",
    "STRIPE_SECRET_KEY": "sk_live_a",
    "STRIPE_WEBHOOK_SECRET": "whsec_a",
}


def read_settings(*names: str, **variables: str) -> list[str]:
    """Read the settings in a process of their own; give the named ones, or raise what it says."""
    wanted = ", ".join(f"settings.{name}" for name in names)
    answer = subprocess.run(
        [sys.executable, "-c", f"from config import settings; print(*[{wanted}], sep='\\n')"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        text=True,
    )
    if answer.returncode:
        raise AssertionError(answer.stderr)
    return answer.stdout.splitlines()


def faults(**variables: str) -> list[str]:
    """List what the shop names before it refuses to start."""
    with pytest.raises(AssertionError) as refused:
        read_settings(**PRODUCTION | variables)
    text = str(refused.value)
    assert "attention before the shop can start" in text, text
    return [line.removeprefix("  - ") for line in text.splitlines() if line.startswith("  - ")]


def test_a_complete_environment_opens_a_real_shop() -> None:
    assert read_settings("IS_PRODUCTION", "SHOP_CURRENCY", **PRODUCTION) == ["True", "EUR"]


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("SHOP_CURRENCY", "EURO", "'EURO': write an ISO 4217 code such as EUR."),
        ("SHOP_COUNTRY", "Germany", "'GERMANY': write an ISO 3166 code such as DE."),
        ("SHOP_TIME_ZONE", "Berlin", "'Berlin': write a time zone such as Europe/Berlin."),
        ("SHOP_URL", "https://", "'https://': write a whole address, such as "),
        ("SHOP_PAYMENT_WINDOW_MINUTES", "3000", "3000: it must lie between 35 and 1430."),
        ("LOG_LEVEL", "LOUD", "'LOUD': choose one of DEBUG, INFO, WARNING, ERROR, CRITICAL."),
        ("STRIPE_API_BASE", "http://127.0.0.1:9", "'http://127.0.0.1:9': your key would go there"),
        ("STRIPE_API_BASE", "https://api.stripe.com.evil.example", "your key would go there"),
        ("PHOTON_URL", "http://photon.example.com", "would travel readable by all; write https"),
    ],
)
def test_a_value_that_cannot_be_right_is_named(name: str, value: str, fault: str) -> None:
    (said,) = faults(**{name: value})

    assert said.startswith(f"{name} is ")
    assert fault in said


def test_another_database_than_postgresql_is_named() -> None:
    assert faults(DATABASE_URL="sqlite:///shop.db") == [
        "DATABASE_URL names no PostgreSQL database: write it like postgres://user:password@host/db."
    ]


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("media.example.com/", "write a whole address"),
        ("https://media.example.com", "it must end in a slash"),
    ],
)
def test_a_bucket_address_that_browsers_cannot_use_is_named(address: str, fault: str) -> None:
    (said,) = faults(S3_BUCKET="media", S3_PUBLIC_URL=address)

    assert fault in said


def test_the_line_break_at_the_end_of_a_secret_file_is_no_part_of_the_secret(
    tmp_path: Path,
) -> None:
    secret = tmp_path / "stripe"
    secret.write_text("sk_live_of_a_file\n")
    variables = PRODUCTION | {"STRIPE_SECRET_KEY": "", "STRIPE_SECRET_KEY_FILE": str(secret)}

    assert read_settings("STRIPE_SECRET_KEY", **variables) == ["sk_live_of_a_file"]


def test_an_empty_secret_file_counts_as_not_set(tmp_path: Path) -> None:
    secret = tmp_path / "database"
    secret.write_text("\n")

    (said,) = faults(DATABASE_URL="", DATABASE_URL_FILE=str(secret))

    assert said.startswith("DATABASE_URL is not set")


def test_a_secret_may_begin_with_a_dollar_sign() -> None:
    key = "$SHOP_URL" + "0123456789" * 5

    assert read_settings("SECRET_KEY", **PRODUCTION | {"SECRET_KEY": key}) == [key]


def test_a_pooler_is_sent_no_options_that_it_would_refuse() -> None:
    shown = read_settings(
        "DATABASES['default']['OPTIONS'].get('options')",
        "DATABASES['default']['OPTIONS']['prepare_threshold']",
        **PRODUCTION | {"DATABASE_POOLER": "true"},
    )

    assert shown == ["None", "None"]


def test_a_shop_on_a_name_of_many_can_keep_https_to_itself() -> None:
    variables = PRODUCTION | {
        "SECURE_HSTS_INCLUDE_SUBDOMAINS": "false",
        "SECURE_HSTS_PRELOAD": "false",
    }

    names = ("SECURE_HSTS_INCLUDE_SUBDOMAINS", "SECURE_HSTS_PRELOAD", "SECURE_HSTS_SECONDS")
    assert read_settings(*names, **variables) == ["False", "False", "63072000"]


def test_a_logo_must_be_among_the_static_files() -> None:
    assert faults(SHOP_LOGO="images/ours.svg") == [
        "SHOP_LOGO: there is no file static/images/ours.svg."
    ]


PAYPAL = {
    "PAYPAL_CLIENT_ID": "client",
    "PAYPAL_CLIENT_SECRET": "secret",
    "PAYPAL_WEBHOOK_ID": "webhook",
}


def test_a_shop_offers_paypal_once_it_has_a_client_id() -> None:
    names = ("PAYPAL_IS_ON", "PAYPAL_API_BASE", "PAYPAL_CHECKOUT_ORIGIN")

    assert read_settings(*names, **PRODUCTION)[0] == "False"
    assert read_settings(*names, **PRODUCTION | PAYPAL) == [
        *("True", "https://api-m.paypal.com", "https://www.paypal.com"),
    ]
    assert read_settings("PAYPAL_IS_ON", "PAYPAL_CLIENT_ID", EMPORIUM_MODE="trial") == [
        *("True", "simulator"),
    ]


@pytest.mark.parametrize("name", ["PAYPAL_CLIENT_SECRET", "PAYPAL_WEBHOOK_ID"])
def test_what_belongs_to_the_client_id_is_missed(name: str) -> None:
    assert [each.partition(":")[0] for each in faults(**PAYPAL | {name: ""})] == [
        f"{name} is not set"
    ]


@pytest.mark.parametrize(
    "base", ["https://api-m.paypal.com.evil.example", "http://api-m.paypal.com", "https://x.test"]
)
def test_paypals_secret_goes_nowhere_else(base: str) -> None:
    [fault] = faults(**PAYPAL, PAYPAL_API_BASE=base)

    assert "your secret would go there" in fault
