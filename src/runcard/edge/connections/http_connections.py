"""HTTP/1.1 as in uvicorn, with limits on what each connection takes and on how many connections there are.

uvicorn and httptools wait for ever, and the time that they take to join a header that arrives in pieces grows with the
square of its length. The clock here is read once in each sweep, so a request needs no timer.
"""

import asyncio
import logging
from asyncio import AbstractEventLoop, Transport
from enum import Enum
from typing import Any, cast

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from runcard.edge.connections.limits import ConnectionLimits
from runcard.edge.connections.refusals import (
    ALL_BUSY,
    BODY_TOO_SLOW,
    HEADERS_TOO_LARGE,
    HEADERS_TOO_SLOW,
    MALFORMED,
    MAX_HEADER_BYTES,
)
from runcard.edge.connections.rooms import Room

_log = logging.getLogger(__name__)

# How many connections of probes there may be besides all others.
_MOST_SPARE = 32
# How many refused connections may stay open to read the reason; others are closed at once.
_MOST_LINGERING = 64
_LOG_EVERY_S = 60.0
# " HTTP/1.1\r\n" after the target, the blank before it, and the empty line at the end.
_REQUEST_LINE_BYTES = 14


class RequestPhase(Enum):
    """How much of the newest request of a connection has arrived. REFUSED: all further bytes are dropped."""

    NONE = 0
    HEADERS = 1
    BODY = 2
    WHOLE = 3
    REFUSED = 4


class HttpConnections:
    """The connections of one server process. It makes one for each socket, in place of uvicorn's protocol class.

    At the limit, a new connection takes the place of another: of the oldest that never sent a request, else of the one
    that has been idle longest, else of one whose client is slow. If there is none of these, the new one is refused.

    spare_port: connections to this port are for probes. A few of them find room whatever the others take.
    """

    def __init__(self, limits: ConnectionLimits, spare_port: int | None = None) -> None:
        self.limits = limits
        self.spare_port = spare_port
        self.now_s = 0.0
        self.lingering = 0
        self._open: set[HttpConnection] = set()
        self._spare: set[HttpConnection] = set()
        # The connections that may be dropped, in this order.
        self._silent: dict[HttpConnection, None] = {}
        self._idle: dict[HttpConnection, None] = {}
        self._slow: list[HttpConnection] = []
        self._is_sweeping = False
        self._refused = 0
        self._logged_s = -_LOG_EVERY_S

    def __call__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: AbstractEventLoop | None = None,
    ) -> "HttpConnection":
        return HttpConnection(self, config, server_state, app_state, _loop)

    @property
    def as_protocol(self) -> type[asyncio.Protocol]:
        """This object as the class that uvicorn expects. uvicorn only ever calls it."""
        return cast(type[asyncio.Protocol], self)

    def enter(self, connection: "HttpConnection") -> bool:
        """Add a connection; return whether there is room for it. Makes room if it can."""
        if not self._is_sweeping:
            self._is_sweeping, self.now_s = True, connection.loop.time()
            connection.loop.call_later(self.limits.sweep_s, self._sweep, connection.loop)
        self._open.add(connection)
        if connection.is_spare and len(self._spare) < _MOST_SPARE:
            self._spare.add(connection)
            return True
        taken = len(self._open) - len(self._spare) - self.lingering
        if taken > self.limits.connections and not self._make_room():
            self._refused += 1
            return False
        self._silent[connection] = None
        return True

    def leave(self, connection: "HttpConnection") -> None:
        self._open.discard(connection)
        self._spare.discard(connection)
        self.occupy(connection)

    def occupy(self, connection: "HttpConnection") -> None:
        """Note that a connection has a request to answer, so that it is not dropped for another."""
        self._silent.pop(connection, None)
        self._idle.pop(connection, None)

    def release(self, connection: "HttpConnection") -> None:
        """Note that all requests of a connection are answered, so that it may be dropped for another."""
        if connection not in self._spare:
            self._idle[connection] = None

    def _make_room(self) -> bool:
        for droppable in (self._silent, self._idle):
            for connection in droppable:
                connection.drop()
                return True
        while self._slow:
            connection = self._slow.pop()
            if connection in self._open and connection.is_slow:
                connection.drop()
                return True
        return False

    def _sweep(self, loop: AbstractEventLoop) -> None:
        """Check every connection against its limits, and sweep again later while there are any."""
        self.now_s = loop.time()
        self._is_sweeping = bool(self._open)
        if self._is_sweeping:
            loop.call_later(self.limits.sweep_s, self._sweep, loop)
        for connection in list(self._open):
            connection.look(self.now_s)
        self._slow = [connection for connection in self._open if connection.is_slow]
        if self._refused and self.now_s - self._logged_s >= _LOG_EVERY_S:
            _log.warning(
                "Refused %d connections, because all %d were busy. Raise the limit of open files "
                "(LimitNOFILE in systemd, ulimit -n), or find out who opens so many connections.",
                self._refused,
                self.limits.connections,
            )
            self._refused, self._logged_s = 0, self.now_s


class HttpConnection(HttpToolsProtocol):
    """One connection. since_s: when its phase began, or the current stretch in which something must arrive.

    is_spare: it came to the port of probes.
    """

    def __init__(
        self,
        connections: HttpConnections,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        loop: AbstractEventLoop | None,
    ) -> None:
        super().__init__(config, server_state, app_state, loop)
        self._all = connections
        self._limits = connections.limits
        self.phase = RequestPhase.NONE
        self.since_s = 0.0
        self.is_slow = self.is_spare = False
        self._is_lingering = False
        # Numbers of bytes: arrived in all, arrived up to `since_s`, in the newest piece, and since the parser last got
        # further in a request.
        self._arrived = self._mark = self._piece = self._pending = 0
        self._unsent = -1
        self._refusal = MALFORMED
        self._room: Room | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override] # as uvicorn has it
        super().connection_made(transport)
        spare_port = self._all.spare_port
        self.is_spare = spare_port is not None and self.server is not None and self.server[1] == spare_port
        has_room = self._all.enter(self)
        self.since_s = self._all.now_s
        if not has_room:
            self.refuse(ALL_BUSY)

    def connection_lost(self, exc: Exception | None) -> None:
        self._all.leave(self)
        if self._is_lingering:
            self._all.lingering -= 1
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.phase is RequestPhase.REFUSED:
            return
        if self._room is not None:
            self._hear(self._room, data)
            return
        self._piece = len(data)
        self._arrived += self._piece
        self._pending += self._piece
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._change_protocol(data[upgrade.args[0] :])
        except httptools.HttpParserError:
            self.refuse(self._refusal)
        else:
            if self._pending > MAX_HEADER_BYTES and self.phase is not RequestPhase.WHOLE:
                self.refuse(HEADERS_TOO_LARGE)

    def on_message_begin(self) -> None:
        if self.phase is not RequestPhase.NONE:
            self._pending = 0  # the request begins inside a piece, and the bytes before belong to another
        self.phase, self.since_s = RequestPhase.HEADERS, self._all.now_s
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        # Headers are only added up if enough bytes have arrived to exceed the limit.
        if self._pending + self._piece > MAX_HEADER_BYTES and self._header_bytes() > MAX_HEADER_BYTES:
            self._refusal = HEADERS_TOO_LARGE
            raise ValueError("the headers are too large")
        self.phase, self.since_s = RequestPhase.BODY, self._all.now_s
        self._mark, self._pending = self._arrived, 0
        self._all.occupy(self)
        if self.parser.should_upgrade():
            self._room = self._requested_room()
        super().on_headers_complete()
        self.headers = []  # the scope has them; fields after a chunked body are no headers

    def on_body(self, body: bytes) -> None:
        # So only bytes outside the body count, such as fields after the last chunk, which are joined like headers.
        self._pending = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self.phase, self._pending, self.is_slow = RequestPhase.WHOLE, 0, False
        super().on_message_complete()
        if not self._is_answering() and not self.pipeline:
            self._rest()

    def on_response_complete(self) -> None:
        """Go on to the next request. This does what uvicorn does, without its timer."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self._rest()

    def _rest(self) -> None:
        self.since_s, self._mark = self._all.now_s, self._arrived
        if self.phase is RequestPhase.WHOLE:
            self.phase = RequestPhase.NONE
        self._all.release(self)

    def _should_upgrade(self) -> bool:
        return self._room is not None

    def _requested_room(self) -> Room | None:
        is_websocket = self.parser.get_method() == b"GET" and self._get_upgrade() == b"websocket"
        return Room.opened_by(self.url, self.headers) if is_websocket and not self._is_answering() else None

    def _change_protocol(self, data: bytes) -> None:
        """Change to a websocket if the request asked for one. It counts as idle, so it may be dropped for another."""
        if self._room is None:
            # The request is answered like any other, but the bytes after it are in an unknown protocol.
            self.cycle.keep_alive = False
        else:
            self.transport.write(self._room.welcome)
            self._hear(self._room, data)

    def _hear(self, room: Room, data: bytes) -> None:
        answer = room.answer(data)
        # A client that does not read its answers gets no more of them.
        if answer and not self.flow.write_paused:
            self.transport.write(answer)
        self._all.occupy(self)
        self._rest()
        if room.is_over:
            self.transport.close()

    def _header_bytes(self) -> int:
        fields = sum(len(name) + len(value) + 4 for name, value in self.headers)
        return len(self.parser.get_method()) + len(self.url) + _REQUEST_LINE_BYTES + fields

    def look(self, now_s: float) -> None:
        """Refuse or close this connection if it has waited too long."""
        limits, waited_s = self._limits, now_s - self.since_s
        if self.flow.write_paused or self.transport.is_closing():
            self._look_at_reader(now_s)
        elif self.phase is RequestPhase.NONE and waited_s >= limits.idle_s:
            self.transport.close()
        elif self._is_lingering and waited_s >= limits.linger_s:
            self.transport.abort()
        elif self.flow.read_paused:
            self.since_s = now_s  # this server is the one that does not read
        elif self.phase is RequestPhase.HEADERS and waited_s >= limits.headers_s:
            self.refuse(HEADERS_TOO_SLOW)
        elif self.phase is RequestPhase.BODY:
            self._look_at_sender(now_s)

    def _look_at_sender(self, now_s: float) -> None:
        if self.cycle.waiting_for_100_continue:
            self.since_s = now_s
        elif now_s - self.since_s >= self._limits.window_s:
            if self._arrived - self._mark < self._limits.window_bytes:
                self.refuse(BODY_TOO_SLOW)
            else:
                self.since_s, self._mark, self.is_slow = now_s, self._arrived, True

    def _look_at_reader(self, now_s: float) -> None:
        unsent = self.transport.get_write_buffer_size()
        if unsent != self._unsent:
            self.since_s, self._unsent, self.is_slow = now_s, unsent, False
        elif now_s - self.since_s >= self._limits.stalled_s:
            self.transport.abort()
        else:
            self.is_slow = now_s - self.since_s >= self._limits.window_s

    def resume_writing(self) -> None:
        self._unsent, self.is_slow = -1, False
        super().resume_writing()

    def refuse(self, answer: bytes) -> None:
        """Take in nothing more. Send `answer`, unless another answer is under way or has been sent."""
        is_of_body = self.phase is RequestPhase.BODY
        self.phase, self.since_s = RequestPhase.REFUSED, self._all.now_s
        self._all.occupy(self)
        self.flow.resume_reading()
        if is_of_body and (self.pipeline or self.cycle.response_started):
            self.transport.close()
        elif self._is_answering() and not is_of_body:
            self.cycle.keep_alive = False  # it closes after its last answer
        else:
            if is_of_body:
                self.cycle.disconnected = True
                self.cycle.message_event.set()
            self._end_with(answer)

    def _end_with(self, answer: bytes) -> None:
        self.transport.write(answer)
        if self._all.lingering >= _MOST_LINGERING:
            self.transport.close()
        else:
            # Closing now would reset a client that is still sending, before it has read the reason.
            self._all.lingering += 1
            self._is_lingering = True
            self.transport.write_eof()

    def drop(self) -> None:
        """Close this connection at once, so that another can take its place."""
        self._all.leave(self)
        self.transport.abort()

    def _is_answering(self) -> bool:
        # The cycle is None at first, although uvicorn's types do not say so.
        return self.cycle is not None and not self.cycle.response_complete  # type: ignore[redundant-expr]
