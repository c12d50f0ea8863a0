"""Noting each call of an API as it is answered.

What is done here is done on the way of every run, so it is next to nothing; `activity.log` makes calls of notes.
"""

import re
import time
from collections import deque
from typing import NamedTuple

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Of a request's body and of the answer: enough to see what was wrong.
MOST_BODY_BYTES = 8000
# Far more than arrive between two writes; beyond it the oldest are dropped.
MOST_WAITING = 20_000

_API = re.compile(r"/+(?:api|v[12])(?=/|$)(?!/+(?:docs|openapi\.json))", re.IGNORECASE)


class Note(NamedTuple):
    """A call that was answered. at_s: when, since 1970. route: None where it was called past routing.

    query, body, answer: empty where it did not fail; the latter two may be cut short.
    """

    at_s: float
    duration_s: float
    status: int
    method: str
    path: str
    route: BaseRoute | None
    headers: list[tuple[bytes, bytes]]
    query: bytes
    body: bytes
    answer: bytes


Notes = deque[Note]


def new_notes() -> Notes:
    return deque(maxlen=MOST_WAITING)


class NotedCalls:
    """Passes everything on and adds a note of each call of an API to `notes`, before its caller has the answer."""

    def __init__(self, app: ASGIApp, notes: Notes) -> None:
        self._app = app
        self._notes = notes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _API.match(scope["path"]):
            await self._app(scope, receive, send)
            return
        call = _Call(scope, receive, send, self._notes)
        try:
            await self._app(scope, call.receive, call.send)
        finally:
            call.note()


class _Call:
    __slots__ = ("answer", "body", "is_noted", "notes", "pass_on", "scope", "started_s", "status", "take")

    def __init__(self, scope: Scope, receive: Receive, send: Send, notes: Notes) -> None:
        self.scope, self.take, self.pass_on, self.notes = scope, receive, send, notes
        self.started_s = time.perf_counter()
        # What is told to whoever gets no answer.
        self.status = 500
        self.body = self.answer = b""
        self.is_noted = False

    async def receive(self) -> Message:
        message = await self.take()
        room = MOST_BODY_BYTES - len(self.body)
        if room > 0:
            self.body += message.get("body", b"")[:room]
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        elif message["type"] == "http.response.body":
            if self.status >= 400:
                self.answer += message.get("body", b"")[: MOST_BODY_BYTES - len(self.answer)]
            if not message.get("more_body", False):
                self.note()
        await self.pass_on(message)

    def note(self) -> None:
        if self.is_noted:
            return
        self.is_noted = True
        scope, has_failed = self.scope, self.status >= 400
        self.notes.append(
            Note(
                time.time(),
                time.perf_counter() - self.started_s,
                self.status,
                scope["method"],
                scope["path"],
                scope.get("route"),
                scope["headers"],
                scope["query_string"] if has_failed else b"",
                self.body if has_failed else b"",
                self.answer,
            )
        )
