"""Processes that read files for a server, so that no hostile or large file makes a station wait (ADR 32)."""

import io
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from threading import Lock, Semaphore
from typing import BinaryIO, NamedTuple, TypeVar

import msgspec

from runcard.domain.errors import PayloadTooLarge, RuncardError, UnreadableReport
from runcard.importers.formats import FormatName
from runcard.importers.tables.head import TableHead
from runcard.ingest.import_groups import ReportGroup
from runcard.intake.parsing.channel import (
    Answer,
    Channel,
    Close,
    Done,
    Going,
    GroupRead,
    HeadRead,
    ListMembers,
    Members,
    Open,
    Opened,
    ReadGroups,
    ReadHead,
    Refused,
    Request,
    Unpack,
    answers,
)
from runcard.intake.parsing.opened_file import OpenedFile, Reading

_log = logging.getLogger(__name__)

_MOST = 2
# Files larger than this leave one process free for small files, which stations send.
_SMALL_BYTES = 1 << 20
# Times `cpu_s`: the seconds of silence after which a process counts as stopped. By then it has used up its time.
_SILENCE = 10
# After stations, and before work that nobody waits for.
_NICENESS = 10
_SPLIT = "Split it, or import it on the server: runcard import FILE."

T = TypeVar("T")


class ParserBounds(NamedTuple):
    """The limits for reading one file. cpu_s: processor time from one group of its reports to the next."""

    memory_bytes: int
    cpu_s: int


class Parsers:
    """At most two processes, which are started when they are needed; a third file waits. `close` ends them.

    patience_s: how long to wait for the answer of a process that stands back for all others.
    """

    def __init__(self, bounds: ParserBounds, patience_s: float = 2.0) -> None:
        self._bounds = bounds
        self._patience_s = patience_s
        self._free = Semaphore(_MOST)
        self._free_for_large = Semaphore(_MOST - 1)
        self._lock = Lock()
        self._idle: list[_Parser] = []

    @contextmanager
    def open(self, file: BinaryIO) -> Iterator[OpenedFile]:
        """A report file, opened in one of the processes. Raises UnreadableReport and PayloadTooLarge."""
        with _as_descriptor(file) as descriptor, self._borrowed(descriptor) as parser:
            opened = parser.ask(Open(), Opened, descriptor)
            yield _FileElsewhere(parser, opened)

    def members(self, file: BinaryIO) -> Sequence[str] | None:
        """As `archives.members`. Raises UnreadableReport and PayloadTooLarge if it takes too much memory or time."""
        with _as_descriptor(file) as descriptor, self._borrowed(descriptor) as parser:
            return parser.ask(ListMembers(), Members, descriptor).names

    @contextmanager
    def open_member(self, file: BinaryIO, name: str) -> Iterator[BinaryIO]:
        """As `archives.open_member`."""
        with tempfile.TemporaryFile() as member:
            with _as_descriptor(file) as descriptor, self._borrowed(descriptor) as parser:
                parser.ask(Unpack(name), Done, descriptor, member.fileno())
            member.seek(0)
            yield member

    def close(self) -> None:
        with self._lock:
            while self._idle:
                self._idle.pop().kill()

    @contextmanager
    def _borrowed(self, descriptor: int) -> Iterator["_Parser"]:
        is_large = os.fstat(descriptor).st_size > _SMALL_BYTES
        with self._free_for_large if is_large else nullcontext(), self._free:
            parser = self._take()
            try:
                yield parser
                stays = parser.is_resting and parser.ask(Close(), Done).stays
            except BaseException:
                stays = parser.is_resting and _closes(parser)
                raise
            finally:
                if stays and parser.stands_back:
                    self._idle.append(parser)
                else:
                    parser.kill()

    def _take(self) -> "_Parser":
        """A process that stands back for all others, or if that gets no processor, one that only has a low priority."""
        parser = self._idle_one() or _Parser(self._bounds)
        if parser.answers_within(self._patience_s):
            return parser
        parser.kill()
        return _Parser(self._bounds, stands_back=False)

    def _idle_one(self) -> "_Parser | None":
        with self._lock:
            while self._idle:
                parser = self._idle.pop()
                if parser.is_alive:
                    return parser
        return None


class _FileElsewhere:
    """A file that is open in another process."""

    def __init__(self, parser: "_Parser", opened: Opened) -> None:
        self._parser = parser
        self._opened = opened

    @property
    def digest(self) -> bytes:
        return self._opened.digest

    @property
    def importer(self) -> FormatName | None:
        return self._opened.importer

    def head(self) -> TableHead:
        return self._parser.ask(ReadHead(), HeadRead).head

    def groups(self, reading: Reading, first: int = 0) -> Iterator[ReportGroup]:
        answer = self._parser.ask(ReadGroups(reading, first), GroupRead)
        yield answer.group
        while not answer.is_last:
            answer = self._parser.hear(GroupRead)
            yield answer.group


class _Parser:
    """One process. stands_back: it runs only when no other process wants the processor. is_resting: it has answered
    every request.
    """

    def __init__(self, bounds: ParserBounds, *, stands_back: bool = True) -> None:
        self._bounds = bounds
        self.stands_back = stands_back
        mine, theirs = socket.socketpair()
        with theirs:
            # In a session of its own: a Ctrl-C at the terminal is meant for the server.
            self._process = subprocess.Popen(  # noqa: S603 (this program, and two numbers)
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "runcard.intake.parsing.process",
                    *(str(bound) for bound in bounds),
                ],
                stdin=theirs.fileno(),
                start_new_session=True,
            )
        _stand_back(self._process.pid, for_all=stands_back)
        self._connection = mine
        self._channel = Channel(mine)
        self.is_resting = True

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def answers_within(self, seconds: float) -> bool:
        """Whether the process has started and gets a processor: it answers within these seconds."""
        self._connection.settimeout(seconds)
        try:
            self._channel.send(Close())
            return self._channel.receive() is not None
        except OSError:
            return False
        finally:
            self._connection.settimeout(_SILENCE * self._bounds.cpu_s)

    def ask(self, request: Request, kind: type[T], *files: int) -> T:
        """The first answer to a request. Raises the fault of the file, and UnreadableReport if the process dies."""
        self.is_resting = False
        try:
            self._channel.send(request, files)
        except OSError as error:
            raise self._death() from error
        return self.hear(kind)

    def hear(self, kind: type[T]) -> T:
        """The next answer. Raises the same as `ask`."""
        answer = self._next()
        while isinstance(answer, Going):
            answer = self._next()
        self.is_resting = not isinstance(answer, GroupRead) or answer.is_last
        if isinstance(answer, Refused):
            raise answer.error
        assert isinstance(answer, kind), f"{type(answer).__name__} is no answer to that"
        return answer

    def kill(self) -> None:
        self._channel.close()
        self._process.kill()
        self._process.wait()

    def _next(self) -> Answer:
        try:
            message = self._channel.receive()
            if message is not None:
                answer: Answer = answers.decode(message[0])
                return answer
        except (OSError, ValueError, msgspec.MsgspecError) as error:
            self._process.kill()
            raise self._death() from error
        raise self._death()

    def _death(self) -> RuncardError:
        """The error for the end of the process, by its exit code."""
        code = self._process.wait()
        if code == -signal.SIGXCPU:
            return PayloadTooLarge(
                f"Reading the file takes more than {self._bounds.cpu_s} s of processor time (import_cpu_s). {_SPLIT}"
            )
        _log.error("a process that reads files ended with exit code %d", code)
        return UnreadableReport(
            f"The process that read the file ended with {code}, perhaps because it needs more than "
            f"{self._bounds.memory_bytes} bytes of memory (import_memory_bytes). {_SPLIT}"
        )


def _stand_back(pid: int, *, for_all: bool) -> None:
    """Give a process a low priority. for_all: let it run only when no other process wants the processor.

    This is done at its start, because a small file takes little more than the start. Without a privilege it cannot be
    undone for a process that stands back for all.
    """
    with suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, 0) + _NICENESS)
        if for_all and sys.platform == "linux":
            os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))


def _closes(parser: _Parser) -> bool:
    try:
        return parser.ask(Close(), Done).stays
    except RuncardError:
        return False


@contextmanager
def _as_descriptor(file: BinaryIO) -> Iterator[int]:
    """A descriptor of a file: its own, or that of a copy if the file is in memory."""
    try:
        descriptor = file.fileno()
    except io.UnsupportedOperation:
        with tempfile.TemporaryFile() as copy:
            file.seek(0)
            shutil.copyfileobj(file, copy)
            copy.flush()
            yield copy.fileno()
        return
    file.flush()
    yield descriptor
