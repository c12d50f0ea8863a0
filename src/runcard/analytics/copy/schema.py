"""The tables of the columnar copy.

`run` is the number of the change that recorded a run: later runs have higher ones, so what a page's snapshot leaves
out is a comparison. `id_high` are the highest 63 bits of the run's id, which order rows nearly as the id does and are
compared faster. `procedure` and `spec` are numbers of the copy's own. Moments are UTC, and those at which a run counts
(`domain.runs.clock`); `reported_started_at` is what a wrong clock said, NULL where it was right.

What a run is among the runs of its unit on its procedure stands on its row, so that no question has to count them: by
`started_at` it is number `attempt` of `attempts`; `passed_at` is the attempt that passed first, NULL where none did;
`last_outcome` is that of the last. Of those that ended PASS or FAIL it is number `completed`, NULL where it is none of
them; `passed_completed` and `last_completed` are of these what the two before are of all. `sample` is what its unit
was then. `judged` and `failed` count its measurements, in each attempt of a phase.

Measurements stand in two tables, which `measurements` shows as one: RECENT in order of arrival, and SORTED by spec and
time, into which the recent ones are moved when there are many (`compaction`). So the values of one measurement lie
close together, and the newest rows of all are found at the end.

Rows of what lies inside runs repeat `id_high` and `procedure`, which compress to nothing, so that common lists need no
join. The types are in the order in which their values sort in lists.
"""

from collections.abc import Mapping
from typing import get_args

from runcard.domain.runs.measurement import ValueKind
from runcard.domain.runs.outcome import LOG_LEVELS, MeasurementOutcome, PhaseOutcome, RunOutcome

# To be raised with every change below, and of what the projector makes of a document: an older copy is begun anew.
SCHEMA_VERSION = 7

_TYPES = {
    "run_outcome": sorted(get_args(RunOutcome)),
    "phase_outcome": sorted(get_args(PhaseOutcome)),
    "measurement_outcome": sorted(get_args(MeasurementOutcome)),
    "value_kind": sorted(get_args(ValueKind)),
    "log_level": LOG_LEVELS,
}

_IN_RUN = {"run": "BIGINT", "id_high": "BIGINT", "procedure": "INTEGER", "position": "INTEGER"}
# Columns with their types, in the order in which rows are made.
TABLES: Mapping[str, Mapping[str, str]] = {
    # The last change that was taken in: its number, and what tells it from one of another history.
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
        # A value that equals a strict bound breaks it. False where there is no bound.
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
        "judged": "INTEGER",
        "failed": "INTEGER",
        "attempt": "INTEGER",
        "attempts": "INTEGER",
        "passed_at": "INTEGER",
        "last_outcome": "run_outcome",
        "completed": "INTEGER",
        "passed_completed": "INTEGER",
        "last_completed": "run_outcome",
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
    # A finite number is `num` + `rest`: the nearest double, and what an integer beyond 2^53 differs from it.
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
    # The message as it is searched, in no case; what is shown comes from the documents.
    "logs": {
        **_IN_RUN,
        "level": "log_level",
        "timestamp": "TIMESTAMP",
        "folded_message": "VARCHAR",
        "source_file": "VARCHAR",
        "line_number": "BIGINT",
    },
    # Lines of a run from the first place to the last, and marks of what is written in them; see `log_blocks`.
    "log_blocks": {
        "run": "BIGINT",
        "procedure": "INTEGER",
        "first": "INTEGER",
        "last": "INTEGER",
        "marks": "BIGINT[]",
    },
}
RECENT, SORTED = "measurements_recent", "measurements_sorted"
# The tables that hold what lies inside runs, and the one that new rows of a kind are added to.
INSIDE_RUNS = ("phases", RECENT, SORTED, "series", "logs", "log_blocks")
INTO = {"measurements": RECENT}


def statements() -> list[str]:
    """What makes an empty copy, which has seen nothing."""
    types = [
        f"CREATE TYPE {name} AS ENUM ({', '.join(repr(value) for value in values)})"
        for name, values in _TYPES.items()
    ]
    tables = [
        f"CREATE TABLE {table} ({', '.join(f'{column} {kind}' for column, kind in columns.items())})"
        for name, columns in TABLES.items()
        for table in ((RECENT, SORTED) if name == "measurements" else (name,))
    ]
    view = f"CREATE VIEW measurements AS SELECT * FROM {SORTED} UNION ALL SELECT * FROM {RECENT}"
    return [*types, *tables, view, f"INSERT INTO copy_state VALUES ({SCHEMA_VERSION}, 0, NULL, NULL)"]
