"""Repairs: what was found wrong with a unit outside of any run, and what was done about it."""

from datetime import datetime

from msgspec import Struct

from runcard.domain.metadata import Metadata
from runcard.domain.runs.outcome import RunOutcome

# The metadata of a run under which stands which report it came of; repairs know the run by it.
REPORT_ID = "report_id"


class RepairFailure(Struct, frozen=True, array_like=True):
    """One fault. component: where it sits on the board (R12). step_name: the step of the run that found it.

    serial_number: the sub-unit that had it; None: the unit itself.
    """

    code: str | None = None
    category: str | None = None
    comment: str | None = None
    component: str | None = None
    function_block: str | None = None
    component_number: str | None = None
    component_revision: str | None = None
    component_vendor: str | None = None
    component_description: str | None = None
    step_id: int | str | None = None
    step_name: str | None = None
    serial_number: str | None = None


class RepairedPart(Struct, frozen=True, array_like=True):
    """A sub-unit that a repair looked at. replaced: serial number of the one whose place it took."""

    serial_number: str | None = None
    part_number: str | None = None
    revision_number: str | None = None
    part_type: str | None = None
    replaced: str | None = None


class RepairReport(Struct, frozen=True, array_like=True):
    """A claimed repair, and what is kept of it. New fields go to the end, with defaults, as old ones stay readable.

    part_number, revision_number: what to create the unit with where nobody has recorded it.
    operation: what kind of repair it was.
    operator: e-mail or name.
    of_report: id of the report of the run that sent the unit to repair. of_operation: the operation of that run.
    """

    serial_number: str
    operation: str
    outcome: RunOutcome
    started_at: datetime
    part_number: str | None = None
    revision_number: str | None = None
    operator: str | None = None
    comment: str | None = None
    of_report: str | None = None
    of_operation: str | None = None
    failures: tuple[RepairFailure, ...] = ()
    parts: tuple[RepairedPart, ...] = ()
    metadata: Metadata = {}
