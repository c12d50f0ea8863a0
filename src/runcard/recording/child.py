"""A process that records, as the server sees it: started, spoken to and ended."""

import asyncio
import socket
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import Process
from contextlib import suppress

from runcard.recording.orders import HEAD


class Child:
    """silence: of how many ticks, counted by whoever watches it. was_killed: by this server, and not by what it did."""

    def __init__(self, process: Process, incoming: StreamReader, outgoing: StreamWriter) -> None:
        self._process = process
        self._incoming = incoming
        self._outgoing = outgoing
        self.has_begun = False
        self.was_killed = False
        self.silence = 0

    @classmethod
    async def start(cls, message: bytes) -> "Child":
        """A fresh one, which is told this first. Raises OSError."""
        mine, theirs = socket.socketpair()
        try:
            with theirs:
                # In a session of its own, for what is typed at a terminal is meant for the server.
                process = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-P",
                    "-m",
                    "runcard.recording.process",
                    stdin=theirs.fileno(),
                    start_new_session=True,
                )
            incoming, outgoing = await asyncio.open_unix_connection(sock=mine)
        except BaseException:
            mine.close()
            raise
        outgoing.write(message)
        return cls(process, incoming, outgoing)

    async def receive(self) -> bytes:
        """The body of the next message. Raises IncompleteReadError or ConnectionError where it has ended."""
        (size,) = HEAD.unpack(await self._incoming.readexactly(HEAD.size))
        self.silence = 0
        return await self._incoming.readexactly(size)

    def send(self, message: bytes) -> None:
        if not self._outgoing.is_closing():  # else it has died, and the next one is handed what waits
            self._outgoing.write(message)

    def finish(self) -> None:
        """Let it end after what it was sent."""
        if not self._outgoing.is_closing() and self._outgoing.can_write_eof():
            self._outgoing.write_eof()

    def kill(self) -> None:
        self.was_killed = True
        with suppress(ProcessLookupError):
            self._process.kill()

    async def end(self, patience_s: float) -> int:
        """The code that it has ended with; it is killed where it takes longer than it is given."""
        self._outgoing.close()
        try:
            async with asyncio.timeout(patience_s):
                return await self._process.wait()
        except TimeoutError:
            self.kill()
            return await self._process.wait()

    async def wait(self) -> None:
        await self._process.wait()
