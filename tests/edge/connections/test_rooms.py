"""The websocket that drops all, seen from its other end."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Ping, Pong, TextMessage

from runcard.edge.connections.limits import ConnectionLimits
from runcard.edge.connections.rooms import ROOM_PATH, Room
from tests.edge.connections.echo import Line, Served, line

# The key and the answer to it of RFC 6455, section 1.3.
KEY, ACCEPT = b"dGhlIHNhbXBsZSBub25jZQ==", b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
HEADERS = {
    b"Host": b"x",
    b"Upgrade": b"websocket",
    b"Connection": b"keep-alive, Upgrade",
    b"Sec-WebSocket-Key": KEY,
    b"Sec-WebSocket-Version": b"13",
}
CLOSED = CloseConnection(1000)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    """One that hardly waits for idle connections."""
    served = Served(ConnectionLimits(100, idle_s=1, stalled_s=0.4, sweep_s=0.05))
    yield served
    served.stop()


def opening(
    path: str = ROOM_PATH, method: bytes = b"GET", headers: dict[bytes, bytes] | None = None
) -> bytes:
    said = HEADERS | (headers or {})
    fields = b"".join(b"%s: %s\r\n" % field for field in said.items() if field[1])
    return b"%s %s HTTP/1.1\r\n%s\r\n" % (method, path.encode(), fields)


class Caller:
    """A client in the room of a line."""

    def __init__(self, opened: Line, *first: Event) -> None:
        """first: what it says before it has been let in."""
        self._line = opened
        self._connection = Connection(ConnectionType.CLIENT)
        opened.send(opening() + self._bytes(*first))
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += opened.socket.recv(1)
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"sec-websocket-accept: " + ACCEPT + b"\r\n" in head

    def _bytes(self, *events: Event) -> bytes:
        return b"".join(self._connection.send(event) for event in events)

    def say(self, *events: Event) -> None:
        self._line.send(self._bytes(*events))

    def answer(self) -> Event:
        while True:
            for event in self._connection.events():
                return event
            self._connection.receive_data(self._line.socket.recv(65_536) or None)


def test_a_test_is_streamed_to_its_end(served: Served):
    with line(served) as one:
        caller = Caller(one, TextMessage("before I am let in"), Ping(b"1"))
        assert caller.answer() == Pong(b"1")
        caller.say(TextMessage("a" * 5_000_000), BytesMessage(b"\x00\xff" * 50_000), Ping(b"2"))
        assert caller.answer() == Pong(b"2")
        caller.say(CLOSED)
        answer = caller.answer()
        assert isinstance(answer, CloseConnection)
        assert answer.code == CLOSED.code
        assert one.is_closed()


def test_what_is_no_websocket_is_closed(served: Served):
    with line(served) as one:
        caller = Caller(one)
        one.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert isinstance(caller.answer(), CloseConnection)
        assert one.is_closed()


def test_a_room_where_nothing_is_said_is_closed(served: Served):
    with line(served) as one:
        Caller(one)
        assert one.is_closed()


def test_a_room_gives_its_place_to_another():
    full = Served(ConnectionLimits(2))
    try:
        with line(full) as one, line(full) as two:
            Caller(one)
            Caller(two)
            with line(full) as station:
                station.send(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
                assert station.answer().status == 200
                assert one.is_closed()
    finally:
        full.stop()


def test_one_who_does_not_read_is_given_up(served: Served):
    with line(served) as one:
        caller = Caller(one)
        with pytest.raises(ConnectionError):  # noqa: PT012 (it is closed at some time)
            while True:
                caller.say(*[Ping(b"p" * 125)] * 1000)


@pytest.mark.parametrize(
    "asked",
    [
        {"path": "/api/v1/rooms"},
        {"method": b"POST"},
        {"headers": {b"Connection": b"keep-alive"}},
        {"headers": {b"Upgrade": b"h2c"}},
        {"headers": {b"Sec-WebSocket-Version": b"8"}},
        {"headers": {b"Sec-WebSocket-Key": b""}},
        {"headers": {b"Content-Length": b"3"}},
    ],
    ids=str,
)
def test_any_other_request_is_answered_as_ever(served: Served, asked):
    with line(served) as one:
        one.send(opening(**asked), b"abc")
        assert one.answer().status == 200


def test_a_request_that_waits_for_its_answer_is_not_passed_over(served: Served):
    with line(served) as one:
        one.send(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n" + opening())
        served.let_go()
        assert one.answer().json["path"] == "/held"
        assert one.answer().json["path"] == ROOM_PATH


@given(st.lists(st.binary(min_size=1), max_size=5))
def test_nothing_that_arrives_is_an_error(pieces: list[bytes]):
    room = Room(KEY)
    for piece in pieces:
        assert len(room.answer(piece)) <= len(piece) + 125
