"""Runs as rows of the copy, collected by table and given to it as columns."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
import pyarrow as pa

from runcard.analytics.copy.log_blocks import blocks_of
from runcard.analytics.copy.schema import TABLES
from runcard.analytics.copy.standing import Standing
from runcard.domain.runs.clock import counted_document
from runcard.domain.runs.inside import Measured, attempts_of, lines_of, measured_in
from runcard.domain.runs.measurement import effective_limits
from runcard.domain.runs.run import RunDocument
from runcard.store.runs.headers import CopiedHeader

_ARROW = {
    "BIGINT": pa.int64(),
    "BOOLEAN": pa.bool_(),
    "DOUBLE": pa.float64(),
    "DOUBLE[]": pa.list_(pa.float64()),
    "INTEGER": pa.int32(),
    "SMALLINT": pa.int16(),
    "TIMESTAMP": pa.timestamp("us"),
    "UUID": pa.uuid(),
}
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (the copy holds UTC without a zone)
# Bits of a 128-bit id that are cut off, so that the rest fits into 64 bits with a sign.
_LOW_BITS = 65


class Spec(NamedTuple):
    """A specification: the name of a measurement in its phase, with its limits and unit of measure at the time."""

    procedure: int
    phase: str
    sequence_path: str | None
    name: str
    uom: str | None
    lower: float | None
    upper: float | None
    lower_is_strict: bool
    upper_is_strict: bool


class Rows:
    """Rows by table. A measurement holds the place of its spec in `specs` until the specs have numbers."""

    def __init__(self) -> None:
        self._specs: dict[Spec, int] = {}
        self._rows: dict[str, list[Sequence[Any]]] = {name: [] for name in TABLES}

    @property
    def specs(self) -> Sequence[Spec]:
        return list(self._specs)

    def add(self, table: str, row: Sequence[Any]) -> None:
        self._rows[table].append(row)

    def add_run(
        self,
        run: int,
        organization_id: UUID,
        procedure: int,
        header: CopiedHeader,
        document: RunDocument,
        standing: Standing,
    ) -> None:
        run_id, _procedure_id, *rest, clock_started_at = header
        started = clock_started_at or header.reported_started_at
        document = counted_document(document, header.started_at, started)
        outcomes = Counter(measured.measurement.outcome for measured in measured_in(document))
        counts = (outcomes["PASS"] + outcomes["FAIL"], outcomes["FAIL"])
        self.add("runs", (run, organization_id, procedure, run_id, *rest, *counts, *standing))
        place = (run, run_id.int >> _LOW_BITS, procedure)
        for position, phase, is_final, _ in attempts_of(document):
            span = (phase.started_at, phase.ended_at, phase.retry_count)
            named = (phase.name, phase.sequence_path, phase.outcome)
            self.add("phases", (*place, position, *named, *span, is_final))
        for measured in measured_in(document):
            self._add_measurement(place, measured)
        for position, log in lines_of(document):
            origin = (log.source_file, log.line_number)
            self.add("logs", (*place, position, log.level, log.timestamp, log.message.casefold(), *origin))

    def _add_measurement(self, place: tuple[int, int, int], measured: Measured) -> None:
        position, measurement, attempt = measured
        phase = attempt.phase
        limits = effective_limits(measurement)
        spec = Spec(
            place[2],
            phase.name,
            phase.sequence_path,
            measurement.name,
            measurement.uom,
            None if limits.lower is None else float(limits.lower),
            None if limits.upper is None else float(limits.upper),
            limits.lower_is_strict,
            limits.upper_is_strict,
        )
        kind, value = measurement.kind, measurement.value
        self.add(
            "measurements",
            (
                *place,
                position,
                attempt.position,
                self._specs.setdefault(spec, len(self._specs)),
                phase.started_at,
                kind,
                *split_number(measured.number),
                value if kind == "boolean" else None,
                value if kind == "string" else None,
                msgspec.json.encode(value).decode() if kind == "json" else None,
                measurement.outcome,
                attempt.is_final,
                phase.retry_count,
            ),
        )
        for axis, series in enumerate(measurement.series):
            self.add("series", (place[0], position, axis, series.uom, series.data))

    def tables(self, spec_numbers: Sequence[int] = ()) -> Iterator[tuple[str, pa.Table]]:
        """The tables that have rows, as columns. spec_numbers: the number of each of `specs`."""
        for name, rows in self._rows.items():
            if rows:
                columns = columns_of(TABLES[name], rows)
                if name == "measurements":
                    place = columns.schema.get_field_index("spec")
                    numbers = pa.array(spec_numbers, pa.int32()).take(columns.column(place))
                    columns = columns.set_column(place, "spec", numbers)
                if name == "logs":
                    yield "log_blocks", blocks_of(columns)
                yield name, columns


def columns_of(kinds: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Rows as columns of these types."""
    columns = zip(*rows, strict=True)
    return pa.table(
        {name: _array(column, kind) for (name, kind), column in zip(kinds.items(), columns, strict=True)}
    )


def split_number(number: float | int | None) -> tuple[float | None, int]:
    """The double nearest to a finite number and, for an integer, the difference from that double."""
    if number is None:
        return None, 0
    nearest = float(number) + 0.0  # makes zero of minus zero, which compares as equal
    return nearest, int(number - int(nearest)) if isinstance(number, int) else 0


def utc(moment: datetime) -> datetime:
    """A moment as the copy holds it: in UTC, without a time zone."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def moment_of_seconds(seconds: Decimal) -> datetime:
    """The moment that is so many seconds after 1970 began, as the copy holds it."""
    return _EPOCH + timedelta(microseconds=int(seconds.scaleb(6)))


def _array(values: Sequence[Any], kind: str) -> pa.Array:
    return pa.array(values, _ARROW.get(kind, pa.string()))
