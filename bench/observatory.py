"""Have Mozilla's HTTP Observatory judge each class of page of a shop with production settings.

The engine is the npm package `@mdn/mdn-http-observatory`, run here, without asking Mozilla. It wants
https and a plain address that leads there: a small front before the shop speaks both on one port,
with a certificate made for this run.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime
import ipaddress
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from bench import server
from bench.lighthouse import manage
from config.run import ROOT

PACKAGE = "@mdn/mdn-http-observatory"
HOST = "localhost"
NEEDED = 135
NEEDED_WITHOUT_SCRIPTS = 130
"""An empty answer has no script that could carry a fingerprint, which earns 5."""


def main(arguments: Sequence[str] | None = None) -> int:
    options = read_options(arguments)
    if not shutil.which("node"):
        print("There is no node here: install Node.js.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="emporium-observatory-") as name:
        folder = Path(name)
        engine = options.engine or install(folder)
        give_empty_list(engine)
        judged = judge(engine, folder)
    print(f"{'page':<22}{'status':>7}{'score':>7}  grade")
    for page in judged:
        lost = [
            f"{test} {found['result']} {found['change']}"
            for test, found in page["tests"].items()
            if found["change"] < 0
        ]
        line = f"{page['name']:<22}{page['status']:>7}{page['score']:>7}  {page['grade']}"
        print("  ".join([f"{line:<46}", *lost]).rstrip())
    if options.json:
        options.json.write_text(json.dumps(judged, indent=2) + "\n")
    return 0 if all(page["score"] >= needed_of(page["name"]) for page in judged) else 1


def needed_of(name: str) -> int:
    return NEEDED_WITHOUT_SCRIPTS if name == "error 405" else NEEDED


def read_options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.observatory", description=__doc__)
    parser.add_argument("--engine", type=Path, help=f"a folder of {PACKAGE}, instead of npm's")
    parser.add_argument("--json", type=Path, help="where to write all that was found")
    return parser.parse_args(arguments)


def install(folder: Path) -> Path:
    """Fetch the engine into a folder of its own; needs npm and a network."""
    subprocess.run(
        (
            *("npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"),
            *("--prefix", str(folder), PACKAGE),
        ),
        check=True,
    )
    return folder / "node_modules" / PACKAGE


def give_empty_list(engine: Path) -> None:
    """Let the engine know no host that browsers are told of; the list is fetched on installing."""
    preloaded = engine / "conf" / "hsts-preload.json"
    if not preloaded.exists():
        preloaded.write_text("{}")


def judge(engine: Path, folder: Path) -> list[dict[str, Any]]:
    with server.place() as here:
        for command in (["collectstatic", "--no-input"], ["migrate", "--no-input"], ["demo"]):
            manage(*command, "--verbosity", "0")
        front_port = server.free_port()
        os.environ.update(production(front_port))
        pages = make_pages()
        certificate = make_certificate(folder)
        with (
            server.web("config.wsgi:application", port=here.port),
            front(front_port, to=here.port, certificate=certificate),
        ):
            wanted = {"host": HOST, "port": front_port, "pages": pages}
            answer = subprocess.run(
                ("node", str(ROOT / "bench" / "observatory.mjs")),
                input=json.dumps(wanted),
                env=os.environ
                | {"OBSERVATORY": str(engine), "NODE_EXTRA_CA_CERTS": str(certificate)},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
    found: list[dict[str, Any]] = json.loads(answer.stdout)
    return found


def production(port: int) -> dict[str, str]:
    """Settings of a real shop; its keys are made up, and nothing asks Stripe or the mail server."""
    return {
        "EMPORIUM_MODE": "production",
        "SECRET_KEY": "observatory" * 5,
        "SHOP_URL": f"https://{HOST}:{port}",
        "ALLOWED_HOSTS": HOST,
        "EMAIL_URL": "smtp+tls://nobody:nothing@mail.invalid:587",
        "STRIPE_SECRET_KEY": "sk_" + "live_observatory",
        "STRIPE_WEBHOOK_SECRET": "whsec_observatory",
        "SHOP_OFFLINE_PAYMENT": "transfer",
        "SHOP_OFFLINE_DETAILS": "IBAN DE00",
        "ADMIN_SECOND_FACTOR": "false",  # Else no page of the admin would show itself.
    }


def make_pages() -> list[dict[str, str]]:
    """Make somebody with a cart and an order, and somebody who runs the shop; list the pages."""
    import django

    django.setup()
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.base import SessionBase
    from django.db import connections

    from accounts import staff_sessions
    from accounts.models import User
    from cart.models import Cart
    from cart.queries import get_cart_view
    from cart.services import lines
    from catalog.models import Category, Product, ProductVariant
    from orders.services import placement
    from orders.services.placement import Address
    from shop.money import Money
    from shop.sessions import SessionStore

    def sign_in(person: User) -> str:
        session: SessionBase = SessionStore()
        session[SESSION_KEY] = str(person.pk)
        session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = person.get_session_auth_hash()
        staff_sessions.mark(session)
        session.create()
        return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"

    boss = User.objects.create_superuser("boss@observatory.example", "a long enough password")
    shopper = User.objects.create_user("shopper@observatory.example", "a long enough password")
    variant = ProductVariant.objects.filter(
        is_active=True, product__status=Product.Status.ACTIVE, product__variants__tracks_stock=True
    ).order_by("pk")[0]
    cart = Cart.objects.create(user=shopper)
    lines.add(cart, variant_id=variant.pk, quantity=1)
    from cart.services.quoting import quote_lines

    view = get_cart_view(cart.pk)
    quoted = quote_lines(view.lines, country="DE", region="", delivery_code="")
    order = placement.place(
        cart,
        email=shopper.email,
        address=Address(
            name="Ada Lovelace", street="Unter den Linden 1", postcode="10117", city="Berlin",
            region="", country="DE",
        ),
        delivery_code=quoted.quote.delivery.code if quoted.quote.delivery else "",
        submit_key=cart.submit_key,
        seen_total=Money(quoted.quote.total.amount, settings.SHOP_CURRENCY),
        seen_lines=quoted.fingerprint,
        language="en",
        provider="offline",
        user=shopper,
    )  # fmt: skip
    lines.add(Cart.objects.create(user=shopper), variant_id=variant.pk, quantity=1)
    person, staff = sign_in(shopper), sign_in(boss)
    category = Category.objects.order_by("pk")[0]
    connections.close_all()
    pages = [
        ("home", "/", ""),
        ("category", f"/categories/{category.path}/", ""),
        ("product", f"/products/{variant.product.slug}/", ""),
        ("search", "/search/?q=cup", ""),
        ("cart", "/cart/", person),
        ("checkout", "/checkout/", person),
        ("sign-in", "/accounts/login/", ""),
        ("account", "/account/", person),
        ("order", f"/orders/{order.number}/", person),
        ("admin sign-in", "/admin/", ""),
        ("admin: dashboard", "/admin/", staff),
        ("admin: products", "/admin/catalog/product/", staff),
        ("admin: a product", f"/admin/catalog/product/{variant.product_id}/change/", staff),
        ("error 401", "/accounts/3rdparty/login/error/", ""),
        ("error 403", "/admin/", person),
        ("error 404", "/nothing-is-here/", ""),
        ("error 405", "/cart/add/", ""),
    ]
    return [{"name": name, "path": path, "cookie": cookie} for name, path, cookie in pages]


def make_certificate(folder: Path) -> Path:
    """Write a certificate for this machine and its key into one file, good for a day."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName(HOST), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "front.pem"
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


@contextmanager
def front(port: int, *, to: int, certificate: Path) -> Iterator[None]:
    """Speak https and http on one port before the shop, and tell it which; like a load balancer."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    loop = asyncio.new_event_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await answer_one(reader, writer, to=to)
        writer.close()

    async def begin() -> list[asyncio.Server]:
        return [
            await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls),
            await asyncio.start_server(serve, "127.0.0.1", 0),
        ]

    async def open_door(secure: int, plain: int) -> asyncio.Server:
        async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            """A TLS connection begins with the byte 22, a request with a letter."""
            with suppress(OSError):
                first = await reader.read(1)
                inner = await asyncio.open_connection(
                    "127.0.0.1", secure if first == b"\x16" else plain
                )
                inner[1].write(first)
                await asyncio.gather(pump(reader, inner[1]), pump(inner[0], writer))

        return await asyncio.start_server(pass_on, "127.0.0.1", port)

    doors = loop.run_until_complete(begin())
    ports = [door.sockets[0].getsockname()[1] for door in doors]
    loop.run_until_complete(open_door(*ports))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    with suppress(OSError, RuntimeError):
        writer.close()


async def answer_one(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, to: int
) -> None:
    """Pass one request on, with the scheme that it came by, and its answer back."""
    head = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    scheme = b"https" if writer.get_extra_info("ssl_object") else b"http"
    left_out = (b"connection:", b"x-forwarded-proto:")
    kept = [line for line in head if line and not line.lower().startswith(left_out)]
    inside = await asyncio.open_connection("127.0.0.1", to)
    inside[1].write(
        b"\r\n".join([*kept, b"X-Forwarded-Proto: " + scheme, b"Connection: close", b"", b""])
    )
    await pump(inside[0], writer)


if __name__ == "__main__":
    sys.exit(main())
