"""Tables (CSV, XLSX) with a row for each unit, whose header cells say what each column measures; see `heading`.

Columns that describe the run are known by their names. All other columns become metadata. A blank cell is no value.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import BinaryIO, NamedTuple, get_args

from runcard.domain.errors import InvalidInput, UnreadableReport
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.importers.content.cells import Cell, moment_of, number_of, text_of, value_of
from runcard.importers.report.recording import metadata_of
from runcard.importers.report.remarks import Remark
from runcard.importers.tables.bad_rows import BadRows
from runcard.importers.tables.csv_rows import decode_text, read_csv
from runcard.importers.tables.heading import ColumnHeading, read_heading
from runcard.importers.tables.outcome_words import outcome_of
from runcard.importers.tables.phases import DEFAULT_PHASE
from runcard.importers.tables.table import Column, Row, Table, read_content, read_table

_NAMES = {
    "serial_number": (
        "serial number",
        "serial no",
        "serial",
        "sn",
        "uut serial number",
        "unit serial number",
    ),
    "outcome": ("outcome", "result", "status", "test status", "test result", "uut status", "uut result"),
    "started_at": (
        "started at",
        "start",
        "start time",
        "test start",
        "start date time",
        "timestamp",
        "date time",
    ),
    "ended_at": ("ended at", "end", "end time", "test end"),
    "duration": ("duration", "test time", "execution time", "cycle time"),
    "procedure": ("procedure", "procedure name", "test name", "test program", "sequence"),
    "procedure_version": ("procedure version", "program version", "version"),
    "part_number": ("part number", "part no", "part", "pn", "uut part number"),
    "revision_number": ("revision", "revision number", "rev"),
    "batch_number": ("batch", "batch number", "lot", "lot number"),
    "operator": ("operator", "operated by", "operator name"),
}
_FIELDS = {name: field for field, names in _NAMES.items() for name in names}
# The units of measure that a duration may have, in seconds.
_SECONDS = {None: 1.0, "s": 1.0, "sec": 1.0, "ms": 1e-3, "min": 60.0, "h": 3600.0}
_OUTCOMES: tuple[RunOutcome, ...] = get_args(RunOutcome)
_WORDS: dict[str, RunOutcome] = {"TERMINATED": "ABORTED", "CANCELLED": "ABORTED"}
# The first characters of other text formats.
_OTHERS = ("{", "[", "<", "FAR:")


class _Columns(NamedTuple):
    """fields: the columns that describe the run, by the name of the field."""

    fields: dict[str, Column]
    duration_uom: str | None
    measured: Sequence[tuple[Column, ColumnHeading]]
    others: Sequence[Column]


def is_it(head: bytes) -> bool:
    """Whether a text begins with a header that has a serial number, and limits for at least one measurement."""
    try:
        text = decode_text(head).lstrip("\ufeff \t\r\n")
        if text.startswith(_OTHERS):
            return False
        rows, _ = read_csv(text)
        header = next((row for row in rows if any(cell is not None for cell in row)), [])
        columns = _columns([text_of(cell) for cell in header])
    except (InvalidInput, UnreadableReport):
        return False
    return "serial_number" in columns.fields and any(heading.has_condition for _, heading in columns.measured)


def parse(file: BinaryIO, *, skips_bad_rows: bool = False) -> Iterator[RunReport | Remark]:
    """The runs of a table, in the order of its rows, and remarks on the rows that were left out.

    Raises UnreadableReport and PayloadTooLarge (see `table.read_table`), and InvalidInput that names row, column and
    value.
    """
    bad_rows = BadRows(skips=skips_bad_rows)
    table = read_table(read_content(file), bad_rows)
    columns = _columns(table.header)
    for field in ("serial_number", "outcome"):
        if field not in columns.fields:
            known = ", ".join(_NAMES[field])
            raise UnreadableReport(
                f"The table has no column for {field}. Name one of its columns one of {known}."
            )
    read_at = datetime.now(UTC)
    count = 0
    for row in table.rows:
        try:
            report = _run(table, row, columns, read_at)
        except InvalidInput as error:
            bad_rows.meet(error)
            continue
        count += 1
        yield report
    bad_rows.check_some_are_left(count)
    yield from bad_rows.remarks


def _columns(header: Sequence[str]) -> _Columns:
    """What each column of a header stands for. Raises InvalidInput where two columns give the same field."""
    fields: dict[str, Column] = {}
    duration_uom = None
    measured, others = [], []
    names: dict[str, int] = {}
    for position, title in enumerate(header):
        column, heading = Column(title, position), read_heading(title)
        name = title if heading is None or heading.has_condition else heading.name
        field = _FIELDS.get(" ".join(name.casefold().replace("_", " ").replace("/", " ").split()))
        if field in fields:
            raise InvalidInput.at(
                "header", f"columns {fields[field].name!r} and {title!r} both give the {field}; rename one"
            )
        if field is not None:
            fields[field] = column
            duration_uom = heading.uom if heading is not None and field == "duration" else duration_uom
        elif heading is None:
            others.append(column)
        else:
            names[heading.name] = count = names.get(heading.name, 0) + 1
            measured.append(
                (column, heading._replace(name=f"{heading.name} ({count})") if count > 1 else heading)
            )
    return _Columns(fields, duration_uom, measured, others)


def _run(table: Table, row: Row, columns: _Columns, read_at: datetime) -> RunReport:
    fields = columns.fields
    serial_number = row.read(fields["serial_number"], text_of)
    if serial_number is None:
        raise row.wrong(fields["serial_number"], "has to name the unit")
    outcome = row.read(fields["outcome"], _outcome)
    if outcome is None:
        raise row.wrong(fields["outcome"], "has to say the outcome")
    started_at = row.read(fields.get("started_at"), moment_of) or read_at
    duration = _duration(table, row, columns, started_at)
    if duration > datetime.max.replace(tzinfo=UTC) - started_at:
        raise row.wrong(fields["duration"], "ends after the year 9999; give a length of time")
    value = partial(value_of, decimal_comma=table.decimal_comma)
    measurements = [
        heading.measured(read)
        for column, heading in columns.measured
        if (read := row.read(column, value)) is not None
    ]
    procedure = row.read(fields.get("procedure"), text_of)
    return RunReport(
        procedure=procedure or "",
        procedure_is_name=procedure is not None,
        serial_number=serial_number,
        outcome=outcome,
        started_at=started_at,
        duration=duration,
        procedure_version=row.read(fields.get("procedure_version"), text_of),
        part_number=row.read(fields.get("part_number"), text_of),
        revision_number=row.read(fields.get("revision_number"), text_of),
        batch_number=row.read(fields.get("batch_number"), text_of),
        operator=row.read(fields.get("operator"), text_of),
        phases=_phases(measurements, started_at, started_at + duration),
        metadata=metadata_of((column.name, row.read(column, text_of)) for column in columns.others),
    )


def _outcome(cell: Cell) -> RunOutcome:
    return _WORDS.get(text_of(cell).upper()) or outcome_of(cell, _OUTCOMES)


def _duration(table: Table, row: Row, columns: _Columns, started_at: datetime) -> timedelta:
    ended, took = columns.fields.get("ended_at"), columns.fields.get("duration")
    if ended is not None and (ended_at := row.read(ended, moment_of)) is not None:
        if ended_at < started_at:
            raise row.wrong(ended, f"is before the start, {started_at.isoformat()}")
        return ended_at - started_at
    if took is None:
        return timedelta()
    return row.read(took, _span_in(columns.duration_uom, decimal_comma=table.decimal_comma)) or timedelta()


def _span_in(uom: str | None, *, decimal_comma: bool) -> Callable[[Cell], timedelta]:
    seconds = _SECONDS.get(None if uom is None else uom.casefold())

    def span(cell: Cell) -> timedelta:
        if isinstance(cell, timedelta):
            return cell
        number = number_of(cell, decimal_comma=decimal_comma)
        if seconds is None:
            raise ValueError(f"is in {uom}, which is no unit of time; use s, ms, min or h")
        try:
            took = timedelta(seconds=number * seconds)
        except (OverflowError, ValueError) as error:
            raise ValueError("is no length of time; give seconds") from error
        if took < timedelta():
            raise ValueError("is negative; give zero or more")
        return took

    return span


def _phases(
    measurements: Sequence[Measurement], started_at: datetime, ended_at: datetime
) -> tuple[Phase, ...]:
    """One phase with all measurements, which is FAIL if one of them is; none where nothing was measured."""
    if not measurements:
        return ()
    failed = any(measurement.outcome == "FAIL" for measurement in measurements)
    return (Phase(DEFAULT_PHASE, "FAIL" if failed else "PASS", started_at, ended_at, tuple(measurements)),)
