"""The columns that a table of runs can have, on a page and in its exported files."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from runcard.domain.metadata import MetadataValue
from runcard.domain.runs.clock import reported_times
from runcard.domain.runs.correction import CorrectedField
from runcard.store.runs.records import RunRecord

ColumnName = Literal[
    "outcome",
    "part_number",
    "revision_number",
    "batch_number",
    "procedure",
    "version",
    "station",
    "operator",
    "started_at",
    "duration",
    "ended_at",
    "created_at",
    "sample",
    "slot",
    "execution_id",
    "docstring",
    "tags",
    "cause",
    "voided",
    "reported_as",
]
ColumnKind = Literal["outcome", "unit", "text", "moment", "duration"]
# A duration is exported in seconds.
ColumnValue = str | float | datetime | None


class RunColumn(NamedTuple):
    """value: of a run, as its station reported it. order: the one of RUN_ORDERS that sorts by it; empty for none."""

    name: str
    label: str
    kind: ColumnKind
    value: Callable[[RunRecord], ColumnValue]
    order: str = ""


def created_by_name(run: RunRecord) -> str:
    """The name of the station or user that recorded a run; empty if neither did."""
    creator = run.created_by_station or run.created_by_user
    return creator.name if creator else ""


def operator_of(run: RunRecord) -> str:
    """The name of the operator; empty if nobody is named."""
    return (run.operator.name if run.operator else run.operator_name) or ""


_UNIT = RunColumn("serial_number", "Run of unit", "unit", lambda run: run.unit.serial_number, "serial_number")
_OTHERS = [
    RunColumn("outcome", "Outcome", "outcome", lambda run: run.outcome, "outcome"),
    RunColumn("part_number", "Part", "text", lambda run: run.part.number, "part_number"),
    RunColumn("revision_number", "Revision", "text", lambda run: run.revision.name, "revision_number"),
    RunColumn("batch_number", "Batch", "text", lambda run: run.batch.name if run.batch else ""),
    RunColumn("procedure", "Procedure", "text", lambda run: run.procedure.name),
    RunColumn("version", "Version", "text", lambda run: run.version.name if run.version else ""),
    RunColumn("station", "Station", "text", created_by_name),
    RunColumn("operator", "Operator", "text", operator_of),
    RunColumn("started_at", "Started", "moment", lambda run: reported_times(run).started_at, "started_at"),
    RunColumn(
        "duration",
        "Duration",
        "duration",
        lambda run: reported_times(run).duration.total_seconds(),
        "duration",
    ),
    RunColumn("ended_at", "Ended", "moment", lambda run: reported_times(run).ended_at),
    RunColumn("created_at", "Recorded", "moment", lambda run: run.created_at, "created_at"),
    RunColumn("sample", "Unit class", "text", lambda run: run.unit.sample or ""),
    RunColumn("slot", "Slot", "text", lambda run: run.slot_name or run.slot_key or ""),
    RunColumn("execution_id", "Execution", "text", lambda run: run.execution_id or ""),
    RunColumn("docstring", "Note", "text", lambda run: run.docstring or ""),
    RunColumn("tags", "Tags", "text", lambda run: ", ".join(tag.name for tag in run.tags or ())),
    RunColumn("cause", "Cause", "text", lambda run: run.cause or ""),
    RunColumn("voided", "Voided", "text", lambda run: run.void.reason if run.void else ""),
    RunColumn("reported_as", "Reported as", "text", lambda run: reported_words(run.corrected)),
]
COLUMNS: Mapping[str, RunColumn] = {column.name: column for column in _OTHERS}
USUAL_COLUMNS: Sequence[ColumnName] = (
    "outcome",
    "part_number",
    "revision_number",
    "batch_number",
    "procedure",
    "version",
    "station",
    "operator",
    "started_at",
    "duration",
)


def reported_words(corrected: Mapping[CorrectedField, str | None]) -> str:
    """What the report of a run said of the fields that were corrected, in words; empty for a run that was not."""
    return ", ".join(f"{name.replace('_', ' ')} {said or 'none'}" for name, said in corrected.items())


def columns_of(chosen: Sequence[ColumnName] | None, noted: Sequence[str] = ()) -> Sequence[RunColumn]:
    """The chosen columns in the table's own order, and always the unit. chosen: None: the usual columns.

    noted: keys of metadata; their columns stand last.
    """
    names = set(USUAL_COLUMNS if chosen is None else chosen)
    shown = [column for column in _OTHERS if column.name in names]
    at = 1 if "outcome" in names else 0
    return [*shown[:at], _UNIT, *shown[at:], *map(_noted_column, noted)]


def _noted_column(key: str) -> RunColumn:
    return RunColumn(f"metadata.{key}", key, "text", lambda run: metadata_text((run.metadata or {}).get(key)))


def metadata_text(value: MetadataValue | None) -> str:
    """A value of metadata as people write it; empty for None."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float():
            return f"{value:.12g}"
        case _:
            return str(value)
