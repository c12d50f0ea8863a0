"""Which runs: the parameters that lists of runs, and of what lies inside them, share."""

from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from runcard.domain.deployment import Environment
from runcard.domain.errors import InvalidInput, Issue
from runcard.domain.instant import as_utc, parse_duration
from runcard.domain.sample import SampleClass
from runcard.edge.paging import PageQuery
from runcard.store.run_filter import RunFilter

SampleQuery = Literal["production", "golden", "failing", "ignored"]


class OfRunsQuery(PageQuery):
    """A list of runs, or of what lies inside runs, in pages."""

    procedure_versions: list[str] | None = None
    deployment_ids: list[UUID] | None = None
    environments: list[Environment] | None = None
    serial_numbers: list[str] | None = None
    part_numbers: list[str] | None = None
    revision_numbers: list[str] | None = None
    batch_numbers: list[str] | None = None
    created_by_user_ids: list[UUID] | None = None
    created_by_station_ids: list[UUID] | None = None


# Where the wire and the record call a condition differently.
_NAMES = {
    "search_query": "search",
    "procedure_versions": "version_tags",
    "operated_by_ids": "operator_ids",
    "operated_by_names": "operator_names",
}


def run_filter(asked: OfRunsQuery, *, without: tuple[str, ...] = (), **also: Any) -> RunFilter:
    """The runs that a query asks for. Raises InvalidInput.

    without: parameters that mean something else in this list. also: conditions beside the query's.
    """
    conditions: dict[str, Any] = {}
    issues: list[Issue] = []
    for name in asked.__struct_fields__:
        value, condition = getattr(asked, name), _NAMES.get(name, name)
        if value is None or name in without or condition not in RunFilter.__struct_fields__:
            continue
        try:
            conditions[condition] = _converted(name, value)
        except ValueError as error:
            issues.append(Issue((name,), str(error)))
    if issues:
        raise InvalidInput(issues)
    return RunFilter(**conditions, **also)


def samples_of(asked: list[SampleQuery]) -> list[SampleClass | None]:
    """Sample classes as the record knows them: production is none."""
    return [None if one == "production" else one for one in asked]


def _converted(name: str, value: Any) -> Any:
    if isinstance(value, datetime):
        return as_utc(value)
    if name in ("duration_min", "duration_max"):
        duration: timedelta = parse_duration(value)
        return duration
    return samples_of(value) if name == "samples" else value
