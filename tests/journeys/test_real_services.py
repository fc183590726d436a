"""The sale once more with everything real: Redis, a Celery worker, beat, the relay, SMTP and S3."""

from __future__ import annotations

import io
import json
import logging
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
import redis
from celery.beat import PersistentScheduler
from moto.server import ThreadedMotoServer
from PIL import Image

from bench.server import free_port
from catalog.models import ImageAsset, StockLevel
from catalog.services import media
from config.celery import app
from orders.models import Order
from payments.simulator.running import Simulator
from shop.clock import now
from shop.models import OutboxMessage
from tests.factories.catalog import BuyableProductFactory, ProductImageFactory, VariantFactory
from tests.factories.orders import TYPED, make_delivery, place_order
from tests.forms import read_form
from tests.processes import CELERY, MANAGE, running, running_web, wait_until
from tests.services import find_redis
from tests.smtp_sink import SmtpSink, running_smtp_sink

pytestmark = pytest.mark.django_db(transaction=True)

BUCKET = "pictures"
READABLE_BY_ALL = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": "*",
            "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{BUCKET}/*",
        }
    ],
}


class Shopper:
    """Fills in forms over HTTP, as a browser without scripts does."""

    def __init__(self, web: str) -> None:
        self.http = httpx.Client(base_url=web, follow_redirects=True, timeout=20)

    def submit(self, address: str, action: str, typed: dict[str, str]) -> httpx.Response:
        page = self.http.get(address).raise_for_status()
        return self.http.post(action, data=read_form(page, action) | typed)

    def fill_cart(self, slug: str) -> None:
        assert "Your cart" in self.submit(f"/products/{slug}/", "/cart/add/", {}).text

    def go_to_provider(self) -> httpx.Response:
        return self.submit("/checkout/", "/checkout/", TYPED | {"action": "place"})

    def approve(self, pay_page: httpx.Response, *, webhook: str) -> httpx.Response:
        """Pay, and stay at the provider, so that only the webhook can tell the shop."""
        choice = {"choice": "approve", "webhook": webhook}
        return httpx.post(str(pay_page.url), data=choice)


class RedisServer:
    """A Redis of our own that can be killed and started again on the same port."""

    def __init__(self, program: str, folder: Path) -> None:
        port = free_port()
        self.url = f"redis://127.0.0.1:{port}/0"
        self._command = [program, "--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder)]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [*self._command, "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL
        )
        wait_until(self._answers, "Redis answers")

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()

    def _answers(self) -> bool:
        try:
            return bool(redis.Redis.from_url(self.url).ping())
        except redis.ConnectionError:
            return False


@contextmanager
def running_shop(
    simulator: Simulator, sink: SmtpSink, redis_url: str, folder: Path, **chosen: str
) -> Iterator[str]:
    """Run web, relay, worker and beat with a broker; beat comes back after an hour's absence."""
    schedule = make_old_schedule(folder / "beat")
    known = {
        "REDIS_URL": redis_url,
        "EMAIL_URL": sink.url,
        "SIMULATOR_URL": simulator.url,
        "MEDIA_ROOT": str(folder),
        **chosen,
    }
    with ExitStack() as stack:
        port = free_port()
        at = {**known, "SHOP_URL": f"http://127.0.0.1:{port}"}
        worker = (*CELERY, "worker", "--loglevel", "WARNING", "-P", "threads", "-c", "2")
        for command in (
            (*worker, "--without-gossip", "--without-mingle"),
            (*CELERY, "beat", "--loglevel", "WARNING", "--schedule", schedule),
            (*MANAGE, "relay"),
        ):
            stack.enter_context(running(*command, **at))
        web = stack.enter_context(running_web(port=port, **at))
        simulator.webhook_url = f"{web}/payments/webhooks/stripe/"
        stack.callback(setattr, simulator, "webhook_url", None)
        yield web
        simulator.wait_for_deliveries()


def make_old_schedule(path: Path) -> str:
    """Write beat's memory as it is after an hour without beat."""
    scheduler = PersistentScheduler(app, schedule_filename=str(path), lazy=True)
    scheduler.setup_schedule()
    for entry in scheduler.schedule.values():
        entry.last_run_at = entry.last_run_at - timedelta(hours=1)
    scheduler.close()
    return str(path)


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with running_smtp_sink() as running_sink:
        yield running_sink


@pytest.fixture
def bucket(settings: Any) -> Iterator[dict[str, str]]:
    """An S3 that speaks HTTP; yields what the shop's processes must know of it."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    access = {"endpoint_url": endpoint, "region_name": "us-east-1"}
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    client = boto3.client("s3", **access, **keys)
    client.create_bucket(Bucket=BUCKET)
    client.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(READABLE_BY_ALL))
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "storages.backends.s3.S3Storage",
            "OPTIONS": {
                **access, "access_key": "test", "secret_key": "test", "bucket_name": BUCKET,
                "addressing_style": "path",
            },
        },
    }  # fmt: skip
    yield {
        "S3_BUCKET": BUCKET,
        "S3_ENDPOINT_URL": endpoint,
        "S3_ACCESS_KEY": "test",
        "S3_SECRET_KEY": "test",
        "S3_ADDRESSING_STYLE": "path",
        "S3_PUBLIC_URL": f"{endpoint}/{BUCKET}/",
    }
    server.stop()


def make_photograph() -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (800, 1000), (90, 120, 80)).save(file, "JPEG")
    file.seek(0)
    return file


def outbox_is_empty() -> bool:
    return not OutboxMessage.objects.filter(done_at=None).exists()


def test_a_sale_with_redis_worker_beat_smtp_and_s3(
    simulator: Simulator,
    sink: SmtpSink,
    redis_url: str,
    bucket: dict[str, str],
    tmp_path: Path,
) -> None:
    broker = redis.Redis.from_url(redis_url)
    broker.flushdb()
    make_delivery()
    mug = BuyableProductFactory(slug="dune-mug", title="Dune mug", variant__stock=3)
    asset = media.add_image(make_photograph())
    ProductImageFactory(product=mug, asset=asset)
    left_behind = place_order(VariantFactory(product__slug="bowl", stock=1))
    Order.objects.filter(pk=left_behind.pk).update(expires_at=now() - timedelta(minutes=1))

    with running_shop(simulator, sink, redis_url, tmp_path, **bucket) as web:
        wait_until(
            lambda: ImageAsset.objects.exclude(ready_at=None).exists(), "the worker made renditions"
        )
        shopper = Shopper(web)
        page = shopper.http.get("/products/dune-mug/")
        shopper.fill_cart("dune-mug")
        pay_page = shopper.go_to_provider()
        order = Order.objects.exclude(pk=left_behind.pk).get()
        assert order.stage == "Pending"
        assert shopper.approve(pay_page, webhook="twice").status_code == 303
        is_paid = Order.objects.filter(pk=order.pk, payment_status="paid").exists
        wait_until(is_paid, "the webhook's task marks the order paid")
        wait_until(lambda: sink.mails, "the confirmation arrives")
        is_expired = Order.objects.filter(pk=left_behind.pk, status="expired").exists
        wait_until(is_expired, "beat's sweep expires the order that nobody paid")
        wait_until(outbox_is_empty, "the outbox is worked off")
        sessions = broker.keys("*sessions*")

        order_page = shopper.http.get(f"/orders/{order.number}/")

    assert "Thank you for your order" in order_page.text
    assert [(mail["To"], mail["Subject"]) for mail in sink.mails] == [
        ("ada@example.com", f"Your order {order.number} – Emporium")
    ]
    level = StockLevel.objects.get(variant__product=mug)
    assert (level.on_hand, level.allocated) == (2, 0)
    assert sessions == [], "a copy could not be taken back while Redis is away"
    rendition = f"{bucket['S3_PUBLIC_URL']}{asset.base}-640.avif"
    assert rendition in page.text
    assert bucket["S3_ENDPOINT_URL"] in page.headers["Content-Security-Policy"]
    picture = httpx.get(rendition)
    assert (picture.status_code, picture.headers["Content-Type"]) == (200, "image/avif")


def test_the_shop_sells_without_redis_and_catches_up_when_it_is_back(
    simulator: Simulator, sink: SmtpSink, redis_url: str, tmp_path: Path
) -> None:
    program = find_redis()
    if program is None:
        pytest.skip("no Redis program of our own to kill: install redis-server")
    server = RedisServer(program, tmp_path)
    server.start()
    make_delivery()
    BuyableProductFactory(slug="dune-mug", title="Dune mug", variant__stock=3)
    try:
        with running_shop(simulator, sink, server.url, tmp_path) as web:
            shopper = Shopper(web)
            shopper.fill_cart("dune-mug")
            server.kill()

            pay_page = shopper.go_to_provider()
            paid = shopper.approve(pay_page, webhook="now")
            back = shopper.http.get(paid.headers["location"])
            assert "Thank you for your order" in back.text
            order = Order.objects.get()
            assert order.payment_status == "paid"
            assert StockLevel.objects.get().on_hand == 2
            simulator.wait_for_deliveries()
            waiting = OutboxMessage.objects.filter(error__startswith="no broker")
            wait_until(waiting.exists, "the relay finds no broker")

            server.start()
            wait_until(outbox_is_empty, "the outbox is worked off")
    finally:
        server.kill()

    assert sink.subjects == [f"Your order {order.number} – Emporium"]
    assert not OutboxMessage.objects.exclude(attempts=0).exists()
