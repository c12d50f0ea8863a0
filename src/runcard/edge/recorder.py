"""The one way of runs from the doors into the record: to a process of its own, which commits them.

The server reads, checks and packs runs, which takes all of one processor; the other process resolves and commits them
at the same time (ADR 28). Where that one dies, another is started, and records what was not answered.
"""

import asyncio
import logging
import socket
import sys
from asyncio import Future, StreamReader, StreamWriter
from asyncio.subprocess import Process
from contextlib import suppress
from itertools import count
from uuid import UUID

import msgspec
from msgspec.structs import replace

from runcard.domain.errors import Unauthenticated
from runcard.edge.gate import Admission, Gate
from runcard.edge.orders import HEAD, Answers, Order, RecordingFailed, Start, message_of, unpickled
from runcard.ingest.record_run import PreparedRun
from runcard.store.database import Database

_log = logging.getLogger(__name__)

# A run is handed to so many processes at the most: one by which a process dies would take the next along.
_TRIES = 3
_PAUSE_S = 0.2
_decoder = msgspec.msgpack.Decoder(Answers)


class _Waiting:
    __slots__ = ("answer", "order", "tries")

    def __init__(self, order: Order, answer: Future[UUID]) -> None:
        self.order = order
        self.answer = answer
        self.tries = 0


class Recorder:
    """Belongs to the event loop that it is made in. `close` ends it after everything that was handed over."""

    def __init__(self, database: Database, gate: Gate) -> None:
        self._database = database
        self._gate = gate
        self._numbers = count(1)
        self._waiting: dict[int, _Waiting] = {}
        self._out: StreamWriter | None = None
        self._looks = 0
        self._is_closing = False
        self._following = asyncio.create_task(self._follow())

    async def record(self, admission: Admission, run: PreparedRun) -> UUID:
        """The id of the run, once it is durable.

        Raises Unauthenticated where the key holds no longer, and what `record_run` raises; then nothing is recorded.
        """
        order = Order(next(self._numbers), admission.digest, admission.actor.organization_id, run)
        waiting = _Waiting(order, asyncio.get_running_loop().create_future())
        self._waiting[order.number] = waiting
        if self._out is not None:
            _send(self._out, waiting)
        try:
            return await waiting.answer
        except Unauthenticated:
            self._gate.forget(admission)
            raise

    @property
    def is_busy(self) -> bool:
        """Whether a run is on its way."""
        return bool(self._waiting)

    async def close(self) -> None:
        self._is_closing = True
        if self._out is not None and not self._out.is_closing():
            self._out.write_eof()
        await self._following

    async def _follow(self) -> None:
        """Keep a process that records, and pass on what it answers, until this is closed and everyone is answered."""
        while not self._is_closing or self._waiting:
            try:
                process, answers, out = await self._start()
            except OSError:
                _log.exception("no process that records could be started")
            else:
                with suppress(asyncio.IncompleteReadError, ConnectionError):
                    await self._listen(answers)
                self._out = None
                out.close()
                code = await process.wait()
                if not self._is_closing:
                    _log.error("the process that records ended with %d: another one is started", code)
            if not self._is_closing:
                await asyncio.sleep(_PAUSE_S)

    async def _start(self) -> tuple[Process, StreamReader, StreamWriter]:
        mine, theirs = socket.socketpair()
        with theirs:
            # In a session of its own, for what is typed at a terminal is meant for the server.
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-P",
                "-m",
                "runcard.edge.recording",
                stdin=theirs.fileno(),
                start_new_session=True,
            )
        answers, out = await asyncio.open_unix_connection(sock=mine)
        out.write(message_of(Start(self._database.address)))
        self._hand_over_again(out)
        self._out = out
        if self._is_closing:
            out.write_eof()
        return process, answers, out

    def _hand_over_again(self, out: StreamWriter) -> None:
        for number, waiting in list(self._waiting.items()):
            if waiting.tries < _TRIES:
                waiting.order = replace(waiting.order, is_repeated=waiting.tries > 0)
                _send(out, waiting)
                continue
            del self._waiting[number]
            if not waiting.answer.done():
                waiting.answer.set_exception(RecordingFailed(f"{_TRIES} processes died of run {number}"))

    async def _listen(self, incoming: StreamReader) -> None:
        while True:
            (size,) = HEAD.unpack(await incoming.readexactly(HEAD.size))
            found = _decoder.decode(await incoming.readexactly(size))
            for answer in found.answers:
                future = self._waiting.pop(answer.number).answer
                if future.done():  # the caller has gone away; the run stands
                    continue
                if answer.run_id is None:
                    future.set_exception(unpickled(answer.error))
                else:
                    future.set_result(answer.run_id)
            if found.looks != self._looks:
                self._looks = found.looks
                self._database.renew_connections()


def _send(out: StreamWriter, waiting: _Waiting) -> None:
    if not out.is_closing():  # else its process has died, and the next one is handed what waits
        waiting.tries += 1
        out.write(message_of(waiting.order))
