"""A server of HTTP connections over a small application, and raw connections to it."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.types import Receive, Scope, Send

from runcard.edge.connections.http_connections import HttpConnections
from runcard.edge.connections.limits import ConnectionLimits

DEADLINE_S = 30
_BIG_BYTES = 64 * 1024 * 1024


class Echo:
    """Answers with what it was sent. `/held` waits for `release`, and `/later` before it reads the body, which `/early`
    does not. `/big` is 64 MB. cut_short: a body ended before it was whole.
    """

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.cut_short = threading.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path = request.url.path
        if path == "/later":
            await self.release.wait()
        try:
            body = b"" if path == "/early" else await request.body()
        except ClientDisconnect:
            self.cut_short.set()
            return
        if path == "/held":
            await self.release.wait()
        if path == "/big":
            pieces = (b"x" * 65_536 for _ in range(_BIG_BYTES // 65_536))
            await StreamingResponse(pieces)(scope, receive, send)
            return
        headers = {name: len(value) for name, value in request.headers.items()}
        await JSONResponse({"path": path, "bytes": len(body), "headers": headers})(scope, receive, send)


class Served:
    """echo: the application, which lives in the thread of `loop`. limits: what its connections may take.

    spare_address: of the port for probes.
    """

    def __init__(self, limits: ConnectionLimits) -> None:
        self.echo = Echo()
        self._listeners = [socket.create_server(("127.0.0.1", 0), backlog=2048) for _ in range(2)]
        self.address, self.spare_address = (listener.getsockname() for listener in self._listeners)
        self.connections = HttpConnections(limits, self.spare_address[1])
        config = uvicorn.Config(
            self.echo,
            loop="uvloop",
            http=self.connections.as_protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            self._loop = runner.get_loop()
            runner.run(self._server.serve(self._listeners))

    def let_go(self) -> None:
        """Let `/held` and `/later` go on."""
        assert self._loop is not None
        self._loop.call_soon_threadsafe(self.echo.release.set)

    def stop(self) -> None:
        self.let_go()
        self._server.should_exit = True
        self._thread.join(DEADLINE_S)
        assert not self._thread.is_alive()


class Answer:
    def __init__(self, head: bytes, body: bytes) -> None:
        lines = head.decode("ascii").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])
        }
        self.json = json.loads(body)


class Line:
    """A connection, of which every byte is told."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.socket = socket.create_connection(address, timeout=DEADLINE_S)
        self._file = self.socket.makefile("rb")

    def send(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.socket.sendall(piece)

    def answer(self) -> Answer:
        """The next answer, whole."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            line = self._file.readline()
            assert line, f"the connection ended after {head!r}"
            head += line
        answer = Answer(head.removesuffix(b"\r\n\r\n"), b"null")
        body = self._file.read(int(answer.headers["content-length"]))
        return Answer(head.removesuffix(b"\r\n\r\n"), body)

    def interim(self) -> bytes:
        """The next answer before the answer, such as 100 Continue."""
        line = self._file.readline()
        assert self._file.readline() == b"\r\n"
        return line

    def is_closed(self) -> bool:
        """Whether the server ends this connection without another byte; waits for it."""
        try:
            return self._file.read(1) == b""
        except ConnectionError:
            return True

    def close(self) -> None:
        self._file.close()
        self.socket.close()


@contextmanager
def line(served: Served) -> Iterator[Line]:
    with closing(Line(served.address)) as opened:
        yield opened


@contextmanager
def spare_line(served: Served) -> Iterator[Line]:
    """One to the port for probes."""
    with closing(Line(served.spare_address)) as opened:
        yield opened
