"""The recording process as the server sees it: how it is started, sent messages and ended."""

import asyncio
import socket
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import Process
from contextlib import suppress

from runcard.recording.orders import HEAD

# The module that a recording process runs.
PROGRAM = "runcard.recording.process"


class Child:
    """silence: ticks since its last message; the watcher counts them. was_killed: this server killed the process."""

    def __init__(self, process: Process, incoming: StreamReader, outgoing: StreamWriter) -> None:
        self._process = process
        self._incoming = incoming
        self._outgoing = outgoing
        self.has_begun = False
        self.was_killed = False
        self.silence = 0

    @classmethod
    async def start(cls, message: bytes) -> "Child":
        """A new process; `message` is the first that it receives. Raises OSError."""
        mine, theirs = socket.socketpair()
        try:
            with theirs:
                # In a session of its own, so that Ctrl+C at a terminal reaches only the server.
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-P",
                    "-m",
                    PROGRAM,
                    stdin=theirs.fileno(),
                    start_new_session=True,
                )
            incoming, outgoing = await asyncio.open_unix_connection(sock=mine)
        except BaseException:
            mine.close()
            raise
        outgoing.write(message)
        return cls(process, incoming, outgoing)

    @property
    def process_id(self) -> int:
        return self._process.pid

    async def receive(self) -> bytes:
        """The body of the next message. Raises IncompleteReadError or ConnectionError where the process has ended."""
        (size,) = HEAD.unpack(await self._incoming.readexactly(HEAD.size))
        self.silence = 0
        return await self._incoming.readexactly(size)

    def send(self, message: bytes) -> None:
        if not self._outgoing.is_closing():  # else the process has died, and the next one gets what waits
            self._outgoing.write(message)

    def finish(self) -> None:
        """Let the process end after everything that was sent to it."""
        if not self._outgoing.is_closing() and self._outgoing.can_write_eof():
            self._outgoing.write_eof()

    def kill(self) -> None:
        self.was_killed = True
        with suppress(ProcessLookupError):
            self._process.kill()

    async def end(self, patience_s: float) -> int:
        """End the process and return its exit code. It is killed if it takes longer than `patience_s`."""
        self._outgoing.close()
        try:
            async with asyncio.timeout(patience_s):
                return await self._process.wait()
        except TimeoutError:
            self.kill()
            return await self._process.wait()

    async def wait(self) -> None:
        await self._process.wait()
