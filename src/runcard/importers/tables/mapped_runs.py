"""Tables (CSV, XLSX) as run reports, by a mapping that says what each column holds.

`docs/guide/tabular-import.md` explains the reading to users.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence

from runcard.domain.errors import InvalidInput, Issue
from runcard.domain.runs.report import RunReport
from runcard.importers.content.cells import text_of
from runcard.importers.tables.bad_rows import BadRows
from runcard.importers.tables.fields import (
    field_check,
    read_docstring,
    read_metadata,
    read_name,
    read_outcome,
    read_period,
    read_serial_number,
)
from runcard.importers.tables.mapping import TableMapping
from runcard.importers.tables.measurements import MeasuredCell, measurement_reader
from runcard.importers.tables.phases import PhaseCollector, PhaseColumns
from runcard.importers.tables.table import Row, Table, read_table


def parse(
    content: bytes, mapping: TableMapping, procedure: str, bad_rows: BadRows | None = None
) -> Iterator[RunReport]:
    """The runs of a table, as runs of this procedure, with phases and measurements in the order of the rows.

    bad_rows: takes the rows that cannot be read; None: such a row refuses the table. Raises UnreadableReport and
    PayloadTooLarge (see `table.read_table`), and InvalidInput that names row, column and value.
    """
    bad_rows = bad_rows or BadRows()
    table = read_table(content, bad_rows)
    columns = None if mapping.phases is None else PhaseColumns.find(table, mapping.phases)
    rows_are_phases = mapping.measurements.layout != "long"
    measurements_of = measurement_reader(table, mapping.measurements)
    if bad_rows.skips:
        check_fields = field_check(table, mapping)

        def check(row: Row) -> None:
            check_fields(row)
            PhaseCollector(columns, rows_are_phases=rows_are_phases).add(row, measurements_of(row))

        table = table.without_bad(check, bad_rows)
    count = 0
    for rows in _runs(table, mapping):
        try:
            report = _report(table.of(rows), mapping, procedure, columns, measurements_of)
        except InvalidInput as error:
            if mapping.runs == "file":
                raise
            bad_rows.meet(_in_row(rows[0], error))
            continue
        count += 1
        yield report
    bad_rows.check_some_are_left(count)


def _in_row(row: Row, error: InvalidInput) -> InvalidInput:
    """The error, with the first row of its run named where it names no row."""
    return InvalidInput(
        issue
        if issue.path[:1] == ("rows",)
        else Issue(("rows", row.number, *issue.path), f"row {row.number}: {issue.message}")
        for issue in error.issues
    )


def _runs(table: Table, mapping: TableMapping) -> Iterable[Sequence[Row]]:
    """The rows of each run, in the order of the table. Raises InvalidInput for a row without a serial number."""
    if mapping.runs == "row":
        return [[row] for row in table.rows]
    column = table.optional_column(mapping.fields.serial_number.column)
    if mapping.runs == "file" or column is None:
        return [table.rows]
    found: dict[str, list[Row]] = {}
    for row in table.rows:
        serial_number = row.read(column, text_of)
        if serial_number is None:
            raise row.wrong(column, "has to name the serial number of the row's run")
        found.setdefault(serial_number, []).append(row)
    return found.values()


def _report(
    table: Table,
    mapping: TableMapping,
    procedure: str,
    columns: PhaseColumns | None,
    measurements_of: Callable[[Row], Iterator[MeasuredCell]],
) -> RunReport:
    """The run that all rows of the table describe."""
    fields = mapping.fields
    collector = PhaseCollector(columns, rows_are_phases=mapping.measurements.layout != "long")
    period = read_period(table, fields.started_at, fields.ended_at)
    for row in table.rows:
        collector.add(row, measurements_of(row))
    return RunReport(
        procedure=procedure,
        serial_number=read_serial_number(table, fields.serial_number),
        outcome=read_outcome(table, fields.outcome),
        started_at=period.started_at,
        duration=period.ended_at - period.started_at,
        part_number=read_name(table, "part_number", fields.part_number),
        revision_number=read_name(table, "revision_number", fields.revision_number),
        batch_number=read_name(table, "batch_number", fields.batch_number),
        operator=read_name(table, "operated_by", fields.operated_by),
        docstring=read_docstring(table, fields.docstring),
        phases=collector.phases(period),
        metadata=read_metadata(table, "metadata", mapping.metadata or ()),
        unit_metadata=read_metadata(table, "unit_metadata", mapping.unit_metadata or ()),
    )
