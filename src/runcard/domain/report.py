"""What a station claims of one run, in one shape for every door and format."""

from datetime import datetime, timedelta

from msgspec import Struct

from runcard.domain.outcome import RunOutcome
from runcard.domain.phase import Log, Phase

MAX_NAME_LENGTH = 255


class RunReport(Struct, frozen=True, kw_only=True, gc=False):
    """A claimed run. Texts are trimmed by whoever makes the report; None means "not said".

    procedure: identifier (FVT1) or id of an existing procedure.
    started_at: None: the moment of reception.
    duration: from start to end, never negative.
    sub_units: serial numbers of existing units that become children of the unit, in order.
    steps: the deprecated v1 steps, kept as they came beside the phases made of them.
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
