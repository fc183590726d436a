from __future__ import annotations

import io
import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from django.core.files.storage import default_storage
from PIL import Image

from catalog.errors import ImageRefused
from catalog.models import ImageAsset
from catalog.services import media
from shop.models import OutboxMessage
from shop.transactions import TransactionRuleBroken
from tests.catalog.pictures import picture, png_that_claims
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db


def test_upload_is_rendered_in_every_format_and_width_by_the_relay() -> None:
    asset = media.add_image(picture())

    deliver_outbox()

    asset.refresh_from_db()
    widths = [320, 480, 640, 800]
    assert asset.renditions == {"avif": widths, "webp": widths, "jpeg": widths}
    assert asset.ready_at
    for format, extension in [("avif", "avif"), ("webp", "webp"), ("jpeg", "jpg")]:
        with default_storage.open(f"{asset.base}-480.{extension}") as file:
            rendition = Image.open(file)
            assert (rendition.format.lower(), rendition.size) == (format, (480, 600))


def test_small_picture_is_never_made_larger() -> None:
    asset = media.add_image(picture(size=(200, 250)))

    deliver_outbox()

    asset.refresh_from_db()
    assert asset.renditions == {"avif": [200], "webp": [200], "jpeg": [200]}


def test_huge_picture_stops_at_the_widest_rendition() -> None:
    asset = media.add_image(picture(size=(3000, 500)))

    deliver_outbox()

    asset.refresh_from_db()
    assert asset.renditions["webp"] == [320, 480, 640, 960, 1280]


@pytest.mark.parametrize(
    ("format", "extension"),
    [("JPEG", "jpg"), ("PNG", "png"), ("WEBP", "jpg"), ("AVIF", "jpg"), ("GIF", "png")],
)
def test_common_formats_are_welcome(format: str, extension: str) -> None:
    asset = media.add_image(picture(format, size=(40, 50)))

    assert (asset.width, asset.height) == (40, 50)
    assert asset.original.name.endswith(f".{extension}")


def test_the_same_picture_twice_is_one() -> None:
    first = media.add_image(picture())
    second = media.add_image(picture())

    assert first == second
    assert ImageAsset.objects.count() == 1
    assert OutboxMessage.objects.count() == 1


def test_phone_picture_is_turned_upright_and_tells_no_place() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x9286] = "taken at home"

    asset = media.add_image(picture(size=(400, 200), exif=exif))

    with asset.original.open() as file:
        stored = Image.open(io.BytesIO(file.read()))
    assert stored.size == (asset.width, asset.height) == (200, 400)
    assert dict(stored.getexif()) == {}
    red, _green, blue = stored.convert("RGB").getpixel((100, 10))
    assert red > blue


def test_what_is_hidden_behind_a_picture_is_not_stored() -> None:
    content = picture().getvalue() + b"<script>alert(1)</script>"

    asset = media.add_image(io.BytesIO(content))

    with asset.original.open() as file:
        assert b"<script>" not in file.read()


def test_transparency_stays_and_is_white_in_jpeg() -> None:
    image = Image.new("RGBA", (400, 400), (10, 120, 10, 0))
    image.paste((10, 120, 10, 255), (0, 0, 200, 400))
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    buffer.seek(0)

    asset = media.add_image(buffer)
    deliver_outbox()

    with default_storage.open(f"{asset.base}-320.webp") as file:
        assert Image.open(file).convert("RGBA").getpixel((300, 10))[3] == 0
    with default_storage.open(f"{asset.base}-320.jpg") as file:
        assert Image.open(file).getpixel((300, 10)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "not a picture"),
        (b"%PDF-1.7 \xff\xd8\xff", "not a picture"),
        (b"GIF89a" + b"\0" * 3, "not a picture|damaged"),
        (picture().getvalue()[:2000], "damaged"),
        (picture("PNG").getvalue()[:300], "damaged"),
        (png_that_claims(60_000, 60_000).getvalue(), "40 million pixels"),
        (png_that_claims(100_000, 10).getvalue(), "40 million pixels"),
        (png_that_claims(7_000, 5_000).getvalue(), "damaged"),
    ],
)
def test_hostile_file_is_refused_and_leaves_nothing(content: bytes, message: str) -> None:
    with pytest.raises(ImageRefused, match=message):
        media.add_image(io.BytesIO(content))

    assert not ImageAsset.objects.exists()
    assert not OutboxMessage.objects.exists()


def test_file_over_twenty_megabytes_is_refused() -> None:
    with pytest.raises(ImageRefused, match="larger than 20 MB"):
        media.add_image(io.BytesIO(b"\xff\xd8" + os.urandom(20 * 1024 * 1024)))


def test_rendering_again_after_a_crash_replaces_what_was_half_written() -> None:
    asset = media.add_image(picture())
    default_storage.save(f"{asset.base}-320.avif", io.BytesIO(b"half"))

    media.make_renditions(asset.pk)

    with default_storage.open(f"{asset.base}-320.avif") as file:
        assert Image.open(file).size == (320, 400)
    assert media.make_renditions(asset.pk) is False


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_storage_is_busy() -> None:
    from django.db import transaction

    with pytest.raises(TransactionRuleBroken), transaction.atomic():
        media.add_image(picture())


@pytest.fixture
def bucket(settings: Any) -> Iterator[Any]:
    """A bucket of a local S3, and the shop's storage on it, set up as in production."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _host, port = server.get_host_and_port()
    access = {
        "region_name": "us-east-1",
        "endpoint_url": f"http://127.0.0.1:{port}",
        "aws_access_key_id": "test",
        "aws_secret_access_key": "test",
    }
    client = boto3.client("s3", **access)
    client.create_bucket(Bucket="media")
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                "bucket_name": "media",
                "region_name": "us-east-1",
                "endpoint_url": access["endpoint_url"],
                "access_key": "test",
                "secret_key": "test",
                "signature_version": "s3v4",
                "querystring_auth": False,
                "file_overwrite": False,
                "object_parameters": {"CacheControl": "public, max-age=31536000, immutable"},
            },
        },
    }
    yield client
    server.stop()


def test_pictures_live_in_a_bucket_as_well(bucket: Any) -> None:
    asset = media.add_image(picture())
    deliver_outbox()

    keys = {row["Key"] for row in bucket.list_objects_v2(Bucket="media")["Contents"]}
    assert keys == {
        asset.original.name,
        *(
            f"{asset.base}-{width}.{extension}"
            for width in (320, 480, 640, 800)
            for extension in ("avif", "webp", "jpg")
        ),
    }
    webp = bucket.get_object(Bucket="media", Key=f"{asset.base}-320.webp")
    assert webp["ContentType"] == "image/webp"
    assert webp["CacheControl"] == "public, max-age=31536000, immutable"
