"""Services whose work for a traced request has spans: recording, questions of the columnar copy, and files."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import IO, Any
from uuid import UUID

import pyarrow as pa
from opentelemetry.trace import SpanKind

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.copy.engines.engine import CopyCursor
from runcard.auth.admission import Admission
from runcard.edge.monitoring.spans import child_span
from runcard.ingest.record_run import PreparedRun
from runcard.recording.recorder import Recorder
from runcard.store.files.blobs import BlobMeta, Blobs


class TracedRecorder(Recorder):
    """A span lasts from the hand-over of a run until the run is durable, or refused."""

    async def record(self, admission: Admission, run: PreparedRun) -> UUID:
        with child_span("record run"):
            return await super().record(admission, run)


class TracedCopy(ColumnarCopy):
    """Spans of the wait for what was committed before, and of each query."""

    def is_fresh(self, seq: int) -> bool:
        with child_span("await columnar copy"):
            return super().is_fresh(seq)

    @contextmanager
    def transaction(self) -> Iterator[CopyCursor]:
        with super().transaction() as cursor:
            yield _TracedCursor(cursor)


class _TracedCursor:
    """A span lasts from a query until its rows are there. It does not tell the SQL, which says what somebody asked."""

    def __init__(self, cursor: CopyCursor) -> None:
        self._cursor = cursor
        self._query: tuple[str, Any] = ("", None)

    def execute(self, sql: str, values: Any = None, /) -> "_TracedCursor":
        self._query = sql, values
        return self

    def fetchall(self) -> list[Any]:
        with _query_span():
            return self._cursor.execute(*self._query).fetchall()

    def fetchnumpy(self) -> Mapping[str, Any]:
        with _query_span():
            return self._cursor.execute(*self._query).fetchnumpy()

    def keep(self, name: str, query: str, values: Any = None) -> int:
        with _query_span():
            return self._cursor.keep(name, query, values)

    def register(self, name: str, table: pa.Table) -> None:
        self._cursor.register(name, table)

    @property
    def has_log_blocks(self) -> bool:
        return self._cursor.has_log_blocks


class TracedBlobs(Blobs):
    """A span for each request to the store of files; of a blob that is read in pieces, until the first of them."""

    def write(self, key: str, content: IO[bytes]) -> None:
        with _file_span("write file"):
            super().write(key, content)

    def read(self, key: str) -> bytes | None:
        with _file_span("read file"):
            return super().read(key)

    def read_start(self, key: str, most_bytes: int) -> bytes | None:
        with _file_span("read start of file"):
            return super().read_start(key, most_bytes)

    def stream(self, key: str) -> Iterator[bytes] | None:
        with _file_span("open file"):
            return super().stream(key)

    def find(self, key: str) -> BlobMeta | None:
        with _file_span("find file"):
            return super().find(key)

    def copy(self, source: str, target: str) -> bool:
        with _file_span("copy file"):
            return super().copy(source, target)

    def delete(self, key: str) -> None:
        with _file_span("delete file"):
            super().delete(key)


def _query_span() -> AbstractContextManager[None]:
    return child_span("query columnar copy", SpanKind.CLIENT)


def _file_span(name: str) -> AbstractContextManager[None]:
    return child_span(name, SpanKind.CLIENT)
