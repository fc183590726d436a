"""A mail server that takes everything and counts it by Message-ID."""

from __future__ import annotations

import re
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

MESSAGE_ID = re.compile(rb"^Message-ID:\s*<([^>]+)>", re.IGNORECASE | re.MULTILINE)


class Postbox(socketserver.ThreadingTCPServer):
    """Listens on a free port of this machine; `taken` counts deliveries by Message-ID."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.taken: Counter[str] = Counter()
        self._lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    def take(self, message: bytes) -> None:
        found = MESSAGE_ID.search(message)
        with self._lock:
            self.taken[found[1].decode() if found else "without an id"] += 1


class _Conversation(socketserver.StreamRequestHandler):
    """As much of SMTP (RFC 5321) as a client without login asks for."""

    server: Postbox

    def handle(self) -> None:
        self._say("220 postbox")
        while line := self.rfile.readline():
            word = line.split(maxsplit=1)[0].upper() if line.strip() else b""
            if word == b"QUIT":
                self._say("221 bye")
                return
            if word == b"DATA":
                self._say("354 go on")
                self.server.take(b"".join(iter(self.rfile.readline, b".\r\n")))
            self._say("250 ok")

    def _say(self, words: str) -> None:
        self.wfile.write(f"{words}\r\n".encode())


@contextmanager
def running_postbox() -> Iterator[Postbox]:
    """Serve a postbox in a thread for the length of a block."""
    with Postbox() as postbox:
        threading.Thread(target=postbox.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield postbox
        finally:
            postbox.shutdown()
