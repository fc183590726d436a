"""Accounts of other houses with which people may sign in here, as the environment names them."""

from __future__ import annotations

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
    if app := _read_app(env, "GOOGLE"):
        found.add(
            "google",
            origin="https://accounts.google.com",
            app=app,
            SCOPE=["openid", "email", "profile"],
            OAUTH_PKCE_ENABLED=True,
        )
    if app := _read_app(env, "GITHUB"):
        found.add(
            "github",
            origin="https://github.com",
            app=app,
            SCOPE=["user:email"],
            OAUTH_PKCE_ENABLED=True,
        )
    if client_id := env.text("APPLE_CLIENT_ID"):
        key_id, team, key = (
            env.text(name, required=f"APPLE_CLIENT_ID is set, so it is needed ({what}).")
            for name, what in (
                ("APPLE_KEY_ID", "the id of the key"),
                ("APPLE_TEAM_ID", "the id of the team"),
                ("APPLE_PRIVATE_KEY", "the contents of the .p8 file"),
            )
        )
        app = {
            "client_id": client_id,
            "secret": key_id,
            "key": team,
            "settings": {"certificate_key": key},
        }
        found.add("apple", origin="https://appleid.apple.com", app=app)
    if app := _read_app(env, "OIDC"):
        issuer = env.url("OIDC_ISSUER", "", required="name the address of the OpenID provider.")
        parts = urlsplit(issuer)
        app |= {
            "provider_id": "oidc",
            "name": env.text("OIDC_NAME", parts.hostname or "OpenID"),
            "settings": {"server_url": issuer, "oauth_pkce_enabled": True},
        }
        found.add("openid_connect", origin=f"{parts.scheme}://{parts.netloc}", app=app)
    return found


def _read_app(env: Environment, name: str) -> dict[str, Any]:
    client_id = env.text(f"{name}_CLIENT_ID")
    if not client_id:
        return {}
    secret = env.text(
        f"{name}_CLIENT_SECRET", required=f"{name}_CLIENT_ID is set, so its secret is needed."
    )
    return {"client_id": client_id, "secret": secret}
