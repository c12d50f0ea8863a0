"""The messages between a server and a process that reads files for it: length and MessagePack, over a socket.

Open files are sent with the request for them. A process that reads hostile files is trusted with nothing but data: each
answer is decoded as the type that it must be, and has a limited size.
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

# A group of reports takes some megabytes; a single report may take more.
MAX_MESSAGE_BYTES = 128 << 20
_MOST_FILES = 2
_HEAD = Layout("<I")


class ListMembers(Struct, frozen=True, tag=True):
    """Asks for the names of the files in an archive, which is sent with it."""


class Unpack(Struct, frozen=True, tag=True):
    """Asks to write a member of an archive to a file. Archive and file are sent with it."""

    member: str


class Open(Struct, frozen=True, tag=True):
    """Asks to open a file, which is sent with it."""


class ReadGroups(Struct, frozen=True, tag=True):
    """Asks for the reports of the open file, without its `first` ones."""

    reading: Reading
    first: int


class ReadHead(Struct, frozen=True, tag=True):
    """Asks for the beginning of the open file, as a table."""


class Close(Struct, frozen=True, tag=True):
    """Asks to close the open file."""


Request = ListMembers | Unpack | Open | ReadGroups | ReadHead | Close


class Members(Struct, frozen=True, tag=True):
    """names: None: the file is no archive."""

    names: list[str] | None


class Opened(Struct, frozen=True, tag=True):
    digest: bytes
    importer: FormatName | None


class Going(Struct, frozen=True, tag=True):
    """The process is still at work."""


class GroupRead(Struct, frozen=True, tag=True):
    """The next group. reports: each is either a run or a repair."""

    first: int
    reports: list[tuple[PreparedRun | None, RepairReport | None]]
    is_last: bool
    warnings: list[str] = []

    @classmethod
    def of(cls, group: ReportGroup) -> "GroupRead":
        reports = [_run_or_repair(report) for report in group.reports]
        return cls(group.first, reports, group.is_last, list(group.warnings))

    @property
    def group(self) -> ReportGroup:
        reports = [report for pair in self.reports for report in pair if report is not None]
        return ReportGroup(self.first, reports, self.is_last, self.warnings)


class HeadRead(Struct, frozen=True, tag=True):
    head: TableHead


class Done(Struct, frozen=True, tag=True):
    """stays: whether the process takes another request."""

    stays: bool


class Refused(Struct, frozen=True, tag=True):
    """What is wrong with the file. field: the field of a run that the file lacks; empty: none."""

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


Answer = Members | Opened | Going | GroupRead | HeadRead | Done | Refused

_encoder = msgspec.msgpack.Encoder()
requests = msgspec.msgpack.Decoder(Request)
answers = msgspec.msgpack.Decoder(Answer)


def _run_or_repair(report: PreparedRun | RepairReport) -> tuple[PreparedRun | None, RepairReport | None]:
    return (None, report) if isinstance(report, RepairReport) else (report, None)


class Channel:
    """One end of the socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def send(self, content: Request | Answer, files: Sequence[int] = ()) -> None:
        """Send a message with these open files. Raises OSError if the other end is gone, and PayloadTooLarge."""
        body = _encoder.encode(content)
        if len(body) > MAX_MESSAGE_BYTES:
            raise PayloadTooLarge(
                f"A report of the file takes more than {MAX_MESSAGE_BYTES} bytes once it is read. Split the report."
            )
        head = _HEAD.pack(len(body))
        sent = socket.send_fds(self._connection, [head], files) if files else 0
        self._connection.sendall(head[sent:])
        self._connection.sendall(body)

    def receive(self) -> tuple[bytes, list[int]] | None:
        """The next message and the files that came with it; None if the other end is gone.

        Raises OSError, and ValueError for a message that is too long.
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
    for descriptor in files:
        os.close(descriptor)
