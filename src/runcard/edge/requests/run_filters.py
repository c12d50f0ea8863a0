"""Which runs: from the parameters of a query to the conditions that lists and questions share."""

from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec
from msgspec import Struct

from runcard.domain.errors import InvalidInput, Issue
from runcard.domain.floor.sample import SampleClass
from runcard.domain.instant import as_utc, parse_duration
from runcard.store.lists.run_filter import RunFilter
from runcard.store.metadata import MetadataTest

SampleQuery = Literal["production", "golden", "failing", "ignored"]

_MAX_TESTS = 5

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


class MetadataTestBody(Struct, forbid_unknown_fields=True):
    """What a value must keep: a text is one of some or contains one, a number lies within bounds, a boolean is so."""

    in_: list[str] | None = msgspec.field(default=None, name="in")
    contains: str | None = None
    eq: float | bool | None = None
    gte: float | None = None
    lte: float | None = None
    gt: float | None = None
    lt: float | None = None


_tests = msgspec.json.Decoder(dict[str, MetadataTestBody])


def metadata_tests(text: str | None) -> list[MetadataTest]:
    """What the `metadata` parameter of a list asks for: a JSON object in one text. Raises InvalidInput."""
    if text is None:
        return []
    try:
        asked = _tests.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput.at("metadata", f"cannot be read: {error}") from error
    if len(asked) > _MAX_TESTS:
        raise InvalidInput.at("metadata", f"asks for {len(asked)} keys; use at most {_MAX_TESTS}")
    return [
        MetadataTest(key, one.in_, one.contains, one.eq, one.gte, one.lte, one.gt, one.lt)
        for key, one in asked.items()
    ]
