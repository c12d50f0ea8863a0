"""Repairs: what was found wrong with a unit outside of any run, and what was done about it."""

from datetime import datetime

from msgspec import Struct

from runcard.domain.metadata import Metadata
from runcard.domain.runs.outcome import RunOutcome

# The metadata key of a run that holds the id of its report. A repair finds its run by this id.
REPORT_ID = "report_id"


class RepairFailure(Struct, frozen=True, array_like=True):
    """One fault. component: its place on the board (R12). step_name: the step of the run that found the fault.

    serial_number: the sub-unit with the fault; None: the unit itself.
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
    """A sub-unit that a repair handled. replaced: serial number of the sub-unit whose place it took."""

    serial_number: str | None = None
    part_number: str | None = None
    revision_number: str | None = None
    part_type: str | None = None
    replaced: str | None = None


class RepairReport(Struct, frozen=True, array_like=True):
    """A repair as it was reported, which is also how it is stored. Add new fields at the end, with defaults: stored
    repairs stay readable.

    part_number, revision_number: create the unit with these where nobody has recorded it.
    operation: the kind of repair.
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
