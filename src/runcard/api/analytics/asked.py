"""What every question may be asked about: the common parameters."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from msgspec import Meta, Struct

from runcard.analytics.asking import Attempts, Selection
from runcard.analytics.groups import GroupBy
from runcard.domain.outcome import RunOutcome
from runcard.edge.run_filters import SampleQuery, run_filter


class RunsQuery(Struct, kw_only=True):
    """Which runs; unknown parameters are ignored. samples: production only, where nothing is said."""

    started_after: datetime | None = None
    started_before: datetime | None = None
    procedure_ids: list[UUID] | None = None
    procedure_versions: list[str] | None = None
    station_ids: list[UUID] | None = None
    operator_ids: list[UUID] | None = None
    operator_names: list[str] | None = None
    part_numbers: list[str] | None = None
    revision_numbers: list[str] | None = None
    batch_numbers: list[str] | None = None
    serial_numbers: list[str] | None = None
    outcomes: list[RunOutcome] | None = None
    samples: list[SampleQuery] | None = None
    attempts: Attempts = "all"


class GroupedQuery(RunsQuery, kw_only=True):
    """time_zone: IANA name of the zone whose hours, days, weeks and months are meant."""

    group_by: GroupBy | None = None
    time_zone: Annotated[str, Meta(max_length=100)] = "UTC"


def selection_of(asked: RunsQuery) -> Selection:
    """Raises InvalidInput."""
    return Selection(run_filter(asked), asked.attempts)
