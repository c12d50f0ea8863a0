"""Reads take turns, so that stations come first (ADR 35).

One key or session may have a few questions, lists, exports and pages at once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runcard.domain.errors import TooManyReads
from runcard.edge.fair_share import LONGEST_REST_S, FairShare, ShareLimits, ShareQueue
from runcard.edge.requests.services import services_of

# Paths that cost little, or that stations need for their work.
_FREE = ("/static/", "/files/", "/api/cli/")
# How long the server waits for a client to take one piece of an answer.
_TAKEN_WITHIN_S = 30.0

_LIMITS = ShareLimits(at_once=4, each=2)
_WHILE_STATIONS_REPORT = ShareLimits(at_once=2, each=1)
_QUEUE = ShareQueue(most=32, wait_s=10.0, refusal=TooManyReads)

Answer = Callable[[Request, Exception], Awaitable[ASGIApp]]
# The secret of the session that a browser is logged in with.
SessionOf = Callable[[Request], str | None]


def share_of_reads(stations_report: Callable[[], bool]) -> FairShare:
    """The turns of all reads of a server. stations_report: whether stations report at this moment."""
    return FairShare(_LIMITS, _QUEUE, _WHILE_STATIONS_REPORT, stations_report)


class _NotTaken(Exception):
    """The client does not take its answer."""


class ReadsInTurn:
    """Lets a read into `app` when its turn comes. A request without key and session passes at once."""

    def __init__(
        self, app: ASGIApp, session_of: SessionOf, answer: Answer, taken_within_s: float = _TAKEN_WITHIN_S
    ) -> None:
        self._app = app
        self._session_of = session_of
        self._answer = answer
        self._taken_within_s = taken_within_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = self._caller(scope)
        if caller is None:
            await self._app(scope, receive, send)
            return
        turns = services_of(scope).shares.reading
        try:
            async with turns.taken(caller):
                await self._app(scope, receive, _Paced(send, turns.is_busy, self._taken_within_s))
        except _NotTaken:
            return  # the server closes a connection whose answer has no end
        except TooManyReads as error:
            response = await self._answer(Request(scope), error)
            await response(scope, receive, send)

    def _caller(self, scope: Scope) -> str | None:
        """The caller whose turn a request must wait for; None if it passes at once."""
        if (
            scope["type"] != "http"
            or scope["method"] not in ("GET", "HEAD")
            or scope["path"].startswith(_FREE)
        ):
            return None
        request = Request(scope)
        return request.headers.get("authorization") or self._session_of(request)


class _Paced:
    """Sends an answer, and rests after each piece while stations report. Raises _NotTaken if a client does not read."""

    def __init__(self, send: Send, is_busy: Callable[[], bool], taken_within_s: float) -> None:
        self._send = send
        self._is_busy = is_busy
        self._taken_within_s = taken_within_s
        self._began_at = time.monotonic()

    async def __call__(self, message: Message) -> None:
        made_s = time.monotonic() - self._began_at
        try:
            async with asyncio.timeout(self._taken_within_s):
                await self._send(message)
        except TimeoutError as error:
            raise _NotTaken from error
        if message.get("more_body", False) and self._is_busy():
            await asyncio.sleep(min(made_s, LONGEST_REST_S))
        self._began_at = time.monotonic()
