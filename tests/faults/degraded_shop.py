"""A whole shop with a proxy before each service it depends on, and visitors who time its pages."""

from __future__ import annotations

import io
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import httpx
from moto.server import ThreadedMotoServer
from PIL import Image

from bench.server import free_port
from orders.proving import processes
from payments.simulator.running import Simulator, running_simulator
from tests.factories.orders import TYPED
from tests.forms import read_form
from tests.processes import CELERY, MANAGE, environment, running, running_web
from tests.services import find_redis, redis
from tests.smtp_sink import SmtpSink, running_smtp_sink
from tests.tcp_proxy import Line, TcpProxy, running_proxy

BUCKET = "pictures"
PASSWORD = "a long enough password"


@dataclass(slots=True)
class DegradedShop:
    """Web, relay and worker; `proxies` by the name of the service behind."""

    web: str
    proxies: dict[str, TcpProxy]
    simulator: Simulator
    sink: SmtpSink
    cache_url: str
    bucket: dict[str, str]

    def visitor(self) -> Visitor:
        return Visitor(self)

    def mend(self) -> None:
        for proxy in self.proxies.values():
            if proxy.line is not Line.WELL:
                proxy.turn(Line.WELL)


class Timer:
    """Seconds that requests took, by what they were for."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, list[float]] = defaultdict(list)

    def median(self, name: str) -> float:
        return statistics.median(self.seconds[name])


@dataclass
class Visitor:
    """Fills in forms over HTTP, as a browser without scripts does; each request is timed."""

    shop: DegradedShop
    timer: Timer = field(default_factory=Timer)

    def __post_init__(self) -> None:
        # Longer than any patience of the shop's own.
        self.http = httpx.Client(base_url=self.shop.web, timeout=40)

    def get(self, name: str, address: str, *, status: int = 200) -> httpx.Response:
        return self._timed(name, self.http.build_request("GET", address), status)

    def post(
        self, name: str, address: str, form: dict[str, str], *, status: int = 302, **more: Any
    ) -> httpx.Response:
        headers = {"Referer": f"{self.shop.web}{address}"}
        request = self.http.build_request("POST", address, data=form, headers=headers, **more)
        return self._timed(name, request, status)

    def _timed(self, name: str, request: httpx.Request, status: int) -> httpx.Response:
        began = time.monotonic()
        answer = self.http.send(request)
        self.timer.seconds[name].append(time.monotonic() - began)
        assert answer.status_code == status, (name, answer.status_code, answer.text[-3000:])
        return answer

    # What people do ------------------------------------------------------------------------------

    def sign_in(self, email: str) -> None:
        page = self.get("sign-in page", "/accounts/login/")
        typed = {"login": email, "password": PASSWORD}
        form = read_form(page, "/accounts/login/") | typed
        self.post("sign in", "/accounts/login/", form)

    def add(self, variant_id: int) -> None:
        self.post("add to cart", "/cart/add/", {"variant": str(variant_id), "quantity": "1"})

    def place(self, *, method: str = "stripe") -> str:
        """Order what is in the cart, and return where the browser is sent."""
        page = self.get("checkout", "/checkout/")
        chosen = {"action": "place", "payment_method": method}
        form = read_form(page, "/checkout/") | TYPED | chosen
        return self.post("place", "/checkout/", form).headers["location"]

    def approve(self, place: str, *, webhook: str) -> None:
        """Pay on the provider's page; what is agreed at PayPal is taken on coming back."""
        if token := parse_qs(urlsplit(place).query).get("token"):
            self.shop.simulator.approve_order(token[0], webhook="never")
            return
        self.shop.simulator.approve(urlsplit(place).path.rpartition("/")[2], webhook=webhook)

    def come_back(self, number: str) -> str:
        self.get("come back", f"/orders/{number}/returned/", status=302)
        return self.get("order", f"/orders/{number}/").text


@contextmanager
def running_degraded_shop(folder: Path) -> Iterator[DegradedShop]:
    """Run everything for the length of a block; the database is the test's own."""
    program = find_redis()
    assert program is not None
    with ExitStack() as stack:
        sink = stack.enter_context(running_smtp_sink())
        simulator = stack.enter_context(running_simulator())
        address = stack.enter_context(redis(program))
        s3 = stack.enter_context(_running_s3())
        targets = {
            "cache": urlsplit(address).port,
            "broker": urlsplit(address).port,
            "pictures": s3,
            "stripe": urlsplit(simulator.url).port,
            "paypal": urlsplit(simulator.url).port,
            "mail": sink.port,
        }
        proxies = {
            name: stack.enter_context(running_proxy(port)) for name, port in targets.items() if port
        }
        bucket = f"http://127.0.0.1:{proxies['pictures'].port}"
        port = free_port()
        known = {
            "SHOP_URL": f"http://127.0.0.1:{port}",
            "REDIS_URL": f"redis://127.0.0.1:{proxies['cache'].port}/0",
            "CELERY_BROKER_URL": f"redis://127.0.0.1:{proxies['broker'].port}/1",
            "EMAIL_URL": f"smtp://127.0.0.1:{proxies['mail'].port}",
            "SIMULATOR_URL": f"http://127.0.0.1:{proxies['stripe'].port}",
            "SIMULATOR_PAYPAL_URL": f"http://127.0.0.1:{proxies['paypal'].port}",
            "MEDIA_ROOT": str(folder),
            "S3_BUCKET": BUCKET,
            "S3_ENDPOINT_URL": bucket,
            "S3_ACCESS_KEY": "test",
            "S3_SECRET_KEY": "test",
            "S3_ADDRESSING_STYLE": "path",
            "S3_PUBLIC_URL": f"{bucket}/{BUCKET}/",
            # As a shop has them: pages are kept, and shared through Redis.
            "PAGE_CACHE_MB": "16",
            "CHANGES_POLL_MS": "500",
        }
        web = stack.enter_context(running_web(port=port, **known))
        worker = (
            *(*CELERY, "worker", "--loglevel", "ERROR", "-P", "threads", "-c", "2"),
            *("--without-gossip", "--without-mingle"),
        )
        # kombu may fall over a broker that goes away; deploy/compose.yaml starts a worker again, too.
        kept = processes.Process(
            "worker", worker, environment=environment(**known), log=folder / "worker.log"
        )
        stack.enter_context(processes.running([kept]))
        stack.enter_context(running(*MANAGE, "relay", **known))
        simulator.webhook_url = f"{web}/payments/webhooks/stripe/"
        shop = DegradedShop(
            web, proxies, simulator, sink, address, {"endpoint_url": f"http://127.0.0.1:{s3}"}
        )
        try:
            yield shop
        finally:
            shop.mend()
            simulator.webhook_url = None


@contextmanager
def _running_s3() -> Iterator[int]:
    """Run an S3 with a bucket, and give its port."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    client = boto3.client(
        "s3", endpoint_url=f"http://{host}:{port}", region_name="us-east-1",
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip
    client.create_bucket(Bucket=BUCKET)
    try:
        yield port
    finally:
        server.stop()


def photograph(shade: int) -> bytes:
    """Make a picture; another shade is another picture."""
    file = io.BytesIO()
    Image.new("RGB", (640, 800), (shade, 120, 80)).save(file, "JPEG")
    return file.getvalue()
