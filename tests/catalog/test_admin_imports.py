"""Imports in the admin: tried first, done on demand, told by row; sellers for themselves only."""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.test import Client

from accounts.models import SellerMember
from catalog.models import ImportRun, Product
from catalog.services import import_runs
from tests.admin_forms import address, sign_in
from tests.factories.accounts import SellerFactory, UserFactory
from tests.factories.catalog import TaxClassFactory
from tests.outbox import deliver_outbox

pytestmark = pytest.mark.django_db

ADD = "/admin/catalog/importrun/add/"
FILE = b"Handle,Title,Variant SKU,Variant Price\nmug,Mug,M,5\nbad,Bad,B,=1+1\n"


def upload(browser: Client, content: bytes = FILE, **changes: Any) -> HttpResponse:
    page = browser.get(ADD)
    assert page.status_code == 200
    form = page.context["form"]
    values = {
        "file": SimpleUploadedFile("products.csv", content),
        "format": "shopify",
        "seller": form["seller"].value() or "",
        "fetches_pictures": "on",
    }
    return browser.post(ADD, {name: value for name, value in (values | changes).items() if value})


def press(browser: Client, run: ImportRun, button: str) -> HttpResponse:
    return browser.post(address("catalog_importrun", button, run.pk))


def member(role: str = "manager", **seller: Any) -> Client:
    user = UserFactory(is_staff=True)
    SellerMember.objects.create(user=user, seller=SellerFactory(**seller), role=role)
    return sign_in(user)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_file_is_tried_shown_and_done_on_demand(pack: Any) -> None:
    SellerFactory(name="Havre")
    browser = sign_in()

    answer = upload(browser, pack(FILE))

    run = ImportRun.objects.get()
    assert answer.url == address("catalog_importrun", "change", run.pk)
    waiting = browser.get(answer.url)
    assert "Waiting for its turn." in waiting.content.decode()
    assert waiting["Refresh"] == "3"
    deliver_outbox()
    page = browser.get(answer.url)
    html = page.content.decode()
    assert "This is what would happen." in html
    assert "“=1+1” is not a number; write it like 12.50." in html
    assert "Refresh" not in page
    assert not Product.objects.exists()

    answer = press(browser, run, "begin")
    deliver_outbox()

    done = ImportRun.objects.get(is_rehearsal=False)
    assert answer.url == address("catalog_importrun", "change", done.pk)
    assert (done.state, done.created, done.refused) == ("finished", 1, 1)
    assert Product.objects.get().seller.name == "Havre"
    again = browser.get(address("catalog_importrun", "change", run.pk)).content.decode()
    assert "Import now" not in again
    assert press(browser, run, "begin").status_code == 302
    assert ImportRun.objects.count() == 2


def test_report_opens_in_a_spreadsheet_and_runs_nothing_there() -> None:
    SellerFactory()
    browser = sign_in()
    upload(browser, b'Handle,Title,Variant Price\n"=HYPERLINK(""http://x"")",,5\n')
    deliver_outbox()

    answer = browser.get(address("catalog_importrun", "report", ImportRun.objects.get().pk))

    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert answer["Content-Disposition"].startswith('attachment; filename="import-')
    assert list(csv.reader(io.StringIO(text))) == [
        ["Line", "Product", "Column", "What became of it", "Message"],
        [
            "2", "'=HYPERLINK(\"http://x\")", "Title", "left out",
            "The title is missing on the product's first row.",
        ],
    ]  # fmt: skip


def test_unreadable_and_missing_files_are_told_with_the_field() -> None:
    SellerFactory()
    browser = sign_in()

    missing = upload(browser, file=None)
    assert "Please look at:" in missing.content.decode()
    assert 'href="#id_file"' in missing.content.decode()
    empty = upload(browser, b"")
    assert "empty" in empty.content.decode()
    assert not ImportRun.objects.exists()

    answer = upload(browser, b"PK\x03\x04 a spreadsheet")
    deliver_outbox()
    page = browser.get(answer.url).content.decode()
    assert "The file cannot be read." in page
    assert "XLSX/ZIP file, no CSV" in page


def test_seller_imports_for_their_own_shelf_alone() -> None:
    other = SellerFactory(name="Other")
    browser = member(name="Mine")

    refused = upload(browser, seller=str(other.pk))
    assert "Select a valid choice" in refused.content.decode()
    upload(browser)
    deliver_outbox()
    press(browser, ImportRun.objects.get(), "begin")
    deliver_outbox()

    assert Product.objects.get().seller.name == "Mine"
    stranger = member()
    run = ImportRun.objects.first()
    assert stranger.get(address("catalog_importrun", "change", run.pk)).status_code == 404
    assert stranger.get(address("catalog_importrun", "report", run.pk)).status_code == 404
    assert press(stranger, run, "stop").status_code == 404
    assert "products.csv" not in stranger.get("/admin/catalog/importrun/").content.decode()


def test_own_file_that_names_another_seller_stays_with_the_one_who_brought_it() -> None:
    SellerFactory(slug="other")
    browser = member(slug="mine")
    content = b"Handle,Title,Seller,Price\nmug,Mug,other,5\n"

    upload(browser, content, format="emporium")
    deliver_outbox()
    press(browser, ImportRun.objects.get(), "begin")
    deliver_outbox()

    assert Product.objects.get().seller.slug == "mine"


def test_packers_and_shoppers_import_nothing() -> None:
    for browser in (member("packer"), sign_in(UserFactory(is_staff=True))):
        assert browser.get(ADD).status_code == 403
        assert browser.post(ADD, {}).status_code == 403
    assert Client().get(ADD).status_code == 302


def test_import_can_be_stopped_and_let_go_on() -> None:
    SellerFactory()
    browser = sign_in()
    upload(browser)
    run = ImportRun.objects.get()
    page = address("catalog_importrun", "change", run.pk)

    press(browser, run, "stop")
    assert "Stopped after 0 of" in browser.get(page).content.decode()
    deliver_outbox()
    run.refresh_from_db()
    assert (run.state, run.done) == ("stopped", -1)
    press(browser, run, "go_on")
    deliver_outbox()

    run.refresh_from_db()
    assert (run.state, run.created) == ("finished", 1)


def test_buttons_are_pressed_never_followed() -> None:
    SellerFactory()
    browser = sign_in()
    upload(browser)
    run = ImportRun.objects.get()

    for button in ("begin", "stop", "go_on"):
        assert browser.get(address("catalog_importrun", button, run.pk)).status_code == 405


def test_file_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    SellerFactory()
    monkeypatch.setattr(import_runs, "LARGEST_UPLOAD", 10)

    answer = upload(sign_in())

    assert "larger than 100 MB" in answer.content.decode()
    assert not ImportRun.objects.exists()


def test_more_imports_than_may_wait_at_once_are_refused_until_one_is_over() -> None:
    browser, rival = member(), member()
    for _number in range(import_runs.MOST_AT_ONCE):
        assert upload(browser).status_code == 302

    refused = upload(browser)

    html = refused.content.decode()
    message = "3 imports of this seller are waiting or going on."
    assert message in html
    assert 'href="#id_file"' in html
    assert ImportRun.objects.count() == 3
    assert upload(rival).status_code == 302
    first = ImportRun.objects.earliest("pk")
    press(browser, first, "stop")
    assert upload(browser).status_code == 302
    answer = browser.post(address("catalog_importrun", "go_on", first.pk), follow=True)
    assert message in answer.content.decode()
    first.refresh_from_db()
    assert first.state == "stopped"
    deliver_outbox()
    press(browser, first, "go_on")
    deliver_outbox()
    first.refresh_from_db()
    assert first.state == "finished"


def test_tried_files_are_done_for_real_as_far_as_there_is_room() -> None:
    browser = member()
    upload(browser)
    deliver_outbox()
    tried = ImportRun.objects.get()
    for _number in range(import_runs.MOST_AT_ONCE):
        upload(browser)

    answer = browser.post(address("catalog_importrun", "begin", tried.pk), follow=True)

    assert "3 imports of this seller are waiting or going on." in answer.content.decode()
    assert not ImportRun.objects.filter(is_rehearsal=False).exists()
    deliver_outbox()
    press(browser, tried, "begin")
    assert ImportRun.objects.filter(is_rehearsal=False).count() == 1


def test_of_files_that_were_only_tried_the_newest_are_kept() -> None:
    browser, rival = member(), member()
    upload(rival)
    for _number in range(import_runs.MOST_KEPT + 2):
        upload(browser)
        deliver_outbox()

    mine = ImportRun.objects.exclude(seller=ImportRun.objects.earliest("pk").seller)
    kept = [run.parts.exists() for run in mine.order_by("pk")]
    assert kept == [False] * 2 + [True] * import_runs.MOST_KEPT
    assert ImportRun.objects.earliest("pk").parts.exists()
    oldest = mine.earliest("pk")
    page = browser.get(address("catalog_importrun", "change", oldest.pk)).content.decode()
    assert "It was only tried." in page
    assert "Import now" not in page
    press(browser, mine.latest("pk"), "begin")
    assert ImportRun.objects.get(is_rehearsal=False).parts.exists()


def test_upload_that_unpacks_to_more_than_it_may_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    SellerFactory()
    browser = sign_in()
    monkeypatch.setattr(import_runs, "LARGEST_UNPACKED", 2 * 1024 * 1024)

    answer = upload(browser, gzip.compress(FILE + b"x" * 3_000_000))
    deliver_outbox()

    page = browser.get(answer.url).content.decode()
    assert "Unpacked, the file is larger than 2 MB. Please split it." in page


def test_seller_cannot_bring_a_tax_class_that_nobody_set_rates_for() -> None:
    TaxClassFactory(code="reduced")
    content = b"Handle,Title,Tax class,Price\nmug,Mug,none-at-all,5\nbowl,Bowl,reduced,7\n"

    for browser, classes in (
        (member(slug="mine"), {"bowl": "reduced"}),
        (sign_in(), {"bowl": "reduced", "mug": "none-at-all"}),
    ):
        upload(browser, content, format="emporium")
        deliver_outbox()
        press(browser, ImportRun.objects.order_by("-id").first(), "begin")
        deliver_outbox()
        assert dict(Product.objects.values_list("slug", "tax_class__code")) == classes
