"""The process that reads report files for a server: `python -m runcard.intake.parsing.process BYTES SECONDS`.

Its standard input is a socket, for requests and answers. It ends when the server closes its end or dies. The kernel
ends it if one answer takes more than SECONDS of processor time. If it needs more than BYTES of memory, it answers so.
"""

import io
import math
import os
import resource
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import BinaryIO, cast

from runcard.domain.errors import InvalidInput, PayloadTooLarge, UnreadableReport
from runcard.ingest import archives
from runcard.ingest.file_content import open_content
from runcard.ingest.import_groups import GroupLimits
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
    close_all,
    requests,
)
from runcard.intake.parsing.opened_file import FileReader

# The groups of a file that is larger than one group. They are so small that stations need not wait for them.
STEP = GroupLimits(reports=25, size_bytes=1 << 20)
# A process that has once used this much memory does not give it back, so it ends after its file.
_KEPT_BYTES = 256 << 20
_BUFFER_BYTES = 256 << 10


class SharedFile(io.RawIOBase):
    """A file of another process, read and written at its own position. The position of the other process stays."""

    def __init__(self, descriptor: int) -> None:
        super().__init__()
        self._descriptor = descriptor
        self._at = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at}.get(whence)
        self._at = offset + (os.fstat(self._descriptor).st_size if start is None else start)
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # what a BufferedReader gives
        count = os.preadv(self._descriptor, [buffer], self._at)
        self._at += count
        return count

    def write(self, content: memoryview, /) -> int:  # type: ignore[override]  # what a BufferedWriter gives
        count = os.pwrite(self._descriptor, content, self._at)
        self._at += count
        return count


class Reader:
    """Answers requests one after the other. Between Open and Close it has a file open."""

    def __init__(self, channel: Channel, cpu_s: int) -> None:
        self._channel = channel
        self._cpu_s = cpu_s
        self._open = ExitStack()
        self._file: FileReader | None = None

    def serve(self) -> None:
        """Answer requests until the other end is closed or this process must end."""
        while (message := self._channel.receive()) is not None:
            body, files = message
            if not self._answer(requests.decode(body), files):
                return

    def _answer(self, request: Request, files: Sequence[int]) -> bool:
        """Answer a request. Returns whether the process takes another request."""
        try:
            self._bound_time()
            for answer in self._answers(request, files):
                self._channel.send(answer)
                self._bound_time()
                if isinstance(answer, Done) and not answer.stays:
                    return False
        except (UnreadableReport, PayloadTooLarge, InvalidInput) as error:
            self._channel.send(Refused.of(error))
        return True

    def _answers(self, request: Request, files: Sequence[int]) -> Iterator[Answer]:
        match request:
            case ListMembers():
                names = archives.members(_reading(files[0]))
                close_all(files)
                yield Members(None if names is None else list(names))
            case Unpack(member):
                with io.BufferedRandom(SharedFile(files[1])) as written:
                    archives.unpack_member(_reading(files[0]), member, cast(BinaryIO, written))
                close_all(files)
                yield Done(stays=True)
            case Open():
                self._open.callback(close_all, files)
                content = self._open.enter_context(open_content(_reading(files[0])))
                self._file = FileReader(content, STEP, lambda: self._channel.send(Going()))
                yield Opened(self._file.digest, self._file.importer)
            case ReadGroups(reading, first):
                assert self._file is not None, "no file is open"
                for group in self._file.groups(reading, first):
                    yield GroupRead.of(group)
            case ReadHead():
                assert self._file is not None, "no file is open"
                yield HeadRead(self._file.head())
            case Close():
                self._file = None
                self._open.close()
                yield Done(stays=_peak_bytes() < _KEPT_BYTES)

    def _bound_time(self) -> None:
        """Let the kernel end this process once it has taken `cpu_s` more seconds of processor time."""
        _, hard = resource.getrlimit(resource.RLIMIT_CPU)
        resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + self._cpu_s, hard))


def _reading(descriptor: int) -> BinaryIO:
    return cast(BinaryIO, io.BufferedReader(SharedFile(descriptor), _BUFFER_BYTES))


def _peak_bytes() -> int:
    """The most memory that this process has used. The kernel's `ru_maxrss` starts with the memory of the parent."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return 0


def main() -> None:
    # A stop of the server may signal all its processes. This one ends after its present file.
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signal_number, signal.SIG_IGN)
    memory_bytes, cpu_s = (int(argument) for argument in sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    with socket.socket(fileno=0) as connection:
        channel = Channel(connection)
        # A server that has died needs no answer.
        with suppress(BrokenPipeError, ConnectionResetError):
            try:
                Reader(channel, cpu_s).serve()
            except MemoryError:
                message = (
                    f"Reading the file needs more than {memory_bytes} bytes of memory (import_memory_bytes). Split it, "
                    "or import it on the server: runcard import FILE."
                )
                channel.send(Refused("too large", message))


if __name__ == "__main__":
    main()
