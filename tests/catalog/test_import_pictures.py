"""Pictures by address: fetched after the products are in, judged, shown, or named in the report."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from catalog.models import ImageAsset, ImportPicture, ImportRun, Product
from catalog.services import import_pictures
from shop.models import OutboxMessage
from shop.services import relay
from tests.catalog.importing import run_import
from tests.catalog.pictures import picture, png_that_claims
from tests.catalog.rows import fingerprint
from tests.factories.accounts import SellerFactory
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db

HEADER = "Handle,Title,Option1 Name,Option1 Value,Variant SKU,Variant Price,Image Src,Image Alt Text,Variant Image"


class Host(BaseHTTPRequestHandler):
    """Where the pictures of the old shop lie."""

    files: dict[str, bytes] = {}
    asked: list[str] = []

    def do_GET(self) -> None:
        type(self).asked.append(self.path)
        content = type(self).files.get(self.path)
        self.send_response(200 if content else 404)
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def host(settings: Any) -> Iterator[str]:
    settings.FETCH_FROM_LOOPBACK = True
    exif = Image.Exif()
    exif[0x9286] = "taken at home"
    Host.asked = []
    Host.files = {
        "/red.jpg": picture(size=(40, 50), exif=exif).getvalue(),
        "/blue.png": picture("PNG", size=(60, 50)).getvalue(),
        "/bomb.png": png_that_claims(60_000, 60_000).getvalue(),
        "/page.jpg": b"<html><script>alert(1)</script></html>",
        "/drawing.jpg": b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
        "/polyglot.jpg": picture(size=(30, 30)).getvalue() + b"<script>alert(1)</script>",
    }
    server = ThreadingHTTPServer(("127.0.0.1", 0), Host)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    SellerFactory()
    return tmp_path / "export.csv"


def write(path: Path, *rows: str) -> Path:
    path.write_text("\n".join([HEADER, *rows, ""]))
    return path


def test_pictures_are_fetched_after_the_products_are_in(path: Path, host: str) -> None:
    write(
        path,
        f"mug,Mug,Glaze,Moss,M1,5,{host}/red.jpg,A red mug,{host}/blue.png",
        f"mug,,,Ink,M2,5,{host}/blue.png,A blue mug,",
    )

    lines = run_import(path)

    assert lines[0].startswith("Pictures: 2 are being fetched in the background")
    assert Host.asked == []
    deliver_outbox()
    mug = Product.objects.get()
    images = [(image.alt, image.asset.width) for image in mug.images.all()]
    assert images == [("A red mug", 40), ("A blue mug", 60)]
    assert mug.variants.get(sku="M1").image.alt == "A blue mug"
    assert mug.variants.get(sku="M2").image is None
    assert ImportPicture.objects.filter(state="fetched").count() == 2


def test_same_file_again_fetches_nothing_and_changes_nothing(path: Path, host: str) -> None:
    write(path, f"mug,Mug,,,M,5,{host}/red.jpg,A mug,")
    run_import(path)
    deliver_outbox()
    Host.asked = []
    before = fingerprint("catalog", "shop")

    lines = run_import(path)

    after = fingerprint("catalog", "shop")
    del before["catalog_importrun"], after["catalog_importrun"]
    assert lines[-1].startswith("Products: 0 created, 0 updated, 1 unchanged")
    assert (after, Host.asked) == (before, [])


def test_hostile_pictures_are_named_and_the_good_one_is_shown(
    path: Path, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_pictures, "MOST_ATTEMPTS", 1)
    names = ["bomb.png", "page.jpg", "drawing.jpg", "missing.jpg", "polyglot.jpg"]
    rows = [f"mug,,,,,,{host}/{name},," for name in names]
    write(path, f"mug,Mug,,,M,5,{host}/red.jpg,A mug,", *rows, "mug,,,,,,https://10.0.0.1/x.jpg,,")
    run_import(path)

    deliver_outbox()

    product = Product.objects.get()
    assert [image.asset.width for image in product.images.all()] == [40, 30]
    told = [str(each) for each in ImportRun.objects.get().findings.all()]
    assert [text.rpartition("/")[2].partition(":")[0] for text in told] == [*names[:4], "x.jpg"]
    assert [text.partition(": ")[2][:40] for text in told] == [
        "This picture has more than 40 million pi",
        "This file is not a picture. JPEG, PNG, W",
        "This file is not a picture. JPEG, PNG, W",
        "The server answered with the status 404.",
        "There is no server with the name 10.0.0.",
    ]
    for asset in ImageAsset.objects.all():
        with asset.original.open() as file:
            content = file.read()
        assert b"script" not in content
        assert b"taken at home" not in content


def test_pictures_in_place_stay_until_all_new_ones_are_there(path: Path, host: str) -> None:
    write(path, f"mug,Mug,,,M,5,{host}/red.jpg,A mug,")
    run_import(path)
    deliver_outbox()
    write(path, f"mug,Mug,,,M,5,{host}/blue.png,Blue,", f"mug,,,,,,{host}/red.jpg,Red,")

    run_import(path)

    product = Product.objects.get()
    assert [image.alt for image in product.images.all()] == ["A mug"]
    deliver_outbox()
    assert [image.alt for image in product.images.all()] == ["Blue", "Red"]
    assert Host.asked.count("/red.jpg") == 1


def test_server_that_is_away_is_asked_again_and_then_named(path: Path, settings: Any) -> None:
    settings.FETCH_FROM_LOOPBACK = True
    write(path, "mug,Mug,,,M,5,http://127.0.0.1:9/x.jpg,,")
    run_import(path)
    run, product = ImportRun.objects.get(), Product.objects.get()

    for _time in range(2):
        with pytest.raises(import_pictures.FetchAgain):
            import_pictures.fetch(run.pk, product.pk)
        assert not run.findings.exists()
    assert import_pictures.fetch(run.pk, product.pk) == 0

    assert run.findings.get().message == "http://127.0.0.1:9/x.jpg: The server does not answer."
    assert relay.NotYet in import_pictures.FetchAgain.__mro__


def test_nothing_is_asked_for_when_told_so(path: Path, host: str) -> None:
    write(path, f"mug,Mug,,,M,5,{host}/red.jpg,A mug,")

    lines = run_import(path, no_images=True)
    deliver_outbox()

    assert lines[0].startswith("Pictures left out: 1. ")
    assert (Host.asked, OutboxMessage.objects.count()) == ([], 0)


def test_pictures_of_this_shop_need_no_fetching(path: Path, host: str) -> None:
    write(path, f"mug,Mug,,,M,5,{host}/red.jpg,A mug,")
    run_import(path)
    deliver_outbox()
    Host.asked = []
    name = ImageAsset.objects.get().original.name
    write(path, f"cup,Cup,,,C,5,https://old.example/media/{name},A cup,")

    run_import(path)

    assert Product.objects.get(slug="cup").images.get().alt == "A cup"
    assert Host.asked == []
