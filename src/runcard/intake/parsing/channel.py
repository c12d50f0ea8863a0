"""What a server and a process that reads files for it say to each other: MessagePack behind its length, over a socket.

Open files go with the request that is about them. A process that reads hostile files is not trusted with more than
data: what comes back is decoded as what it must be, and is no longer than one message may be.
"""

import os
import socket
from collections.abc import Sequence
from struct import Struct as Layout
from typing import Literal

import msgspec
from msgspec import Struct

from runcard.domain.errors import (
    InvalidInput,
    Issue,
    NotSaid,
    PayloadTooLarge,
    RuncardError,
    UnreadableReport,
)
from runcard.domain.floor.repair import RepairReport
from runcard.importers.formats import FormatName
from runcard.importers.tables.head import TableHead
from runcard.ingest.import_groups import ReportGroup
from runcard.ingest.record_run import PreparedRun
from runcard.intake.parsing.opened_file import Reading

# A group of reports has some megabytes; one report may have more.
MAX_MESSAGE_BYTES = 128 << 20
_MOST_FILES = 2
_HEAD = Layout("<I")


class ListMembers(Struct, frozen=True, tag=True):
    """Asks for the names of what lies in an archive, which comes with it."""


class Unpack(Struct, frozen=True, tag=True):
    """Asks for a member of an archive to be written to a file; both come with it."""

    member: str


class Open(Struct, frozen=True, tag=True):
    """Asks for a file to be opened, which comes with it."""


class Tell(Struct, frozen=True, tag=True):
    """Asks for what the file tells that is open, but the `first` reports."""

    reading: Reading
    first: int


class TellHead(Struct, frozen=True, tag=True):
    """Asks for the beginning of the file that is open, as a table."""


class Close(Struct, frozen=True, tag=True):
    """Asks for the file to be closed that is open."""


Request = ListMembers | Unpack | Open | Tell | TellHead | Close


class Members(Struct, frozen=True, tag=True):
    """names: None: it is no archive."""

    names: list[str] | None


class Opened(Struct, frozen=True, tag=True):
    digest: bytes
    importer: FormatName | None


class Going(Struct, frozen=True, tag=True):
    """The process is still at it."""


class Told(Struct, frozen=True, tag=True):
    """The next group. told: of each report what it is, a run or a repair."""

    first: int
    told: list[tuple[PreparedRun | None, RepairReport | None]]
    is_last: bool
    warnings: list[str] = []

    @classmethod
    def of(cls, group: ReportGroup) -> "Told":
        told = [_as_it_is(one) for one in group.told]
        return cls(group.first, told, group.is_last, list(group.warnings))

    @property
    def group(self) -> ReportGroup:
        told = [one for pair in self.told for one in pair if one is not None]
        return ReportGroup(self.first, told, self.is_last, self.warnings)


class ToldHead(Struct, frozen=True, tag=True):
    head: TableHead


class Done(Struct, frozen=True, tag=True):
    """stays: whether the process takes another request."""

    stays: bool


class Refused(Struct, frozen=True, tag=True):
    """What is wrong with the file. field: what it does not say."""

    kind: Literal["unreadable", "too large", "invalid", "not said"]
    message: str
    issues: list[tuple[tuple[str | int, ...], str]] = []
    field: str = ""

    @classmethod
    def of(cls, error: UnreadableReport | PayloadTooLarge | InvalidInput) -> "Refused":
        if isinstance(error, InvalidInput):
            issues = [(issue.path, issue.message) for issue in error.issues]
            if isinstance(error, NotSaid):
                return cls("not said", error.message, issues, error.field)
            return cls("invalid", error.message, issues)
        return cls("too large" if isinstance(error, PayloadTooLarge) else "unreadable", error.message)

    @property
    def error(self) -> RuncardError:
        issues = [Issue(path, message) for path, message in self.issues]
        match self.kind:
            case "invalid":
                return InvalidInput(issues)
            case "not said":
                return NotSaid(issues, self.field)
            case "too large":
                return PayloadTooLarge(self.message)
            case "unreadable":
                return UnreadableReport(self.message)


Answer = Members | Opened | Going | Told | ToldHead | Done | Refused

_encoder = msgspec.msgpack.Encoder()
requests = msgspec.msgpack.Decoder(Request)
answers = msgspec.msgpack.Decoder(Answer)


def _as_it_is(told: PreparedRun | RepairReport) -> tuple[PreparedRun | None, RepairReport | None]:
    return (None, told) if isinstance(told, RepairReport) else (told, None)


class Channel:
    """One end of the socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, content: Request | Answer, files: Sequence[int] = ()) -> None:
        """Raises OSError where the other end has gone; PayloadTooLarge for what is more than a message may be."""
        body = _encoder.encode(content)
        if len(body) > MAX_MESSAGE_BYTES:
            raise PayloadTooLarge(
                f"A report of the file takes more than {MAX_MESSAGE_BYTES} bytes once it is read. Split it."
            )
        head = _HEAD.pack(len(body))
        sent = socket.send_fds(self._connection, [head], files) if files else 0
        self._connection.sendall(head[sent:])
        self._connection.sendall(body)

    def receive(self) -> tuple[bytes, list[int]] | None:
        """The next message and the files that came with it; None where the other end has gone.

        Raises OSError, and ValueError for what is longer than a message may be.
        """
        head, files, _, _ = socket.recv_fds(self._connection, _HEAD.size, _MOST_FILES)
        rest = self._read(_HEAD.size - len(head)) if head else None
        if rest is None:
            return None
        (size,) = _HEAD.unpack(head + rest)
        if size > MAX_MESSAGE_BYTES:
            raise ValueError(f"a message of {size} bytes")
        body = self._read(size)
        return None if body is None else (body, files)

    def close(self) -> None:
        self._connection.close()

    def _read(self, size: int) -> bytes | None:
        body = bytearray(size)
        with memoryview(body) as rest:
            read = 0
            while read < size:
                if not (count := self._connection.recv_into(rest[read:])):
                    return None
                read += count
        return bytes(body)


def close_all(files: Sequence[int]) -> None:
    for one in files:
        os.close(one)
