"""Thirty files that somebody means ill with: none of them is stored, or nothing of what it hides."""

from __future__ import annotations

import ast
import gzip
import io
import re
import struct
import zipfile
import zlib
from typing import Any

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image, PngImagePlugin

from catalog import renditions
from catalog.errors import ImageRefused
from catalog.models import ImageAsset
from catalog.services import media
from tests.catalog.pictures import picture, png_that_claims

HIDDEN = b"<script>alert('emporium')</script>"
PHP = b"<?php system($_GET['c']); ?>"


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(kind: bytes, body: bytes) -> bytes:
    """Put a chunk behind the header of a PNG."""
    whole = picture("PNG", size=(40, 40)).getvalue()
    return whole[:33] + png_chunk(kind, body) + whole[33:]


def with_segment(marker: int, body: bytes) -> bytes:
    """Put a segment behind the first two bytes of a JPEG."""
    whole = picture(size=(40, 40)).getvalue()
    return whole[:2] + struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body + whole[2:]


def animated(format: str) -> bytes:
    frames = [Image.new("RGB", (40, 40), (10 * number, 0, 0)) for number in range(12)]
    buffer = io.BytesIO()
    frames[0].save(buffer, format, save_all=True, append_images=frames[1:])
    return buffer.getvalue()


def with_place() -> bytes:
    exif = Image.Exif()
    exif[0x010F], exif[0x010E] = "Phone of Ada", HIDDEN.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    return picture(size=(40, 40), exif=exif).getvalue()


def with_text() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", HIDDEN.decode())
    info.add_itxt("XML:com.adobe.xmp", HIDDEN.decode())
    return picture("PNG", size=(40, 40), pnginfo=info).getvalue()


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("x.php", PHP + HIDDEN + b"\0" * 1_000_000)
    return buffer.getvalue()


def other(format: str) -> bytes:
    return picture(format, size=(40, 40)).getvalue()


SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>" + HIDDEN + b"</svg>"
REFUSED = {
    "nothing": b"",
    "svg": SVG,
    "svg behind a declaration": b"<?xml version='1.0'?>" + SVG,
    "svg packed": gzip.compress(SVG),
    "svg that calls itself a gif": b"GIF89a" + SVG,
    "html": b"<!doctype html>" + HIDDEN,
    "php": PHP,
    "php with the first bytes of a jpeg": b"\xff\xd8\xff\xe0" + PHP,
    "gif that is a script": b"GIF89a=1;alert(1)//",
    "archive": archive(),
    "program": b"MZ" + b"\0" * 200,
    "elf": b"\x7fELF" + b"\0" * 200,
    "pdf": b"%PDF-1.7\n" + HIDDEN,
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n(%pipe%id) (w) file\n",
    "drawing commands": b"push graphic-context\nimage over 0,0 0,0 'url(http://169.254.169.254/)'",
    "tiff": other("TIFF"),
    "bmp": other("BMP"),
    "icon": other("ICO"),
    "pcx": other("PCX"),
    "jpeg 2000": b"\0\0\0\x0cjP  \r\n\x87\n" + b"\0" * 100,
    "photoshop": b"8BPS\0\x01" + b"\0" * 100,
    "half a jpeg": picture().getvalue()[:1500],
    "half a png": picture("PNG").getvalue()[:300],
    "a gigapixel": png_that_claims(32_000, 32_000).getvalue(),
    "a ribbon": png_that_claims(2_000_000, 1).getvalue(),
    "no width": png_that_claims(0, 10).getvalue(),
    "a promise without pixels": png_that_claims(6_000, 6_000).getvalue(),
    "a bomb of words": with_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 80 * 2**20)),
}
TAKEN = {
    "script behind a jpeg": picture(size=(40, 40)).getvalue() + HIDDEN,
    "script behind a png": picture("PNG", size=(40, 40)).getvalue() + HIDDEN,
    "archive behind a gif": picture("GIF", size=(40, 40)).getvalue() + archive() + HIDDEN,
    "script in a comment": with_segment(0xFE, HIDDEN + PHP),
    "script in xmp": with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + HIDDEN),
    "script as a colour profile": with_segment(0xE2, b"ICC_PROFILE\0\x01\x01" + HIDDEN),
    "text in a png": with_text(),
    "a chunk nobody knows": with_chunk(b"emPo", HIDDEN),
    "where it was taken": with_place(),
    "gif that moves": animated("GIF"),
    "webp that moves": animated("WEBP"),
    "png that moves": animated("PNG"),
}


def test_there_are_thirty_of_them() -> None:
    assert len(REFUSED) + len(TAKEN) >= 30


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_picture_is_refused_in_words(content: bytes) -> None:
    with pytest.raises(ImageRefused) as refused:
        renditions.make_harmless(content)

    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("content", TAKEN.values(), ids=TAKEN.keys())
def test_of_a_picture_only_its_first_frames_pixels_stay(content: bytes) -> None:
    harmless = renditions.make_harmless(content)

    for hidden in (b"script", b"<?php", b"PK\x03\x04", b"Phone of Ada", b"emPo"):
        assert hidden not in harmless.content
    with Image.open(io.BytesIO(harmless.content)) as stored:
        assert (stored.size, getattr(stored, "n_frames", 1)) == ((40, 40), 1)
        assert not stored.getexif()
        assert not {"exif", "xmp", "comment", "icc_profile", "XML:com.adobe.xmp"} & set(stored.info)


@pytest.mark.django_db
@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/cron.d/x.jpg",
        "shell.php.jpg",
        "a.jpg\0.php",
        "x.svg",
        "con",
        "." * 300,
        "é漢.jpg",
    ],
    ids=ascii,
)
def test_the_name_of_a_file_never_matters(name: str) -> None:
    file = io.BytesIO(picture(size=(40, 40)).getvalue())
    file.name = name

    asset = media.add_image(file)

    assert re.fullmatch(r"originals/[0-9a-f]{24}\.jpg", asset.original.name)


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["svg", "html", "archive", "a gigapixel"])
def test_a_reviews_photographs_come_in_by_the_same_door(name: str) -> None:
    file = SimpleUploadedFile("photo.jpg", REFUSED[name], content_type="image/jpeg")

    with pytest.raises(ImageRefused):
        media.add_image(file)

    assert not ImageAsset.objects.exists()


def test_only_one_door_writes_what_was_uploaded_into_the_storage() -> None:
    doors = set()
    for app in ("shop", "accounts", "catalog", "cart", "payments", "orders"):
        for path in (settings.BASE_DIR / app).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Attribute)
                    and node.attr == "save"
                    and isinstance(node.value, ast.Name)
                    and "storage" in node.value.id
                ):
                    doors.add(str(path.relative_to(settings.BASE_DIR)))

    assert doors == {"catalog/services/media.py", "catalog/checkups.py"}  # The doctor's own words.


@pytest.mark.django_db
def test_what_is_sent_runs_nothing(client: Client, settings: Any, tmp_path: Any) -> None:
    settings.MEDIA_ROOT = tmp_path
    default_storage.save("images/ab-320.jpg", ContentFile(HIDDEN))

    answer = client.get("/media/images/ab-320.jpg")

    assert answer["Content-Type"] == "image/jpeg"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"].startswith("default-src 'none'; ")
    assert answer["Content-Security-Policy"].endswith("; sandbox")
    assert answer["Content-Disposition"] == 'inline; filename="ab-320.jpg"'
    assert not answer.cookies
    assert b"".join(answer.streaming_content) == HIDDEN  # type: ignore[attr-defined]
