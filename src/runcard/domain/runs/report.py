"""What a station claims about one run, in one shape for every endpoint and file format."""

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
    """Everything that is wrong with a text as a name in a report. None is valid."""
    if name is None:
        return
    if len(name) > MAX_NAME_LENGTH:
        yield Issue(path, f"{path[0]} has {len(name)} characters; use at most {MAX_NAME_LENGTH} characters")
    if "\0" in name:
        yield Issue(path, f"{path[0]} contains a NUL character; remove it")


class UnitDescription(Struct, frozen=True, gc=False):
    """A unit that a report describes so that it can be created. revision_number: None: the default of its part."""

    serial_number: str
    part_number: str
    revision_number: str | None = None
    batch_number: str | None = None


class RunReport(Struct, frozen=True, kw_only=True, gc=False):
    """A claimed run. The code that makes the report trims its texts; None means "not said".

    procedure: identifier (FVT1) or id of an existing procedure. Where `procedure_is_name`, it is the name of a
        procedure in a file: the procedure is found by it, ignoring case, or created.
    started_at: None: the moment of reception.
    duration: from start to end, never negative.
    operated_by: e-mail of the operator, who must be a member.
    operator: e-mail or name of the operator, used instead of operated_by; kept as text if it is no member's e-mail.
    sub_units: serial numbers of units that become children of the unit, in order. They exist, or `new_sub_units`
        describes them.
    new_sub_units: descriptions of the sub-units that are created where nobody has recorded them.
    steps: the deprecated v1 steps as they came; the phases made from them are in `phases`.
    client_run_ref: the station's own key for this report; a report sent again is found by it and not recorded twice.
    execution_id, slot_key, slot_name: one start of a fixture with several slots, and the slot of this unit.
    unit_metadata: metadata to add to the unit's own.
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
