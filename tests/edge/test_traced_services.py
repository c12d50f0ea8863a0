"""A traced copy answers as the engine does, whichever it is, and each query has a span."""

from collections.abc import Iterator
from contextvars import copy_context
from pathlib import Path

import pyarrow as pa
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.duckdb import DuckDb
from runcard.analytics.copy.engines.engine import Engine
from runcard.edge.monitoring.spans import current, trace_by
from runcard.edge.monitoring.traced_services import TracedCopy
from tests.analytics.clickhouse import own_clickhouse


@pytest.fixture(params=["duckdb", "clickhouse"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "clickhouse":
        with own_clickhouse() as clickhouse:
            clickhouse.make_ready()
            yield clickhouse
        return
    duckdb = DuckDb(tmp_path / "copy.duckdb")
    duckdb.make_ready()
    yield duckdb
    duckdb.close()


def answers(copy: ColumnarCopy) -> list[object]:
    """What each kind of query of a cursor finds."""
    with copy.transaction() as cursor:
        cursor.register("given", pa.table({"run": pa.array([1, 2, 3], pa.int64())}))
        return [
            cursor.has_log_blocks,
            cursor.execute("SELECT run FROM given WHERE run > ? ORDER BY run", [1]).fetchall(),
            cursor.execute("SELECT count(*) AS n FROM given").fetchnumpy()["n"].tolist(),
            cursor.keep("kept", "SELECT run FROM given WHERE run < ?", [3]),
            cursor.execute("SELECT count(*) FROM kept").fetchall(),
        ]


def test_a_traced_copy_answers_as_its_engine_does(engine: Engine):
    kept = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(kept))
    tracer, copy = provider.get_tracer("test"), TracedCopy(engine, 1)
    expected = answers(ColumnarCopy(engine, 1))

    def ask_as_a_request() -> list[object]:
        trace_by(tracer)
        with current(tracer.start_span("request")):
            return answers(copy)

    assert answers(copy) == expected
    assert kept.get_finished_spans() == ()  # it was nobody's request
    assert copy_context().run(ask_as_a_request) == expected
    assert [span.name for span in kept.get_finished_spans()] == ["query columnar copy"] * 4 + ["request"]
