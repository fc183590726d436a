"""Accounts of other houses with which people may sign in here, as the environment names them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from config.env import Environment


@dataclass
class SignInProviders:
    """What Django and allauth have to be told."""

    apps: list[str] = field(default_factory=list)
    providers: dict[str, dict[str, Any]] = field(default_factory=dict)
    origins: list[str] = field(default_factory=list)
    """Where the browser is sent to sign in; forms of ours may lead there."""

    def add(self, provider: str, *, origin: str, app: dict[str, Any], **options: Any) -> None:
        self.apps.append(f"allauth.socialaccount.providers.{provider}")
        self.providers[provider] = {"APPS": [app], **options}
        self.origins.append(origin)


def read_sign_in_providers(env: Environment) -> SignInProviders:
    """Read who is set up. An id without its secret is a fault."""
    found = SignInProviders()
    google = _read_app(
        env.text("GOOGLE_CLIENT_ID"),
        lambda: env.text("GOOGLE_CLIENT_SECRET", required=_missing("GOOGLE_CLIENT_ID")),
    )
    if google:
        found.add(
            "google",
            origin="https://accounts.google.com",
            app=google,
            SCOPE=["openid", "email", "profile"],
            OAUTH_PKCE_ENABLED=True,
        )
    github = _read_app(
        env.text("GITHUB_CLIENT_ID"),
        lambda: env.text("GITHUB_CLIENT_SECRET", required=_missing("GITHUB_CLIENT_ID")),
    )
    if github:
        found.add(
            "github",
            origin="https://github.com",
            app=github,
            SCOPE=["user:email"],
            OAUTH_PKCE_ENABLED=True,
        )
    if client_id := env.text("APPLE_CLIENT_ID"):
        why = _missing("APPLE_CLIENT_ID")
        app = {
            "client_id": client_id,
            "secret": env.text("APPLE_KEY_ID", required=f"{why} (the id of the key)."),
            "key": env.text("APPLE_TEAM_ID", required=f"{why} (the id of the team)."),
            "settings": {
                "certificate_key": env.text(
                    "APPLE_PRIVATE_KEY", required=f"{why} (the contents of the .p8 file)."
                )
            },
        }
        found.add("apple", origin="https://appleid.apple.com", app=app)
    oidc = _read_app(
        env.text("OIDC_CLIENT_ID"),
        lambda: env.text("OIDC_CLIENT_SECRET", required=_missing("OIDC_CLIENT_ID")),
    )
    if oidc:
        issuer = env.url("OIDC_ISSUER", "", required="name the address of the OpenID provider.")
        parts = urlsplit(issuer)
        oidc |= {
            "provider_id": "oidc",
            "name": env.text("OIDC_NAME", parts.hostname or "OpenID"),
            "settings": {"server_url": issuer.rstrip("/"), "oauth_pkce_enabled": True},
        }
        found.add("openid_connect", origin=f"{parts.scheme}://{parts.netloc}", app=oidc)
    return found


def _read_app(client_id: str, read_secret: Callable[[], str]) -> dict[str, Any]:
    return {"client_id": client_id, "secret": read_secret()} if client_id else {}


def _missing(name: str) -> str:
    return f"{name} is set, so it is needed"
