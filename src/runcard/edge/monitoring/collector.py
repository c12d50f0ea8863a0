"""Traces that are sent to an OpenTelemetry collector, by OTLP over HTTP."""

import logging
import threading
import time

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased

from runcard import __version__
from runcard.activity.log import Endpoints
from runcard.edge.monitoring.traced_requests import TracedRequests
from runcard.edge.monitoring.traced_services import TracedBlobs, TracedCopy, TracedRecorder
from runcard.edge.monitoring.tracing import Tracing

_PATH = "/v1/traces"
# How long one batch may take to send, with all that is tried again, and how long the last ones may.
_SEND_S = 5.0
_CLOSE_S = 5.0
_SAY_EVERY_S = 60.0


def traces_to(endpoint: str, sample_ratio: float, endpoints: Endpoints) -> Tracing:
    """What a server is built of that sends its traces to the collector at `endpoint`.

    sample_ratio: the share of traces that are sent, of those that begin here. Callers decide about traces of theirs.
    """
    provider = TracerProvider(
        sampler=ParentBased(TraceIdRatioBased(sample_ratio)),
        resource=Resource.create({SERVICE_NAME: "runcard", SERVICE_VERSION: __version__}),
        shutdown_on_exit=False,
    )
    url = endpoint.rstrip("/").removesuffix(_PATH) + _PATH
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url, timeout=_SEND_S)))
    _say_failures_seldom()
    tracer = provider.get_tracer("runcard", __version__)
    return Tracing(
        requests=lambda app: TracedRequests(app, tracer, endpoints),
        recorder=TracedRecorder,
        copy=TracedCopy,
        blobs=TracedBlobs,
        close=lambda: _close(provider),
    )


def _close(provider: TracerProvider) -> None:
    """Send what is left. A collector that does not answer holds up no server that stops."""
    closing = threading.Thread(target=provider.shutdown, name="runcard-traces", daemon=True)
    closing.start()
    closing.join(_CLOSE_S)


class _Seldom(logging.Filter):
    """Lets each kind of line through once a minute: a collector that is away fails every batch."""

    def __init__(self) -> None:
        super().__init__()
        self._said_s: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        now_s = time.monotonic()
        if now_s - self._said_s.get(record.msg, -_SAY_EVERY_S) < _SAY_EVERY_S:
            return False
        self._said_s[record.msg] = now_s
        return True


def _say_failures_seldom() -> None:
    exporting = logging.getLogger(OTLPSpanExporter.__module__)
    if not any(isinstance(one, _Seldom) for one in exporting.filters):
        exporting.addFilter(_Seldom())
