"""The tables of the copy in ClickHouse: those of `schema`, with the number of the change since which a row holds.

A row is never changed. One that holds no longer has an entry in a table of what is gone: since when it held, and until
which change. So a query that reads up to one change sees one state, however many batches are written meanwhile.
"""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from runcard.analytics.copy.engines.clickhouse_sql import ANY_MOMENT, TYPES
from runcard.analytics.copy.schema import TABLES

# Columns that are NULL in no row.
_ALWAYS = frozenset(
    {
        *(
            "run",
            "organization",
            "procedure",
            "id",
            "unit",
            "part",
            "revision",
            "outcome",
            "started_at",
            "ended_at",
        ),
        *("created_at", "judged", "failed", "attempt", "attempts", "id_high", "position", "name", "is_final"),
        *("phase", "spec", "kind", "rest", "axis", "data", "marks", "first", "last", "serial_key", "level"),
        *(
            "timestamp",
            "folded_message",
            "lower_is_strict",
            "upper_is_strict",
            "retry_count",
            "seq",
            "version",
        ),
    }
)
# Texts of which nearly every row has another.
_VARIED = frozenset({"serial_key", "str", "json", "folded_message", "execution_id"})
# When the first rows of the change came into the copy, and, of a run, when what is inside it did.
SINCE, INSIDE_SINCE = "since", "inside_since"
_INSIDE = ("phases", "measurements", "series", "logs", "log_blocks")


class _Layout(NamedTuple):
    """order: the key by which rows are sorted. month: of this moment; None: rows of all time are together."""

    order: str
    month: str | None = None


_LAYOUTS: Mapping[str, _Layout] = {
    "copy_state": _Layout("seq"),
    "procedures": _Layout("procedure"),
    "units": _Layout("organization, id"),
    "specs": _Layout("procedure, name, spec"),
    "runs": _Layout("organization, procedure, started_at, run", "started_at"),
    "phases": _Layout("procedure, name, started_at, run, position", "started_at"),
    "measurements": _Layout("procedure, spec, started_at, run, position", "started_at"),
    "series": _Layout("run, position, axis"),
    "logs": _Layout("procedure, timestamp, run, position", "timestamp"),
    "log_blocks": _Layout("run, first"),
}


class Gone(NamedTuple):
    """A table of what holds no longer. key: the column that names a row. tables: whose rows these are."""

    name: str
    key: str
    tables: tuple[str, ...]


GONE = (
    Gone("gone_runs", "run", ("runs",)),
    Gone("gone_inside", "run", _INSIDE),
    Gone("gone_units", "id", ("units",)),
)
EVERY_TABLE = (*TABLES, *(gone.name for gone in GONE))


def type_of(table: str, column: str) -> str:
    """The type of a column in ClickHouse."""
    kind = TABLES[table][column]
    if kind.endswith("[]"):
        return f"Array({TYPES[kind[:-2]]})"
    if column == "reported_started_at":
        return f"Nullable({ANY_MOMENT})"
    named = TYPES[kind]
    if column not in _ALWAYS or (table, column) == ("runs", "version"):
        named = f"Nullable({named})"
    return f"LowCardinality({named})" if kind == "VARCHAR" and column not in _VARIED else named


def statements(cluster: str | None = None) -> Iterator[str]:
    """The statements that remove all tables and make those of an empty copy.

    cluster: its name; None: ClickHouse is one server.
    """
    where = f" ON CLUSTER '{cluster}'" if cluster else ""
    engine = "ReplicatedMergeTree" if cluster else "MergeTree"
    for table in EVERY_TABLE:
        # A replica forgets a table of this name before it is made again.
        yield f"DROP TABLE IF EXISTS {table}{where}{' SYNC' if cluster else ''}"
    for table, columns in TABLES.items():
        layout = _LAYOUTS[table]
        described = [f"{column} {type_of(table, column)}" for column in columns]
        if table != "copy_state":
            described.append(f"{SINCE} Int64, INDEX by_{SINCE} {SINCE} TYPE minmax")
        if table == "runs":
            described.append(f"{INSIDE_SINCE} Int64")
        month = f"PARTITION BY toYYYYMM({layout.month}) " if layout.month else ""
        described_as = ", ".join(described)
        yield f"CREATE TABLE {table}{where} ({described_as}) ENGINE = {engine} {month}ORDER BY ({layout.order})"
    for gone in GONE:
        kind = TYPES["UUID"] if gone.key == "id" else "Int64"
        yield (
            f"CREATE TABLE {gone.name}{where} ({gone.key} {kind}, {SINCE} Int64, until Int64) "
            f"ENGINE = {engine} ORDER BY (until, {gone.key})"
        )


def filters(seen: int, kept: frozenset[str]) -> Mapping[str, str]:
    """The condition on each table under which a row holds after the change `seen`. kept: tables of what is gone that
    have any rows.
    """
    found = {table: f"{SINCE} <= {seen}" for table in TABLES if table != "copy_state"}
    for gone in GONE:
        if gone.name in kept:
            over = f"SELECT {gone.key}, {SINCE} FROM {gone.name} WHERE until <= {seen}"
            for table in gone.tables:
                found[table] += f" AND ({gone.key}, {SINCE}) NOT IN ({over})"
    return {**found, "copy_state": f"seq = {seen}"}
