"""Note each API call as it is answered.

This code runs for every run that is recorded, so it does as little as possible; `activity.log` does the rest later.
"""

import re
import time
from collections import deque
from typing import NamedTuple

from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runcard.request_ids import request_id

# Bytes that are kept of a request's body and of its answer: enough to see what was wrong.
MOST_BODY_BYTES = 8000
# Far more calls than arrive between two writes. If there are more, the oldest are dropped.
MOST_WAITING = 20_000

_API = re.compile(r"/+(?:api|v[12])(?=/|$)(?!/+(?:docs|openapi\.json))", re.IGNORECASE)


class Note(NamedTuple):
    """An answered call. at_s: when it was answered, since 1970. route: None for a path that is called without routing.

    query, body, answer: empty unless the call failed; body and answer may be cut short.
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
    request_id: str | None = None


Notes = deque[Note]


def new_notes() -> Notes:
    return deque(maxlen=MOST_WAITING)


class NotedCalls:
    """Passes every request on and adds a note of each API call to `notes`, before the caller has the answer."""

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
        # The status of a call that ends without an answer.
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
                request_id(),
            )
        )
