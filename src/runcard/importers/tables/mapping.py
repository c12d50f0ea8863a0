"""The mapping of a tabular import: which column gives which field of a run. The names are those of the wire."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from runcard.domain.runs.outcome import PhaseOutcome, RunOutcome

T = TypeVar("T")

RowsOfARun = Literal["file", "row", "serial_number"]
# At least one character that is no space, and no NUL.
_SOME_TEXT = r"^[^\x00]*[^\s\x00][^\x00]*$"
_ColumnName = Annotated[str, Meta(min_length=1, max_length=1000, pattern=_SOME_TEXT)]
_Name = Annotated[str, Meta(min_length=1, max_length=255, pattern=_SOME_TEXT)]


class TableField(Struct, omit_defaults=True):
    """The source of a field: a column or a constant."""

    column: _ColumnName | None = None
    value: str | None = None

    def __post_init__(self) -> None:
        _check_one("column", self.column, "value", self.value)


class TableOutcome(Struct, rename="camel", omit_defaults=True):
    """value_map: the outcomes that the texts of the column stand for."""

    column: _ColumnName | None = None
    value: RunOutcome | None = None
    value_map: dict[str, RunOutcome] | None = None

    def __post_init__(self) -> None:
        _check_one("column", self.column, "value", self.value)


class TableFields(Struct, omit_defaults=True):
    serial_number: TableField
    outcome: TableOutcome
    started_at: TableField
    ended_at: TableField
    part_number: TableField | None = None
    revision_number: TableField | None = None
    batch_number: TableField | None = None
    operated_by: TableField | None = None
    docstring: TableField | None = None


class TableMeasurementColumn(Struct, rename="camel", omit_defaults=True):
    """A column with the values of one measurement. name: None: the name of the column."""

    column: _ColumnName
    name: _Name | None = None
    units: str | None = None
    lower_limit: float | None = None
    upper_limit: float | None = None
    phase: _Name | None = None


class TableMeasurements(Struct, rename="camel", omit_defaults=True):
    """wide: `columns` has a column for each measurement. long: a row for each measurement, in the other columns."""

    layout: Literal["none", "wide", "long"] | None = None
    columns: Annotated[list[TableMeasurementColumn], Meta(min_length=1, max_length=10_000)] | None = None
    name_column: _ColumnName | None = None
    value_column: _ColumnName | None = None
    units_column: _ColumnName | None = None
    lower_column: _ColumnName | None = None
    upper_column: _ColumnName | None = None
    outcome_column: _ColumnName | None = None
    phase_column: _ColumnName | None = None

    def __post_init__(self) -> None:
        if self.layout is None:
            self.layout = "wide" if self.columns else "long" if self.name_column else "none"
        if self.layout == "wide":
            if not self.columns:
                raise ValueError("Layout wide needs columns")
            named = [(column.phase, column.name or column.column) for column in self.columns]
            for _, name in _repeated(named):
                raise ValueError(
                    f"Two columns are measurement {name!r}; give each a name or a phase of its own"
                )
        if self.layout == "long" and not (self.name_column and self.value_column):
            raise ValueError("Layout long needs nameColumn and valueColumn")


class TablePhases(Struct, rename="camel", omit_defaults=True):
    """The columns that describe a row's phase. value_map: the outcomes that the texts of its column stand for."""

    name_column: _ColumnName
    outcome_column: _ColumnName | None = None
    started_column: _ColumnName | None = None
    ended_column: _ColumnName | None = None
    value_map: dict[str, PhaseOutcome] | None = None


class TableMetadataRule(Struct, omit_defaults=True):
    key: str
    column: _ColumnName | None = None
    value: str | None = None

    def __post_init__(self) -> None:
        _check_one("column", self.column, "value", self.value)


class TableMapping(Struct, rename="camel", omit_defaults=True):
    """runs: whether the whole file is one run, or each row, or all rows of a serial number."""

    fields: TableFields
    measurements: TableMeasurements
    phases: TablePhases | None = None
    metadata: list[TableMetadataRule] | None = None
    unit_metadata: list[TableMetadataRule] | None = None
    runs: RowsOfARun = "file"

    def __post_init__(self) -> None:
        for rules in (self.metadata, self.unit_metadata):
            for key in _repeated([rule.key for rule in rules or ()]):
                raise ValueError(f"Two rules are for metadata key {key!r}; keep one")


def read_mapping(kept: str) -> TableMapping:
    """The mapping in the JSON of an import template."""
    return msgspec.json.decode(kept, type=TableMapping)


def _check_one(name: str, value: str | None, other_name: str, other: str | None) -> None:
    if (value is None) == (other is None):
        raise ValueError(f"Give {name} or {other_name}, exactly one of them")


def _repeated(items: Sequence[T]) -> Iterator[T]:
    seen: set[T] = set()
    for item in items:
        if item in seen:
            yield item
        seen.add(item)
