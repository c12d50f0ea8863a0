"""Reports of a file with what was stated of them: it fills what they do not say, and replaces it only where asked to.

Serial numbers that an importer composes of lots, wafers and part ids are said by no file, so a stated one takes their
place. One serial number never takes the place of several, or units would be merged.
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

# As much of a file's content as a pattern looks at.
CONTENT_BYTES = 1 << 20

_PACKED = frozenset((".gz", ".bz2"))
# What testers call things that have another name in a report.
_ALIASES = {"lot": "batch_number", "wafer": "wafer_id", "sublot": "sublot_id"}


class Stating(Struct, frozen=True, array_like=True):
    """What is stated of one file.

    place: its name, with its folder where that is known. procedure: id of that of all runs, whatever they say.
    part_number: of runs that name none.
    """

    place: str = ""
    procedure: str | None = None
    part_number: str | None = None
    statement: Statement = NOTHING_STATED


class StatedReport(NamedTuple):
    """stated: what of it was stated, and not said by the file."""

    report: RunReport | RepairReport
    stated: tuple[StatedField, ...] = ()


class Mend(NamedTuple):
    """How a file would say what it does not. path: where in the file; None: it has no such place."""

    text: str
    path: tuple[str, ...] | None = None


class Rules(NamedTuple):
    """What a format has to do with it. mends: how a file of the format would say what it does not, by field.

    composes: its serial numbers are composed, and no file says them. is_retest: whether metadata of a run say that its
    unit was tested before.
    """

    mends: Mapping[str, Mend] = {}
    composes: bool = False
    is_retest: Callable[[Metadata], bool] = lambda _: False


def with_statement(
    reports: Iterable[RunReport | RepairReport | Remark], stating: Stating, rules: Rules, content: bytes
) -> Iterator[StatedReport | Remark]:
    """The reports as they are recorded, and remarks. content: how the file begins, where a pattern is to look at it.

    Raises NotSaid where something is neither said nor stated, InvalidInput where what is stated cannot be.
    """
    applied = _Applied(stating, rules, _values(stating, content))
    for report in reports:
        if isinstance(report, Remark):
            yield report
        else:
            yield StatedReport(report) if isinstance(report, RepairReport) else applied.to(report)


def _values(stating: Stating, content: bytes) -> Mapping[StatedField, str]:
    """What is stated of all runs of the file: what was given, else what its name tells, else what its content tells."""
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
    """What is stated of one file, applied to one report after the other."""

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
        self._check_said(report, stated)
        return StatedReport(replace(report, **changes) if changes else report, stated)

    def _stated(self, report: RunReport, field: StatedField) -> str | None:
        """What takes the place of what a report says; None where that stays."""
        said = getattr(report, field)
        is_said = bool(said) and not (field == "serial_number" and self._rules.composes)
        if is_said and not self._stating.statement.overrides:
            return None
        value = self._values.get(field)
        if field == "serial_number":
            template = self._stating.statement.serial_number_template
            if template is not None:
                return filled_in(template, self._names(report))
            if value is not None and said:
                self._check_one_unit(said)
        return None if value == said else value

    def _check_one_unit(self, said: str) -> None:
        self._replaced = self._replaced or said
        if said != self._replaced:
            raise InvalidInput.at(
                "serial_number",
                f"one is stated, and the file tells of several units, such as {self._replaced} and {said}; state a "
                "serial number template, such as {file}-{serial_number}, or none",
            )

    def _names(self, report: RunReport) -> dict[str, object]:
        """What a template may take: what is stated, else what the report says, its metadata too."""
        said: dict[str, object] = {FILE: _stem(self._stating.place), **(report.metadata or {})}
        said.update((field, value) for field in FIELDS if (value := getattr(report, field)))
        said.update(self._values.items())
        return said | {alias: said[name] for alias, name in _ALIASES.items() if name in said}

    def _check_said(self, report: RunReport, stated: tuple[StatedField, ...]) -> None:
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
        statement, looked = self._stating.statement, []
        if statement.name_pattern is not None:
            looked.append(f"name_pattern finds none in {self._stating.place!r}")
        if statement.content_pattern is not None:
            looked.append("content_pattern finds none in the content")
        return Issue(mend.path or (field,), "; ".join(filter(None, (what, *looked, mend.text))))


def _stem(place: str) -> str:
    """The name without folder and ending: `lot1` of `a/lot1.stdf.gz`."""
    name = PurePosixPath(place.replace("\\", "/"))
    if name.suffix.lower() in _PACKED:
        name = name.with_suffix("")
    return name.stem
