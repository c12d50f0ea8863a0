"""Readers beside reporting stations: connections of one key. Each asks again when it is answered."""

import asyncio
import time
from collections.abc import Sequence
from itertools import cycle
from typing import NamedTuple

_OK = b" 200 "
_PIECE_BYTES = 65_536


class Readers(NamedTuple):
    """connections: at once. paths: asked in turn. takes: whether they read the answers."""

    connections: int
    paths: Sequence[str]
    takes: bool = True


class Reads(NamedTuple):
    """answered: whole answers with status 200. refused: other answers, and lost connections."""

    answered: int
    refused: int


def nothing() -> None:
    """Called to have the process started that reads."""


def read(port: int, api_key: str, readers: Readers, seconds: float) -> Reads:
    """Read from the server on this port of the loopback address for this many seconds."""
    return asyncio.run(_read(port, api_key, readers, seconds))


async def _read(port: int, api_key: str, readers: Readers, seconds: float) -> Reads:
    until = time.monotonic() + seconds
    paths = cycle(readers.paths)
    answers: list[bool] = []

    async def go_on() -> None:
        while time.monotonic() < until:
            request = f"GET {next(paths)} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {api_key}\r\n"
            ask = _answer(port, f"{request}Connection: close\r\n\r\n".encode(), takes=readers.takes)
            try:
                answers.append(await asyncio.wait_for(ask, until - time.monotonic()))
            except TimeoutError:
                return
            except OSError:
                answers.append(False)

    await asyncio.gather(*(go_on() for _ in range(readers.connections)))
    return Reads(sum(answers), len(answers) - sum(answers))


async def _answer(port: int, request: bytes, *, takes: bool) -> bool:
    """Whether a request is answered with 200, to the end. takes: False: the answer is never read."""
    incoming, out = await asyncio.open_connection("127.0.0.1", port, limit=_PIECE_BYTES)
    try:
        out.write(request)
        if not takes:
            await asyncio.Event().wait()
        status = await incoming.readline()
        while await incoming.read(_PIECE_BYTES):
            pass
        return _OK in status
    finally:
        out.close()
