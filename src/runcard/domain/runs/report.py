"""What a station claims of one run, in one shape for every door and format."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from msgspec import Struct

from runcard.domain.errors import Issue
from runcard.domain.metadata import Metadata
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.parameter import Parameter, Secret
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.sequence import PhaseSequence

MAX_NAME_LENGTH = 255


def name_issues(path: tuple[str | int, ...], name: str | None) -> Iterator[Issue]:
    """What keeps a text from being a name in a report."""
    if name is None:
        return
    if len(name) > MAX_NAME_LENGTH:
        yield Issue(path, f"{path[0]} has {len(name)} characters; use at most {MAX_NAME_LENGTH} characters")
    if "\0" in name:
        yield Issue(path, f"{path[0]} contains a NUL character; remove it")


class UnitDescription(Struct, frozen=True, gc=False):
    """A unit as a report describes it, to be created from. revision_number: None: the default of its part."""

    serial_number: str
    part_number: str
    revision_number: str | None = None
    batch_number: str | None = None


class RunReport(Struct, frozen=True, kw_only=True, gc=False):
    """A claimed run. Texts are trimmed by whoever makes the report; None means "not said".

    procedure: identifier (FVT1) or id of an existing procedure; where `procedure_is_name`, the name that a file gives
        its procedure, which is found without case, or created.
    started_at: None: the moment of reception.
    duration: from start to end, never negative.
    operated_by: e-mail of the operator, who must be a member.
    operator: e-mail or name of the operator; kept as it is where it is nobody's e-mail. Instead of operated_by.
    sub_units: serial numbers of units that become children of the unit, in order; they exist, or `new_sub_units`
        describes them.
    new_sub_units: those among the sub-units that are created where nobody has recorded them.
    steps: the deprecated v1 steps, kept as they came beside the phases made of them.
    client_run_ref: the station's own key for this report; sent again, it names the run that is there already.
    execution_id, slot_key, slot_name: one start of a fixture with several slots, and the slot of this unit.
    unit_metadata: what to note about the unit, beside what is noted already.
    """

    procedure: str
    serial_number: str
    outcome: RunOutcome
    started_at: datetime | None = None
    duration: timedelta = timedelta()
    part_number: str | None = None
    revision_number: str | None = None
    batch_number: str | None = None
    procedure_version: str | None = None
    operated_by: str | None = None
    sub_units: tuple[str, ...] = ()
    docstring: str | None = None
    phases: tuple[Phase, ...] = ()
    logs: tuple[Log, ...] = ()
    steps: list[object] | None = None
    operator: str | None = None
    client_run_ref: str | None = None
    execution_id: str | None = None
    slot_key: str | None = None
    slot_name: str | None = None
    deployment_id: UUID | None = None
    sequences: tuple[PhaseSequence, ...] = ()
    config: tuple[Parameter, ...] = ()
    secrets: tuple[Secret, ...] = ()
    metadata: Metadata | None = None
    unit_metadata: Metadata | None = None
    procedure_is_name: bool = False
    new_sub_units: tuple[UnitDescription, ...] = ()
