"""What is noted of a call, and of which."""

import asyncio
from typing import Any, NamedTuple

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runcard.activity.noted_calls import MOST_BODY_BYTES, NotedCalls, Notes, new_notes


def answering(status: int, *parts: bytes, reads: int = 1) -> ASGIApp:
    """An application that reads the body and answers it in parts."""

    async def answer(_scope: Scope, receive: Receive, send: Send) -> None:
        for _ in range(reads):
            await receive()
        await send({"type": "http.response.start", "status": status, "headers": []})
        for number, part in enumerate(parts, 1):
            await send({"type": "http.response.body", "body": part, "more_body": number < len(parts)})

    return answer


async def breaking(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise ZeroDivisionError


class Seen(NamedTuple):
    """noted: how many notes there were as each message was sent on."""

    notes: Notes
    sent: list[Message]
    noted: list[int]


def call(
    app: ASGIApp, path: str = "/api/v2/runs", *body: bytes, notes: Notes | None = None, **scope: Any
) -> Seen:
    seen = Seen(new_notes() if notes is None else notes, [], [])
    waiting = [{"type": "http.request", "body": part, "more_body": True} for part in (body or [b""])]

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        seen.sent.append(message)
        seen.noted.append(len(seen.notes))

    usual = {"type": "http", "method": "POST", "path": path, "headers": [], "query_string": b"a=1"}

    async def run() -> None:
        await NotedCalls(app, seen.notes)(usual | scope, receive, send)

    asyncio.run(run())
    return seen


def test_of_a_success_neither_query_nor_body_is_kept():
    seen = call(answering(200, b"o", b"k"), "/api/v2/runs", b"secret")
    assert [message.get("body") for message in seen.sent] == [None, b"o", b"k"]
    [note] = seen.notes
    assert (note.status, note.method, note.path, note.route) == (200, "POST", "/api/v2/runs", None)
    assert (note.query, note.body, note.answer) == (b"", b"", b"")
    assert note.duration_s >= 0


def test_who_has_the_answer_finds_the_call_noted():
    assert call(answering(200, b"o", b"k")).noted == [0, 0, 1]


def test_of_a_failure_they_are():
    [note] = call(answering(400, b"n", b"o", reads=2), "/api/v2/runs", b"bo", b"dy").notes
    assert (note.status, note.query, note.body, note.answer) == (400, b"a=1", b"body", b"no")


@pytest.mark.parametrize("size", [1, 3000, MOST_BODY_BYTES], ids=["bytes", "parts", "whole"])
def test_what_is_kept_is_bounded(size: int):
    parts = [b"x" * size] * (MOST_BODY_BYTES // size + 2)
    [note] = call(answering(500, *parts, reads=len(parts)), "/api/v2/runs", *parts).notes
    assert note.body == b"x" * MOST_BODY_BYTES
    assert note.answer == b"x" * MOST_BODY_BYTES


def test_a_call_that_breaks_the_server_is_one_that_failed():
    notes = new_notes()
    with pytest.raises(ZeroDivisionError):
        call(breaking, notes=notes)
    [note] = notes
    assert note.status == 500


@pytest.mark.parametrize(
    ("path", "is_noted"),
    [
        ("/api/v1/runs", True),
        ("/v1/runs", True),
        ("//API//V2/Runs", True),
        ("/v2/runs", True),
        ("/api/analytics/yield", True),
        ("/api/v9", True),
        ("/api", True),
        ("/", False),
        ("/runs", False),
        ("/apiary", False),
        ("/v1x", False),
        ("/api/docs", False),
        ("/api/openapi.json", False),
        ("/files/x", False),
    ],
    ids=lambda value: value.strip("/") or "root" if isinstance(value, str) else None,
)
def test_calls_of_apis_are_noted(path: str, *, is_noted: bool):
    seen = call(answering(200, b"ok"), path)
    assert bool(seen.notes) == is_noted
    assert len(seen.sent) == 2


@pytest.mark.parametrize("kind", ["lifespan", "websocket"])
def test_what_is_no_call_passes(kind: str):
    seen = call(answering(200, b"ok"), type=kind)
    assert (len(seen.notes), len(seen.sent)) == (0, 2)
