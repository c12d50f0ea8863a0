"""The tables of the columnar copy.

`run` is the number of the change that recorded a run. Later runs have higher numbers, so one comparison leaves out the
runs that came after a page's snapshot. `id_high` is the highest 63 bits of the run's id: it orders rows nearly as the
id does, and compares faster. The copy gives the numbers in `procedure` and `spec` itself. Moments are UTC, corrected
for wrong clocks (`domain.runs.clock`); `reported_started_at` is what a wrong clock said, NULL if it was right.

The row of a run says what it is among the runs of its unit on its procedure, so that no question has to count them.
In order of `started_at` it is number `attempt`. Runs that were voided or deleted keep their numbers and do not count:
`attempts` is the number of the last attempt that counts, 0 if none does. `passed_at` is the number of the first that
counts and passed, NULL if none did, and `passed_station` is where; `last_outcome` is the outcome of the last that
counts. Among the attempts that
ended PASS or FAIL, the run is number `completed`, NULL if it is not among them; `passed_completed` and `last_completed`
are the same as `passed_at` and `last_outcome`, but for these attempts only. `sample` is what the unit was at the time.
`judged` and `failed` count the measurements of the run, in each attempt of a phase.

Measurements are in two tables, which the view `measurements` shows as one: RECENT in order of arrival, and SORTED by
spec and time. When there are many recent ones, they are moved to the sorted ones. So the values of one
measurement lie close together, and the newest rows of all are found at the end.

Rows of phases, measurements and logs repeat `id_high` and `procedure`, so that common lists need no join; repeated
values compress to nothing. The values of each type are in the order in which lists sort them.
"""

from collections.abc import Mapping, Sequence
from typing import get_args

from runcard.domain.runs.measurement import ValueKind
from runcard.domain.runs.outcome import LOG_LEVELS, MeasurementOutcome, PhaseOutcome, RunOutcome

# Raise it with every change below, and with every change in how the projector copies runs. Older copies are begun anew.
SCHEMA_VERSION = 9

# The values of each type, in the order in which lists sort them.
ENUMS: Mapping[str, Sequence[str]] = {
    "run_outcome": sorted(get_args(RunOutcome)),
    "phase_outcome": sorted(get_args(PhaseOutcome)),
    "measurement_outcome": sorted(get_args(MeasurementOutcome)),
    "value_kind": sorted(get_args(ValueKind)),
    "log_level": LOG_LEVELS,
}

_IN_RUN = {"run": "BIGINT", "id_high": "BIGINT", "procedure": "INTEGER", "position": "INTEGER"}
# Columns with their types, in the order of the values in a row.
TABLES: Mapping[str, Mapping[str, str]] = {
    # The last change that was taken in: its number, and the values that tell it from a change of another history.
    "copy_state": {"version": "INTEGER", "seq": "BIGINT", "entity": "UUID", "changed_at": "TIMESTAMP"},
    "procedures": {"procedure": "INTEGER", "organization": "UUID", "id": "UUID"},
    "units": {"id": "UUID", "organization": "UUID", "serial_key": "VARCHAR"},
    "specs": {
        "spec": "INTEGER",
        "procedure": "INTEGER",
        "phase": "VARCHAR",
        "sequence_path": "VARCHAR",
        "name": "VARCHAR",
        "uom": "VARCHAR",
        "lower": "DOUBLE",
        "upper": "DOUBLE",
        # A value equal to a strict limit breaks it. False if there is no limit.
        "lower_is_strict": "BOOLEAN",
        "upper_is_strict": "BOOLEAN",
    },
    "runs": {
        "run": "BIGINT",
        "organization": "UUID",
        "procedure": "INTEGER",
        "id": "UUID",
        "version": "UUID",
        "unit": "UUID",
        "part": "UUID",
        "revision": "UUID",
        "batch": "UUID",
        "operator": "UUID",
        "operator_name": "VARCHAR",
        "created_by_station": "UUID",
        "created_by_user": "UUID",
        "deployment": "UUID",
        "outcome": "run_outcome",
        "started_at": "TIMESTAMP",
        "ended_at": "TIMESTAMP",
        "created_at": "TIMESTAMP",
        "execution_id": "VARCHAR",
        "slot_key": "VARCHAR",
        "slot_name": "VARCHAR",
        "reported_started_at": "TIMESTAMP",
        "sample": "VARCHAR",
        # NULL: the run counts.
        "voided_at": "TIMESTAMP",
        "judged": "INTEGER",
        "failed": "INTEGER",
        "attempt": "INTEGER",
        "attempts": "INTEGER",
        "passed_at": "INTEGER",
        "last_outcome": "run_outcome",
        "completed": "INTEGER",
        "passed_completed": "INTEGER",
        "last_completed": "run_outcome",
        "passed_station": "UUID",
    },
    "phases": {
        **_IN_RUN,
        "name": "VARCHAR",
        "sequence_path": "VARCHAR",
        "outcome": "phase_outcome",
        "started_at": "TIMESTAMP",
        "ended_at": "TIMESTAMP",
        "retry_count": "BIGINT",
        "is_final": "BOOLEAN",
    },
    # A finite number is `num` + `rest`: the nearest double, and the difference of an integer beyond 2^53 from it.
    "measurements": {
        **_IN_RUN,
        "phase": "INTEGER",
        "spec": "INTEGER",
        "started_at": "TIMESTAMP",
        "kind": "value_kind",
        "num": "DOUBLE",
        "rest": "SMALLINT",
        "bool": "BOOLEAN",
        "str": "VARCHAR",
        "json": "VARCHAR",
        "outcome": "measurement_outcome",
        "is_final": "BOOLEAN",
        "retry_count": "BIGINT",
    },
    "series": {
        "run": "BIGINT",
        "position": "INTEGER",
        "axis": "INTEGER",
        "uom": "VARCHAR",
        "data": "DOUBLE[]",
    },
    # The message as it is searched, case-folded. The message that is shown comes from the documents.
    "logs": {
        **_IN_RUN,
        "level": "log_level",
        "timestamp": "TIMESTAMP",
        "folded_message": "VARCHAR",
        "source_file": "VARCHAR",
        "line_number": "BIGINT",
    },
    # The lines of a run from `first` to `last`, and marks of their text; see `log_blocks`.
    "log_blocks": {
        "run": "BIGINT",
        "procedure": "INTEGER",
        "first": "INTEGER",
        "last": "INTEGER",
        "marks": "BIGINT[]",
    },
}
RECENT, SORTED = "measurements_recent", "measurements_sorted"
# The tables of what is inside runs, and the table into which new rows go, if it has another name.
INSIDE_RUNS = ("phases", RECENT, SORTED, "series", "logs", "log_blocks")
INTO = {"measurements": RECENT}


def statements() -> list[str]:
    """The SQL statements that make an empty copy, which has seen no change."""
    types = [
        f"CREATE TYPE {name} AS ENUM ({', '.join(repr(value) for value in values)})"
        for name, values in ENUMS.items()
    ]
    tables = [
        f"CREATE TABLE {table} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})"
        for name, columns in TABLES.items()
        for table in ((RECENT, SORTED) if name == "measurements" else (name,))
    ]
    view = f"CREATE VIEW measurements AS SELECT * FROM {SORTED} UNION ALL SELECT * FROM {RECENT}"
    return [*types, *tables, view, f"INSERT INTO copy_state VALUES ({SCHEMA_VERSION}, 0, NULL, NULL)"]
