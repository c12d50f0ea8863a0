"""The websocket for tofupilot clients before 1.11, which stream a test while it runs. It drops all that they send."""

from collections.abc import Sequence
from typing import Self

from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Ping
from wsproto.utilities import generate_accept_token

ROOM_PATH = "/api/v1/rooms/nobody"

_VERSION = b"13"
_BODY_HEADERS = {b"content-length", b"transfer-encoding"}


class Room:
    """One websocket. It drops a message piece by piece as it arrives, so a message can be of any length.

    is_over: either end has closed it.
    """

    def __init__(self, key: bytes) -> None:
        """key: the Sec-WebSocket-Key that the client sent."""
        self.is_over = False
        self._connection = Connection(ConnectionType.SERVER)
        self.welcome = (
            b"HTTP/1.1 101 Switching Protocols\r\n"
            b"upgrade: websocket\r\n"
            b"connection: upgrade\r\n"
            b"sec-websocket-accept: " + generate_accept_token(key) + b"\r\n\r\n"
        )

    @classmethod
    def opened_by(cls, url: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Self | None:
        """The room that a GET with `Upgrade: websocket` opens; None if it is to be answered like any other request.

        headers: with names in lower case.
        """
        fields = dict(headers)
        key = fields.get(b"sec-websocket-key")
        is_here = url == ROOM_PATH.encode("ascii") and fields.get(b"sec-websocket-version") == _VERSION
        return cls(key) if is_here and key and not _BODY_HEADERS & fields.keys() else None

    def answer(self, data: bytes) -> bytes:
        """The answer to bytes that arrived: a pong to a ping, a close to a close, and nothing to anything else."""
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
