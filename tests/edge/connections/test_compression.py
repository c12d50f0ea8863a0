"""What is compressed, for whom, and that a stream stays one."""

import asyncio
import gzip
import zlib
from typing import Any

import pytest
from starlette.types import Message, Receive, Scope, Send

from runcard.edge.connections.compression import Compression

GZIP = "gzip, deflate, br"
TEXT = b"<p>Measurement</p>" * 1000


def answer(
    pieces: list[bytes],
    *,
    content_type: str = "text/html; charset=utf-8",
    accepted: str | None = GZIP,
    method: str = "GET",
    path: str = "/runs",
) -> tuple[dict[str, str], list[bytes]]:
    """The headers and the pieces of what a caller gets."""

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        headers = [(b"content-type", content_type.encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        for number, piece in enumerate(pieces, 1):
            await send({"type": "http.response.body", "body": piece, "more_body": number < len(pieces)})

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    sent: list[Any] = []

    async def send(message: Message) -> None:
        sent.append(dict(message))

    fields = [] if accepted is None else [(b"accept-encoding", accepted.encode())]
    scope = {"type": "http", "method": method, "path": path, "headers": fields}
    asyncio.run(Compression(app)(scope, receive, send))
    start, *bodies = sent
    headers = {name.decode().lower(): value.decode() for name, value in start["headers"]}
    return headers, [one["body"] for one in bodies]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/html; charset=utf-8",
        "text/csv; charset=utf-8",
        "application/json",
        "image/svg+xml",
        "text/javascript",
        "text/css",
    ],
)
def test_texts_are_compressed(content_type: str):
    headers, pieces = answer([TEXT], content_type=content_type)
    assert headers["content-encoding"] == "gzip"
    assert headers["vary"] == "Accept-Encoding"
    assert int(headers["content-length"]) == len(pieces[0]) < len(TEXT) / 10
    assert gzip.decompress(pieces[0]) == TEXT


@pytest.mark.parametrize(
    "accepted", [None, "", "identity", "br", "gzip;q=0", "br, gzip; q=0.0", "GZIP;q=0.000"]
)
def test_who_does_not_take_it_gets_it_as_it_is(accepted: str | None):
    headers, pieces = answer([TEXT], accepted=accepted)
    assert "content-encoding" not in headers
    assert pieces == [TEXT]


@pytest.mark.parametrize("accepted", ["gzip", "br;q=0, gzip;q=0.1", "gzip;q=1.0"])
def test_who_takes_it_gets_it(accepted: str):
    assert answer([TEXT], accepted=accepted)[0]["content-encoding"] == "gzip"


@pytest.mark.parametrize(
    "told",
    [
        {"method": "POST", "path": "/v2/runs"},
        {"path": "/files/download/token"},
        {"path": "/pictures/1"},
        {"content_type": "application/octet-stream"},
        {"content_type": "image/png"},
        {"content_type": "text/event-stream"},
        {"content_type": "application/vnd.apache.parquet"},
        {"content_type": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    ],
)
def test_the_rest_passes_as_it_is(told: dict[str, str]):
    headers, pieces = answer([TEXT, b"end"], **told)
    assert "content-encoding" not in headers
    assert pieces == [TEXT, b"end"]


def test_what_is_small_is_not_worth_it():
    assert "content-encoding" not in answer([TEXT[:999]])[0]
    assert "content-encoding" in answer([TEXT[:1000]])[0]


def test_each_piece_of_a_stream_can_be_read_as_it_comes():
    pieces = [b"id,name\r\n", TEXT, b"", b"1,x\r\n"]
    headers, sent = answer(pieces, content_type="text/csv")
    assert headers["content-encoding"] == "gzip"
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    assert [reader.decompress(one) for one in sent] == pieces
