"""A collector of OpenTelemetry, as far as tests need one: it takes traces by OTLP over HTTP and keeps them."""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SentSpan

from tests.servers import DEADLINE_S


class SpanSeen(NamedTuple):
    """sent: the message that arrived. attributes, resource: by name; the latter are those of the server."""

    sent: SentSpan
    attributes: Mapping[str, Any]
    resource: Mapping[str, Any]

    @property
    def request_id(self) -> str | None:
        return self.attributes.get("runcard.request_id")


class Collector:
    """What has arrived: `spans`, and the bytes of each message."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.spans: list[SpanSeen] = []
        self.messages: list[bytes] = []
        self.paths: set[str] = set()
        self._arrived = threading.Condition()

    def take(self, path: str, message: bytes) -> None:
        decoded = ExportTraceServiceRequest.FromString(message)
        with self._arrived:
            self.paths.add(path)
            self.messages.append(message)
            for of_server in decoded.resource_spans:
                resource = _attributes(of_server.resource.attributes)
                for scoped in of_server.scope_spans:
                    self.spans += [
                        SpanSeen(span, _attributes(span.attributes), resource) for span in scoped.spans
                    ]
            self._arrived.notify_all()

    def request(self, request_id: str) -> SpanSeen:
        """The span of a request, once it has arrived."""
        return self._wait(lambda: next((one for one in self.spans if one.request_id == request_id), None))

    def children(self, parent: SpanSeen) -> Sequence[SpanSeen]:
        """The spans inside another, in the order in which they began. They arrive before it does, or with it."""
        found = [one for one in self.spans if one.sent.parent_span_id == parent.sent.span_id]
        return sorted(found, key=lambda one: one.sent.start_time_unix_nano)

    def _wait(self, find: Callable[[], SpanSeen | None]) -> SpanSeen:
        with self._arrived:
            self._arrived.wait_for(lambda: find() is not None, DEADLINE_S)
            found = find()
        assert found is not None, f"it did not arrive; there are {[one.sent.name for one in self.spans]}"
        return found


@contextmanager
def running_collector() -> Iterator[Collector]:
    """A collector that listens until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            collector.take(self.path, self.rfile.read(int(self.headers["content-length"])))
            answer = ExportTraceServiceResponse().SerializeToString()
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *arguments: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        collector = Collector(f"http://127.0.0.1:{listening.server_port}")
        thread = threading.Thread(target=listening.serve_forever, daemon=True)
        thread.start()
        yield collector
        listening.shutdown()
        thread.join(DEADLINE_S)


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
