"""Records the runs that a server hands over, in a process of its own: `python -m runcard.recording.process`.

Its standard input is a socket: orders come in, answers go out. The process ends when the server closes its end or dies.
It sends signs of life, with or without orders. The server ends and replaces a process that falls silent (ADR 30).
"""

import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from logging.config import dictConfig
from uuid import UUID

import msgspec

from runcard.ingest.record_run import record_run
from runcard.log_lines import logging_as
from runcard.recording.interpreter import hurry
from runcard.recording.orders import BEAT_S, HEAD, Answers, OrderAnswer, RunOrder, Start, message_of, pickled
from runcard.store.commit.group_commit import MAX_GROUP, GroupCommit, Outcome, Write
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.engine.database import Database
from runcard.store.runs.rows import is_recorded

_READ_BYTES = 256 * 1024
_decoder = msgspec.msgpack.Decoder(RunOrder)


class Incoming:
    """The messages that arrive through a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._arrived = bytearray()
        self._read = memoryview(bytearray(_READ_BYTES))

    def wait(self, at_most: int) -> list[bytes]:
        """Wait for messages and return their bodies, 1 to `at_most`; none once the other end is closed."""
        while not (found := self._take(at_most)):
            size = self._connection.recv_into(self._read)
            if not size:
                return []
            self._arrived += self._read[:size]
        return found

    def _take(self, at_most: int) -> list[bytes]:
        found: list[bytes] = []
        start = 0
        with memoryview(self._arrived) as arrived:
            while len(found) < at_most and len(arrived) - start >= HEAD.size:
                (size,) = HEAD.unpack_from(arrived, start)
                end = start + HEAD.size + size
                if len(arrived) < end:
                    break
                found.append(bytes(arrived[start + HEAD.size : end]))
                start = end
        del self._arrived[:start]
        return found


class Outgoing:
    """Sends answers, and signs of life between them."""

    def __init__(self, connection: socket.socket, database: Database) -> None:
        self._connection = connection
        self._database = database
        self._lock = threading.Lock()

    def send(self, answers: list[OrderAnswer]) -> None:
        message = message_of(Answers(answers, self._database.statistics_renewals))
        with self._lock:
            self._connection.sendall(message)

    @contextmanager
    def alive(self) -> Iterator[None]:
        """A block during which another thread sends signs of life. That thread never waits for what orders wait for."""
        over = threading.Event()

        def beat() -> None:
            with suppress(OSError):  # the server has died
                while not over.is_set():
                    self.send([])
                    over.wait(BEAT_S)

        thread = threading.Thread(target=beat, name="runcard-beat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def record_orders(connection: socket.socket) -> None:
    """Answer all orders that come through this socket until it is closed. The first message is a Start."""
    incoming = Incoming(connection)
    started = incoming.wait(1)
    if not started:
        return
    start = msgspec.msgpack.decode(started[0], type=Start)
    dictConfig(logging_as(start.log_format))
    with _failing(silently=start.is_retry):
        database = Database.at(start.database_url)
        commits = GroupCommit(database)
    outgoing = Outgoing(connection, database)
    with outgoing.alive():
        try:
            while group := [_decoder.decode(body) for body in incoming.wait(MAX_GROUP)]:
                outcomes = commits.commit([_write_of(order) for order in group])
                outgoing.send(
                    [_answer(order, outcome) for order, outcome in zip(group, outcomes, strict=True)]
                )
                del group, outcomes
                commits.rest()
        finally:
            commits.close()
            database.close()


@contextmanager
def _failing(*, silently: bool) -> Iterator[None]:
    """A block whose errors end the process. silently: without a traceback, because the log has it already."""
    try:
        yield
    except Exception:
        if silently:
            sys.exit(1)
        raise


def _write_of(order: RunOrder) -> Write:
    is_repeated = order.is_repeated

    def apply(shared: SharedTransaction) -> UUID:
        nonlocal is_repeated
        actor = shared.catalog.actor(order.key_digest, shared.now)
        tx = shared.of(actor)
        if is_repeated and is_recorded(tx.scope, order.run.id):
            return order.run.id
        # A second call means that the commit failed or that its answer was lost.
        is_repeated = True
        return record_run(tx, actor, order.run)

    return Write(apply, order.run.unit_keys(order.organization_id), changes_catalog=False)


def _answer(order: RunOrder, outcome: Outcome) -> OrderAnswer:
    if outcome.error is not None:
        return OrderAnswer(order.number, None, pickled(outcome.error))
    return OrderAnswer(order.number, outcome.value)


def main() -> None:
    # A stop of the server may signal all its processes, but this one ends only after the last order.
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, signal.SIG_IGN)
    hurry()
    # A server that has died needs no answer.
    with socket.socket(fileno=0) as connection, suppress(BrokenPipeError, ConnectionResetError):
        record_orders(connection)


if __name__ == "__main__":
    main()
