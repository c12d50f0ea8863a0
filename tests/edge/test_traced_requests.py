"""What a span tells of a request that fails, and of the work for it."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import StatusCode
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runcard.edge.monitoring.collector import _Seldom
from runcard.edge.monitoring.spans import child_span
from runcard.edge.monitoring.traced_requests import TracedRequests
from runcard.prefixes import endpoints

SECRET = "the serial number SN-1"


class Spans:
    """Finished spans, by a provider that keeps them here."""

    def __init__(self, **options: Any) -> None:
        self.provider = TracerProvider(shutdown_on_exit=False, **options)
        self._kept = InMemorySpanExporter()
        self.provider.add_span_processor(SimpleSpanProcessor(self._kept))

    def wrap(self, app: ASGIApp) -> ASGIApp:
        return TracedRequests(app, self.provider.get_tracer("test"), endpoints())

    @property
    def finished(self) -> Sequence[ReadableSpan]:
        return self._kept.get_finished_spans()


async def ask(app: ASGIApp) -> None:
    scope = {"type": "http", "method": "POST", "scheme": "https", "path": "/api/v2/runs", "headers": []}

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(_message: Message) -> None:
        return

    await app(scope, receive, send)


def answering(status: int) -> ASGIApp:
    async def answer(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": []})

    return answer


@pytest.mark.parametrize(
    ("status", "failed", "told"),
    [
        (200, False, {"http.response.status_code": 200}),
        (422, False, {"http.response.status_code": 422}),
        (503, True, {"http.response.status_code": 503, "error.type": "503"}),
    ],
)
def test_a_failure_of_the_server_is_one_of_its_span(status: int, failed: bool, told: Mapping[str, Any]):
    spans = Spans()
    asyncio.run(ask(spans.wrap(answering(status))))
    [span] = spans.finished
    assert span.name == "POST /api/v2/runs"
    assert (span.status.status_code is StatusCode.ERROR) is failed
    assert told.items() <= dict(span.attributes or {}).items()
    assert ("error.type" in (span.attributes or {})) is failed


def test_a_client_that_went_away_got_no_status():
    async def say_nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
        return

    spans = Spans()
    asyncio.run(ask(spans.wrap(say_nothing)))
    [span] = spans.finished
    assert (span.attributes or {})["error.type"] == "client_gone"
    assert "http.response.status_code" not in (span.attributes or {})


def test_an_error_is_told_by_its_class_alone():
    async def fail(_scope: Scope, _receive: Receive, _send: Send) -> None:
        def work() -> None:
            with child_span("work"):
                raise ValueError(SECRET)

        await run_in_threadpool(work)

    spans = Spans()
    with pytest.raises(ValueError, match=SECRET):
        asyncio.run(ask(spans.wrap(fail)))
    work, request = spans.finished
    assert (work.name, dict(work.attributes or {})) == ("work", {"error.type": "ValueError"})
    assert work.parent == request.context
    for span in (work, request):
        assert span.status.status_code is StatusCode.ERROR
        assert SECRET not in span.to_json()


def test_work_for_no_traced_request_has_no_span():
    async def work(_scope: Scope, _receive: Receive, send: Send) -> None:
        with child_span("work"):
            await send({"type": "http.response.start", "status": 200, "headers": []})

    for spans in (Spans(sampler=ALWAYS_OFF), Spans()):
        with child_span("nobody's"):
            asyncio.run(ask(spans.wrap(work)))
    assert [span.name for span in spans.finished] == ["work", "POST /api/v2/runs"]


def test_each_kind_of_failure_is_logged_once_a_minute():
    seldom = _Seldom()

    def line(message: str, *values: object) -> logging.LogRecord:
        return logging.LogRecord("test", logging.ERROR, "", 0, message, values, None)

    lines = [line("away: %s", 1), line("refused"), line("away: %s", 2), line("refused")]
    assert [seldom.filter(one) for one in lines] == [True, True, False, False]
    seldom._said_s["refused"] -= 60
    assert [seldom.filter(one) for one in lines] == [False, True, False, False]
