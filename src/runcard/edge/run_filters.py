"""Which runs: from the parameters of a query to the conditions that lists and questions share."""

from datetime import datetime, timedelta
from typing import Any, Literal

from msgspec import Struct

from runcard.domain.errors import InvalidInput, Issue
from runcard.domain.instant import as_utc, parse_duration
from runcard.domain.sample import SampleClass
from runcard.store.run_filter import RunFilter

SampleQuery = Literal["production", "golden", "failing", "ignored"]

# Where the wire and the record call a condition differently.
_NAMES = {
    "search_query": "search",
    "procedure_versions": "version_tags",
    "operated_by_ids": "operator_ids",
    "operated_by_names": "operator_names",
    "station_ids": "created_by_station_ids",
}


def run_filter(asked: Struct, *, without: tuple[str, ...] = (), **also: Any) -> RunFilter:
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
