"""Tables (CSV, XLSX) as run reports: a mapping says which columns hold what.

One file tells of one run of one unit. `docs/guide/tabular-import.md` tells users how it is read.
"""

from runcard.domain.report import RunReport
from runcard.importers.bad_rows import BadRows
from runcard.importers.table_fields import (
    field_check,
    read_docstring,
    read_metadata,
    read_name,
    read_outcome,
    read_period,
    read_serial_number,
)
from runcard.importers.table_mapping import TableMapping
from runcard.importers.table_measurements import measurement_reader
from runcard.importers.table_phases import PhaseCollector, PhaseColumns
from runcard.importers.tables import Row, read_table


def parse(
    content: bytes, mapping: TableMapping, procedure: str, bad_rows: BadRows | None = None
) -> RunReport:
    """The run that a table tells of, as a run of this procedure; phases and measurements in the order of the rows.

    bad_rows: takes what is wrong with a row by itself; None: it refuses the table. Raises UnreadableReport and
    PayloadTooLarge (see `tables.read_table`), and InvalidInput that names row, column and value.
    """
    bad_rows = bad_rows or BadRows()
    table, fields = read_table(content, bad_rows), mapping.fields
    columns = None if mapping.phases is None else PhaseColumns.find(table, mapping.phases)
    rows_are_phases = mapping.measurements.layout != "long"
    collector = PhaseCollector(columns, rows_are_phases=rows_are_phases)
    measurements_of = measurement_reader(table, mapping.measurements)
    if bad_rows.skips:
        check_fields = field_check(table, mapping)

        def check(row: Row) -> None:
            check_fields(row)
            PhaseCollector(columns, rows_are_phases=rows_are_phases).add(row, measurements_of(row))

        table = table.without_bad(check, bad_rows)
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
