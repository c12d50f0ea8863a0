"""Apply the sender's statements to the reports of a file. They fill gaps; they replace values only where told to.

A serial number that an importer composes of lot, wafer and part id is in no file, so a stated serial number replaces
it. One stated serial number never replaces several, because that would merge units.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from runcard.domain.errors import InvalidInput, Issue, NotSaid
from runcard.domain.floor.repair import RepairReport
from runcard.domain.floor.statement import (
    FIELDS,
    FILE,
    NOTHING_STATED,
    StatedField,
    Statement,
    filled_in,
    values_found,
)
from runcard.domain.metadata import Metadata
from runcard.domain.runs.report import RunReport
from runcard.importers.report.remarks import Remark

# How much of a file's content a pattern searches.
CONTENT_BYTES = 1 << 20

_PACKED = frozenset((".gz", ".bz2"))
# The testers' names for things that have another name in a report.
_ALIASES = {"lot": "batch_number", "wafer": "wafer_id", "sublot": "sublot_id"}


class Stating(Struct, frozen=True, array_like=True):
    """What the sender states about one file.

    place: the name of the file, with its folder where that is known. procedure: id of the procedure of all runs,
    whatever the file says. part_number: for runs that name none.
    """

    place: str = ""
    procedure: str | None = None
    part_number: str | None = None
    statement: Statement = NOTHING_STATED


class StatedReport(NamedTuple):
    """stated: the fields whose values were stated and do not come from the file."""

    report: RunReport | RepairReport
    stated: tuple[StatedField, ...] = ()


class Mend(NamedTuple):
    """How to make files of a format say what they lack. path: the place in the file; None: there is no such place."""

    text: str
    path: tuple[str, ...] | None = None


class Rules(NamedTuple):
    """How statements apply to a format. mends: by field, how to make its files say what they lack.

    composes: the importer composes serial numbers, which are in no file. is_retest: whether the metadata of a run say
    that its unit was tested before.
    """

    mends: Mapping[str, Mend] = {}
    composes: bool = False
    is_retest: Callable[[Metadata], bool] = lambda _: False


def with_statement(
    reports: Iterable[RunReport | RepairReport | Remark], stating: Stating, rules: Rules, content: bytes
) -> Iterator[StatedReport | Remark]:
    """The reports with the statements applied, and remarks. content: the file's first bytes, for a content pattern.

    Raises NotSaid where a value is neither in the file nor stated, and InvalidInput where a statement cannot apply.
    """
    applied = _Applied(stating, rules, _values(stating, content))
    for report in reports:
        if isinstance(report, Remark):
            yield report
        else:
            yield StatedReport(report) if isinstance(report, RepairReport) else applied.to(report)


def _values(stating: Stating, content: bytes) -> Mapping[StatedField, str]:
    """The values stated for all runs of a file: those given, else from its name, else from its content."""
    statement = stating.statement
    found: dict[StatedField, str] = {}
    if statement.content_pattern is not None:
        found |= values_found(statement.content_pattern, _text(content))
    if statement.name_pattern is not None:
        found |= values_found(statement.name_pattern, stating.place)
    given: dict[StatedField, str | None] = {
        "serial_number": statement.serial_number,
        "part_number": stating.part_number,
    }
    return found | {field: value for field, value in given.items() if value is not None}


def _text(content: bytes) -> str:
    is_wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    return content.decode("utf-16" if is_wide else "utf-8-sig", "replace")


class _Applied:
    """Applies the statements about one file to its reports, one after the other."""

    def __init__(self, stating: Stating, rules: Rules, values: Mapping[StatedField, str]) -> None:
        self._stating = stating
        self._rules = rules
        self._values = values
        self._replaced: str | None = None

    def to(self, report: RunReport) -> StatedReport:
        changes: dict[str, object] = {
            field: value for field in FIELDS if (value := self._stated(report, field)) is not None
        }
        stated = tuple(field for field in FIELDS if field in changes)
        if "procedure" in changes:
            changes["procedure_is_name"] = True
        if self._stating.procedure is not None:
            changes |= {"procedure": self._stating.procedure, "procedure_is_name": False}
            stated = tuple(field for field in FIELDS if field in changes)
        self._check_complete(report, stated)
        return StatedReport(replace(report, **changes) if changes else report, stated)

    def _stated(self, report: RunReport, field: StatedField) -> str | None:
        """The value that replaces the report's own; None where the report keeps its own."""
        own = getattr(report, field)
        is_in_file = bool(own) and not (field == "serial_number" and self._rules.composes)
        if is_in_file and not self._stating.statement.overrides:
            return None
        value = self._values.get(field)
        if field == "serial_number":
            template = self._stating.statement.serial_number_template
            if template is not None:
                return filled_in(template, self._names(report))
            if value is not None and own:
                self._check_one_unit(own)
        return None if value == own else value

    def _check_one_unit(self, serial_number: str) -> None:
        self._replaced = self._replaced or serial_number
        if serial_number != self._replaced:
            raise InvalidInput.at(
                "serial_number",
                f"one is stated, but the file has several units, such as {self._replaced} and {serial_number}; state a "
                "serial number template, such as {file}-{serial_number}, or none",
            )

    def _names(self, report: RunReport) -> dict[str, object]:
        """The values for a template: those stated, else the report's own and its metadata."""
        values: dict[str, object] = {FILE: _stem(self._stating.place), **(report.metadata or {})}
        values.update((field, value) for field in FIELDS if (value := getattr(report, field)))
        values.update(self._values.items())
        return values | {alias: values[name] for alias, name in _ALIASES.items() if name in values}

    def _check_complete(self, report: RunReport, stated: tuple[StatedField, ...]) -> None:
        lacking: list[StatedField] = [
            field
            for field in ("procedure", "serial_number")
            if not getattr(report, field) and field not in stated
        ]
        if lacking:
            raise NotSaid([self._lack(report, field) for field in lacking], lacking[0])

    def _lack(self, report: RunReport, field: StatedField) -> Issue:
        what = "the file names no procedure" if field == "procedure" else "the file names no unit"
        if report.procedure and not self._stating.procedure:
            what = f"the report of {report.procedure!r} names no unit"
        mend = self._rules.mends.get(field, Mend(""))
        statement, searched = self._stating.statement, []
        if statement.name_pattern is not None:
            searched.append(f"name_pattern finds none in {self._stating.place!r}")
        if statement.content_pattern is not None:
            searched.append("content_pattern finds none in the content")
        return Issue(mend.path or (field,), "; ".join(filter(None, (what, *searched, mend.text))))


def _stem(place: str) -> str:
    """The name without folder and ending: `lot1` for `a/lot1.stdf.gz`."""
    name = PurePosixPath(place.replace("\\", "/"))
    if name.suffix.lower() in _PACKED:
        name = name.with_suffix("")
    return name.stem
