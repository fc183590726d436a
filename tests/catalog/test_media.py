from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage


@pytest.fixture(autouse=True)
def _media_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    (tmp_path / "media").mkdir()
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (tmp_path / "media" / "invoice.pdf").write_bytes(b"private")


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("pictures/ab-320.avif", "image/avif"),
        ("pictures/ab-320.webp", "image/webp"),
        ("pictures/ab-320.jpg", "image/jpeg"),
    ],
)
def test_picture_is_sent_to_be_kept_for_a_year(client, name: str, media_type: str) -> None:
    default_storage.save(name, ContentFile(b"pixels"))

    response = client.get(f"/media/{name}")

    assert b"".join(response.streaming_content) == b"pixels"
    assert response.headers["Content-Type"] == media_type
    assert response.headers["Content-Length"] == "6"
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Disposition" not in response.headers or (
        response.headers["Content-Disposition"].startswith("inline")
    )


@pytest.mark.parametrize(
    "name",
    [
        "unknown.jpg",
        "../secret.jpg",
        "%2e%2e/secret.jpg",
        "pictures/../../secret.jpg",
        "/etc/passwd",
        "invoice.pdf",
        "x%00.jpg",
        f"{'a' * 300}.jpg",
    ],
)
def test_nothing_else_is_sent(client, name: str) -> None:
    assert client.get(f"/media/{name}").status_code == 404


def test_a_shop_on_s3_sends_nothing_itself(client, settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }
    default_storage.save("ab.jpg", ContentFile(b"pixels"))

    assert client.get("/media/ab.jpg").status_code == 404
