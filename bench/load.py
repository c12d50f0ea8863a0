"""An HTTP load generator of N connections. A connection sends its next request when the last one is answered or, at a
set rate, when it is due.
"""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import NamedTuple, cast

import uvloop


class Load(NamedTuple):
    """The result of a load.

    answered: answers with status 200. refused: other answers, and lost connections. latencies_ms: of the answers with
    status 200, ascending; at a set rate, from when the request was due.
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

    def __init__(
        self,
        requests: Callable[[], bytes],
        due: Callable[[], float],
        deadline: float,
        done: asyncio.Future[None],
    ) -> None:
        self._requests = requests
        self._due = due
        self._deadline = deadline
        self._done = done
        self._received = b""
        self._due_at = 0.0
        self.latencies: list[float] = []
        self.refused = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.WriteTransport, transport)
        self._go_on()

    def _go_on(self) -> None:
        """Send the next request when it is due; after the deadline, close."""
        self._due_at = self._due()
        wait_s = self._due_at - time.perf_counter()
        if self._due_at >= self._deadline:
            self._transport.close()
            self._finish()
        elif wait_s > 0:
            asyncio.get_running_loop().call_later(wait_s, self._send)
        else:
            self._send()

    def _send(self) -> None:
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
            self.latencies.append((now - self._due_at) * 1000)
        else:
            self.refused += 1
        self._go_on()

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self._done.done():  # a request was under way
            self.refused += 1
        self._finish()

    def _finish(self) -> None:
        if not self._done.done():
            self._done.set_result(None)


async def _drive(
    port: int, connections: int, seconds: float, requests: Callable[[], bytes], per_s: float | None
) -> Load:
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    waiting = [loop.create_future() for _ in range(connections)]
    due = time.perf_counter if per_s is None else _at_rate(started, per_s)
    protocols = [_Connection(requests, due, started + seconds, done) for done in waiting]
    for protocol in protocols:
        await loop.create_connection(partial(_itself, protocol), "127.0.0.1", port)
    await asyncio.gather(*waiting)
    took = time.perf_counter() - started
    latencies = sorted(latency for protocol in protocols for latency in protocol.latencies)
    return Load(len(latencies), sum(protocol.refused for protocol in protocols), took, latencies)


def _itself(protocol: _Connection) -> _Connection:
    return protocol


def _at_rate(started: float, per_s: float) -> Callable[[], float]:
    """A function that says when the next request is due, whether or not the last ones were answered in time."""
    numbers = count()
    return lambda: started + next(numbers) / per_s


def drive(
    port: int,
    connections: int,
    seconds: float,
    requests: Callable[[], bytes],
    per_s: float | None = None,
) -> Load:
    """Load the server on this port of the loopback address for this many seconds.

    per_s: requests a second, if a connection is free when one is due; None: as many as are answered.
    """
    return uvloop.run(_drive(port, connections, seconds, requests, per_s))
