"""A geocoder like Photon that speaks HTTP on this machine and knows what it is told."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


def address(street: str, number: str = "", **changes: str) -> dict[str, Any]:
    """Return a feature as Photon has it: a house, or a street when there is no number."""
    is_house = {"street": street, "housenumber": number, "osm_key": "building", "type": "house"}
    is_street = {"name": street, "osm_key": "highway", "type": "street"}
    place = {"postcode": "10117", "city": "Berlin", "countrycode": "DE", "country": "Germany"}
    properties = (is_house if number else is_street) | place | changes
    point = {"type": "Point", "coordinates": [13.39, 52.51]}
    return {"type": "Feature", "geometry": point, "properties": properties}


@dataclass
class Photon:
    url: str = ""
    knows: list[Any] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    status: int = 200
    body: bytes | None = None
    seconds: float = 0

    def answer(self) -> bytes:
        time.sleep(self.seconds)
        found = {"type": "FeatureCollection", "features": self.knows}
        return self.body if self.body is not None else json.dumps(found).encode()


@contextmanager
def running_photon() -> Iterator[Photon]:
    """Answer on a free port of this machine."""
    photon = Photon()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = parse_qs(parts.query)
            # As the real one, it refuses what it does not know.
            is_known = parts.path == "/api" and query.keys() <= {"q", "limit", "lang"}
            photon.asked.append(query["q"][0])
            body = photon.answer()
            self.send_response(photon.status if is_known else 400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *args: None  # type: ignore[method-assign]  # who hangs up early
    photon.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield photon
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
