"""A TCP proxy that stands before a service and breaks the line to it in the ways lines break.

    with running_proxy(6379) as redis:      # clients connect to redis.port
        redis.turn(Line.SILENT)             # everything is accepted, nothing is answered
        redis.turn(Line.WELL)

Turning drops the connections that cannot go on as they are: those that were silent when the line is
well again (their bytes are lost), all of them when it is refused.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum

from bench.server import free_port

CHUNK = 65_536
RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: close with a reset, as a machine does whose process has died."""


class Line(Enum):
    """`SLOW` waits before each chunk, `CUT` resets after so many bytes of an answer."""

    WELL = "well"
    REFUSED = "refused"
    SILENT = "silent"
    SLOW = "slow"
    CUT = "cut"


class TcpProxy:
    """One port that leads to another; its loop runs in a thread of its own."""

    def __init__(self, target: int, *, host: str = "127.0.0.1") -> None:
        self.host, self.target, self.port = host, target, free_port()
        self.line = Line.WELL
        self.seconds, self.bytes_of_answer = 0.0, 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._wait_for(self._listen())

    def stop(self) -> None:
        self._wait_for(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    def turn(self, line: Line, *, seconds: float = 0.5, bytes_of_answer: int = 40) -> None:
        """Break the line, or mend it; returns once that is so."""
        self._wait_for(self._turn(line, seconds, bytes_of_answer))

    def _wait_for(self, step: object) -> None:
        asyncio.run_coroutine_threadsafe(step, self._loop).result(10)  # type: ignore[arg-type]

    async def _turn(self, line: Line, seconds: float, bytes_of_answer: int) -> None:
        was, self.line = self.line, line
        self.seconds, self.bytes_of_answer = seconds, bytes_of_answer
        if line is Line.REFUSED:
            await self._close()
        elif self._server is None:
            await self._listen()
        if was is Line.SILENT:
            self._reset_all()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, self.host, self.port)

    async def _close(self) -> None:
        if self._server:
            self._server.close()
            self._server = None
        self._reset_all()

    def _reset_all(self) -> None:
        for writer in list(self._writers):
            _reset(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        far: asyncio.StreamWriter | None = None
        try:
            if self.line is not Line.SILENT:
                answers, far = await asyncio.open_connection(self.host, self.target)
                self._writers.add(far)
                await asyncio.gather(
                    self._carry(reader, far), self._carry(answers, writer, is_answer=True)
                )
            else:
                while await reader.read(CHUNK):
                    pass
        except OSError:
            _reset(writer)
        finally:
            for each in filter(None, (writer, far)):
                self._writers.discard(each)
                each.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool = False
    ) -> None:
        while chunk := await reader.read(CHUNK):
            if self.line is Line.SILENT:
                continue
            if self.line is Line.SLOW and is_answer:
                await asyncio.sleep(self.seconds)
            if self.line is Line.CUT and is_answer:
                writer.write(chunk[: self.bytes_of_answer])
                await writer.drain()
                raise ConnectionResetError
            writer.write(chunk)
            await writer.drain()
        with suppress(OSError):
            if writer.can_write_eof():
                writer.write_eof()


def _reset(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, AttributeError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.transport.abort()


@contextmanager
def running_proxy(target: int) -> Iterator[TcpProxy]:
    """Stand before a port of this machine for the length of a block."""
    proxy = TcpProxy(target)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()
