"""A balancer before several web processes: each connection goes to one that is there."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count

CHUNK = 65_536


class Balancer:
    """Listens on `port`; `ports` are those behind by name, `list_present` says which are there.

    It only passes bytes on. A request that was begun is never sent to another process: it may have
    been carried out, and whether to try again is for the client to say. So a connection whose
    process dies is dropped, and so is one that comes while none is there.
    """

    def __init__(
        self, port: int, ports: Mapping[str, int], list_present: Callable[[], list[str]]
    ) -> None:
        self._port, self._ports, self._list_present = port, ports, list_present
        self._turns = count()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="balancer", daemon=True)

    def start(self) -> None:
        self._thread.start()
        listening = asyncio.start_server(self._serve, "127.0.0.1", self._port, backlog=512)
        asyncio.run_coroutine_threadsafe(listening, self._loop).result(10)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            for port in self._choose():
                with suppress(OSError):
                    behind = await asyncio.open_connection("127.0.0.1", port)
                    await asyncio.gather(_pass_on(reader, behind[1]), _pass_on(behind[0], writer))
                    break
        writer.close()

    def _choose(self) -> list[int]:
        """List the ports to try, another one first each time."""
        present = [self._ports[name] for name in self._list_present()]
        turn = next(self._turns) % len(present) if present else 0
        return [*present[turn:], *present[:turn]]


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes on until one side ends; then nothing more can come of the connection."""
    with suppress(OSError):
        while chunk := await reader.read(CHUNK):
            writer.write(chunk)
            await writer.drain()
    with suppress(OSError):
        writer.close()


@contextmanager
def running_balancer(
    port: int, ports: Mapping[str, int], list_present: Callable[[], list[str]]
) -> Iterator[None]:
    """Balance for the length of a block."""
    balancer = Balancer(port, ports, list_present)
    balancer.start()
    try:
        yield
    finally:
        balancer.stop()
