"""A closed-loop HTTP load generator: N connections, each sends its next request when the last is answered."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, cast

import uvloop


class Load(NamedTuple):
    """What was measured.

    answered: answers with status 200; refused: other answers, and connections that were lost.
    latencies_ms: of each answer with status 200, ascending.
    """

    answered: int
    refused: int
    seconds: float
    latencies_ms: list[float]

    @property
    def per_s(self) -> float:
        return self.answered / self.seconds

    def percentile_ms(self, ratio: float) -> float:
        position = min(len(self.latencies_ms) - 1, int(len(self.latencies_ms) * ratio))
        return self.latencies_ms[position]


class _Connection(asyncio.Protocol):
    """Speaks just enough HTTP/1.1: answers with a content-length, one at a time."""

    def __init__(self, requests: Callable[[], bytes], deadline: float, done: asyncio.Future[None]) -> None:
        self._requests = requests
        self._deadline = deadline
        self._done = done
        self._received = b""
        self._sent_at = 0.0
        self.latencies: list[float] = []
        self.refused = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._send()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(self._requests())

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        if len(body) < length:
            return
        self._received = b""
        now = time.perf_counter()
        if head.startswith(b"HTTP/1.1 200"):
            self.latencies.append((now - self._sent_at) * 1000)
        else:
            self.refused += 1
        if now < self._deadline:
            self._send()
        else:
            self._transport.close()
            self._finish()

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self._done.done():  # with a request under way
            self.refused += 1
        self._finish()

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)


async def _drive(port: int, connections: int, seconds: float, requests: Callable[[], bytes]) -> Load:
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    waiting = [loop.create_future() for _ in range(connections)]
    protocols = [_Connection(requests, started + seconds, done) for done in waiting]
    for protocol in protocols:
        await loop.create_connection(partial(_itself, protocol), "127.0.0.1", port)
    await asyncio.gather(*waiting)
    took = time.perf_counter() - started
    latencies = sorted(latency for protocol in protocols for latency in protocol.latencies)
    return Load(len(latencies), sum(protocol.refused for protocol in protocols), took, latencies)


def _itself(protocol: _Connection) -> _Connection:
    return protocol


def drive(port: int, connections: int, seconds: float, requests: Callable[[], bytes]) -> Load:
    """Load the server on this port of the loopback address for so many seconds."""
    return uvloop.run(_drive(port, connections, seconds, requests))
