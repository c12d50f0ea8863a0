"""The form that maps the columns of a table: what it proposes, what was filled in, and the mapping that results."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from runcard.domain.errors import InvalidInput, Issue
from runcard.importers.tables.head import TableHead
from runcard.importers.tables.mapping import TableMapping
from runcard.importers.tables.mapping_guess import Guess
from runcard.web.frame.forms import Fields
from runcard.web.lists.filters import Choice

# The fields of a run: the name in a mapping, and the name for people.
FIELDS = {
    "serial_number": "Serial number",
    "outcome": "Outcome",
    "started_at": "Started",
    "ended_at": "Ended",
    "part_number": "Part",
    "revision_number": "Revision",
    "batch_number": "Batch",
    "operated_by": "Operator",
    "docstring": "Remark",
}
_NEEDED = ("serial_number", "outcome", "started_at", "ended_at")
RUNS = {"row": "Each row", "serial_number": "All rows of a serial number", "file": "The whole file"}
_OUTCOMES = ("PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED")


class FieldSource(NamedTuple):
    """Where a field comes from: a column, or else a fixed value. Both empty: the field is not set."""

    column: str = ""
    value: str = ""


class MeasuredColumn(NamedTuple):
    """A column as a measurement, its details as texts. is_chosen: the column is a measurement at all."""

    is_chosen: bool
    name: str = ""
    uom: str = ""
    lower: str = ""
    upper: str = ""


class Draft(NamedTuple):
    """The contents of the form, valid or not. passing, failing: texts, separated by commas.

    measured: by the position of the column. noted: the positions of columns that become metadata.
    """

    runs: str
    sources: Mapping[str, FieldSource]
    passing: str
    failing: str
    measured: Mapping[int, MeasuredColumn]
    noted: frozenset[int]

    @classmethod
    def proposed(cls, head: TableHead, guessed: Guess) -> "Draft":
        found = {one.column: one for one in guessed.measurements}
        return cls(
            "row",
            {field: FieldSource(guessed.columns.get(field, "")) for field in FIELDS},
            ", ".join(guessed.passing),
            ", ".join(guessed.failing),
            {
                position: MeasuredColumn(True, found[title].name, found[title].uom)
                for position, title in enumerate(head.columns)
                if title in found
            },
            frozenset(),
        )

    @classmethod
    def filled_in(cls, fields: Fields, head: TableHead) -> "Draft":
        positions = range(len(head.columns))
        return cls(
            fields.get("runs", ""),
            {
                one: FieldSource(fields.get(f"{one}_column", ""), fields.get(f"{one}_value", "").strip())
                for one in FIELDS
            },
            fields.get("passing", ""),
            fields.get("failing", ""),
            {
                at: MeasuredColumn(
                    f"measured_{at}" in fields,
                    *(fields.get(f"{name}_{at}", "").strip() for name in ("name", "uom", "lower", "upper")),
                )
                for at in positions
            },
            frozenset(at for at in positions if f"noted_{at}" in fields),
        )

    def mapping(self, head: TableHead) -> TableMapping:
        """The mapping that the form describes. Raises InvalidInput with an issue for all that is missing or wrong."""
        issues: list[Issue] = []
        body: dict[str, Any] = {
            "runs": self.runs,
            "fields": dict(self._sources(issues)),
            "measurements": {"columns": columns}
            if (columns := list(self._columns(head, issues)))
            else {"layout": "none"},
        }
        if self.noted:
            body["metadata"] = [{"key": _key(title), "column": title} for title in self._noted(head)]
        if issues:
            raise InvalidInput(issues)
        try:
            return msgspec.convert(body, TableMapping)
        except msgspec.ValidationError as error:
            raise InvalidInput.at("mapping", str(error)) from error

    def _sources(self, issues: list[Issue]) -> Iterator[tuple[str, Any]]:
        for field, source in self.sources.items():
            if source.column:
                found: dict[str, Any] = {"column": source.column}
                if field == "outcome":
                    found["valueMap"] = {
                        **dict.fromkeys(_texts(self.passing), "PASS"),
                        **dict.fromkeys(_texts(self.failing), "FAIL"),
                    }
                yield field, found
            elif source.value:
                if field == "outcome" and source.value.upper() not in _OUTCOMES:
                    issues.append(
                        Issue((field,), f"Outcome {source.value!r} is none of {', '.join(_OUTCOMES)}")
                    )
                yield field, {"value": source.value.upper() if field == "outcome" else source.value}
            elif field in _NEEDED:
                issues.append(Issue((field,), f"{FIELDS[field]}: choose its column, or give a fixed value"))

    def _columns(self, head: TableHead, issues: list[Issue]) -> Iterator[Mapping[str, Any]]:
        for at, one in sorted(self.measured.items()):
            if not one.is_chosen or at >= len(head.columns):
                continue
            title = head.columns[at]
            column: dict[str, Any] = {"column": title}
            if one.name and one.name != title:
                column["name"] = one.name
            if one.uom:
                column["units"] = one.uom
            for field, text in (("lowerLimit", one.lower), ("upperLimit", one.upper)):
                if text:
                    column[field] = _number(title, text, issues)
            yield column

    def _noted(self, head: TableHead) -> Sequence[str]:
        return [head.columns[at] for at in sorted(self.noted) if at < len(head.columns)]


class FieldLine(NamedTuple):
    """A field of a run, with the columns that it can come from. is_needed: every run needs it."""

    field: str
    label: str
    is_needed: bool
    columns: Sequence[Choice]
    value: str


class ColumnLine(NamedTuple):
    """A column that can be a measurement. used_as: the fields of the run that come from it, as text."""

    position: int
    title: str
    samples: str
    used_as: str
    measured: MeasuredColumn
    is_noted: bool


def field_lines(draft: Draft, head: TableHead) -> Sequence[FieldLine]:
    titles = [title for title in dict.fromkeys(head.columns) if title]
    return [
        FieldLine(
            field,
            label,
            field in _NEEDED,
            [Choice(title, title, title == draft.sources[field].column) for title in titles],
            draft.sources[field].value,
        )
        for field, label in FIELDS.items()
    ]


def column_lines(draft: Draft, head: TableHead) -> Sequence[ColumnLine]:
    used: dict[str, list[str]] = {}
    for field, source in draft.sources.items():
        used.setdefault(source.column, []).append(FIELDS[field])
    return [
        ColumnLine(
            at,
            title,
            ", ".join(head.texts[at][:3]),
            ", ".join(used.get(title, ())),
            draft.measured.get(at, MeasuredColumn(is_chosen=False)),
            at in draft.noted,
        )
        for at, title in enumerate(head.columns)
        if title
    ]


def _texts(text: str) -> Sequence[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _key(title: str) -> str:
    """The key of metadata for a column: its title, in the characters that keys may have."""
    kept = "".join(one if one.isascii() and (one.isalnum() or one in "_.-") else "_" for one in title)
    return kept[:40].strip("_") or "column"


def _number(title: str, text: str, issues: list[Issue]) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        issues.append(
            Issue((title,), f"{title}: limit {text!r} is no number; give a number, or leave it empty")
        )
        return 0.0
