"""Spans: what a request did, and how long it took. They tell kinds of work, never what a caller sent or asked for."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry.semconv.attributes.error_attributes import ERROR_TYPE
from opentelemetry.trace import Span, SpanKind, StatusCode, Tracer, get_current_span, use_span

# None: nobody's request, whose work has no span.
_tracer: ContextVar[Tracer | None] = ContextVar("tracer", default=None)


def trace_by(tracer: Tracer) -> None:
    """Let work of this task, and of the threads that work for it, have spans by this tracer."""
    _tracer.set(tracer)


@contextmanager
def child_span(name: str, kind: SpanKind = SpanKind.INTERNAL) -> Iterator[None]:
    """A block that is a span, if it is work for a request that is traced."""
    tracer = _tracer.get()
    if tracer is None or not get_current_span().is_recording():
        yield
        return
    span = tracer.start_span(name, kind=kind)
    with current(span):
        yield


@contextmanager
def current(span: Span) -> Iterator[None]:
    """A block during which the span goes on. Of an error only the class is told: its message may quote anything."""
    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except BaseException as error:
            mark_failed(span, type(error).__name__)
            raise


def mark_failed(span: Span, kind: str) -> None:
    span.set_attribute(ERROR_TYPE, kind)
    span.set_status(StatusCode.ERROR)
