"""Fields that a run needs and a report file does not hold, and how to state them at each door."""

from collections.abc import Mapping
from typing import NamedTuple

from runcard.domain.errors import (
    Issue,
    NotSaid,
    PartNumberMissing,
    PartNumberUnreadable,
    ReportRefused,
    RuncardError,
)

# All doors are named, because a file that was refused at one door may be looked at through another.
_WAYS: Mapping[str, str] = {
    "serial_number": "--serial-number or --name-pattern (command line), Serial number (page), serial_number or "
    "name_pattern (REST)",
    "part_number": "--part-number (command line), Part number (page), part_number (REST)",
    "procedure": "--procedure (command line), Procedure (page), procedure_id (REST)",
}


class Lacking(NamedTuple):
    """Why a file was refused. lacks: the field of a run that must be stated to mend it; None: stating a field won't."""

    reason: str
    lacks: str | None = None


def lacking(error: RuncardError) -> Lacking:
    """Why a file was refused, in words for its sender."""
    match error:
        case ReportRefused(cause=cause):
            of_report = _of_report(cause, error.serial_number)
            refused = ReportRefused(error.position, error.serial_number, RuncardError(of_report.reason))
            return Lacking(refused.summary, of_report.lacks)
        case NotSaid():
            issues = "; ".join(_at_its_place(issue) for issue in error.issues)
            return Lacking(f"{_required(error.field)}: {issues}. {_state(error.field)}", error.field)
        case _:
            return _of_report(error, None)


def _at_its_place(issue: Issue) -> str:
    """The message of an issue, with its place in the file unless that has the name of the run's field."""
    return issue.message if issue.location in _WAYS else f"{issue.message} ({issue.location})"


def _of_report(error: RuncardError, serial_number: str | None) -> Lacking:
    unit = "a new unit" if serial_number is None else f"unit {serial_number}, which is new"
    field = "part_number"
    match error:
        case PartNumberMissing():
            rule = "no rule of the organization reads one from serial numbers"
        case PartNumberUnreadable():
            rule = "the rule of the organization finds none in its serial number"
        case _:
            return Lacking(error.summary)
    return Lacking(f"{_required(field)}: the file names none for {unit}, and {rule}. {_state(field)}", field)


def _required(field: str) -> str:
    return f"{field.replace('_', ' ').capitalize()} is required"


def _state(field: str) -> str:
    return f"State it for the import: {_WAYS[field]}."
