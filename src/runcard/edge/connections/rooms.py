"""The websocket to which tofupilot clients before 1.11 stream a test while it runs. Nobody watches: it drops all."""

from collections.abc import Sequence
from typing import Self

from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping
from wsproto.utilities import generate_accept_token

ROOM_PATH = "/api/v1/rooms/nobody"

_VERSION = b"13"
_BODY_HEADERS = {b"content-length", b"transfer-encoding"}


class Room:
    """One websocket. A message is dropped piece by piece as it arrives, so its length does not matter.

    is_over: it has been closed, by either end.
    """

    def __init__(self, key: bytes) -> None:
        """key: what the client sent as Sec-WebSocket-Key."""
        self.is_over = False
        self._connection = Connection(ConnectionType.SERVER)
        self.welcome = (
            b"HTTP/1.1 101 Switching Protocols\r\n"
            b"upgrade: websocket\r\n"
            b"connection: upgrade\r\n"
            b"sec-websocket-accept: " + generate_accept_token(key) + b"\r\n\r\n"
        )

    @classmethod
    def asked_for(cls, url: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Self | None:
        """The room that a GET with `Upgrade: websocket` opens; None where it is a request like any other.

        headers: their names are in lower case.
        """
        said = dict(headers)
        key = said.get(b"sec-websocket-key")
        is_here = url == ROOM_PATH.encode("ascii") and said.get(b"sec-websocket-version") == _VERSION
        return cls(key) if is_here and key and not _BODY_HEADERS & said.keys() else None

    def answer(self, data: bytes) -> bytes:
        """What to send back for what has arrived: to a ping a pong, to a close a close, to all else nothing."""
        if self.is_over:
            return b""
        self._connection.receive_data(data)
        answers = []
        for event in self._connection.events():
            if isinstance(event, Ping | CloseConnection):
                answers.append(self._connection.send(event.response()))
            if isinstance(event, CloseConnection):
                self.is_over = True
                break
        return b"".join(answers)
