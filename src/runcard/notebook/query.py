"""The conditions of a notebook's question, by the names that people type."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypedDict, get_type_hints
from uuid import UUID

import msgspec
from msgspec import Meta

from runcard.analytics.attempts import Attempts
from runcard.analytics.groups import GroupBy
from runcard.analytics.questions.values.control_chart import MAX_LAST, MAX_SUBGROUP_SIZE
from runcard.analytics.questions.values.distributions import MAX_BINS
from runcard.analytics.questions.yields.pareto import ParetoKind
from runcard.analytics.snapshot import Selection
from runcard.analytics.statistics.control_limits import ChartKind
from runcard.domain.errors import InvalidInput, Issue, ProcedureNotFound
from runcard.domain.floor.sample import SampleChoice
from runcard.domain.instant import as_utc
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.violation import violation
from runcard.store.commit.lookups import find_procedure_by_name
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from runcard.store.people.users import get_user
from runcard.store.procedures.rows import get_procedure
from runcard.store.stations.rows import get_station

_Names = Sequence[str]


class AskedRuns(TypedDict, total=False):
    """The runs to ask about. A condition left out matches all runs, but without samples only production runs match.

    started_after, started_before: both ends included; a text is ISO 8601, in UTC if it names no zone. procedures:
    names, identifiers or ids. stations: names or ids. operators: e-mails or ids of members. operator_names: names of
    people who are no members. attempts: left out, those that are usual for the question.
    """

    started_after: datetime | str
    started_before: datetime | str
    procedures: _Names
    procedure_versions: _Names
    stations: _Names
    operators: _Names
    operator_names: _Names
    part_numbers: _Names
    revision_numbers: _Names
    batch_numbers: _Names
    serial_numbers: _Names
    outcomes: Sequence[RunOutcome]
    samples: Sequence[SampleChoice]
    tags: _Names
    causes: _Names
    attempts: Attempts


class _Options(TypedDict, total=False):
    """The options of questions beside the runs, with their bounds."""

    group_by: GroupBy | None
    subgroup_by: GroupBy | None
    kind: ParetoKind
    chart: ChartKind
    bins: Annotated[int, Meta(ge=1, le=MAX_BINS)] | None
    last: Annotated[int, Meta(ge=1, le=MAX_LAST)]
    subgroup_size: Annotated[int, Meta(ge=2, le=MAX_SUBGROUP_SIZE)] | None
    top: Annotated[int, Meta(ge=1, le=200)]
    limit: Annotated[int, Meta(ge=1, le=2000)]
    examples: Annotated[int, Meta(ge=0, le=200)]
    more_than: Annotated[int, Meta(ge=1, le=1_000_000)]
    offset: Annotated[int, Meta(ge=0, le=100_000)]


_RUNS = {**get_type_hints(AskedRuns), "started_after": datetime, "started_before": datetime}
_OPTIONS = get_type_hints(_Options, include_extras=True)


def check(options: Mapping[str, object]) -> None:
    """Check that options are within their bounds. Raises InvalidInput."""
    _converted(options, _OPTIONS)


def selection_of(scope: Scope, conditions: AskedRuns) -> Selection:
    """The selection of these conditions. Raises InvalidInput, or NotFound for an unknown name."""
    runs = _converted(conditions, _RUNS)
    attempts: Attempts | None = runs.pop("attempts", None)
    for name in ("started_after", "started_before"):
        if name in runs:
            runs[name] = as_utc(runs[name])
    lookups: list[tuple[str, str, Callable[[str], UUID]]] = [
        ("procedures", "procedure_ids", lambda name: procedure_id_of(scope, name)),
        ("stations", "created_by_station_ids", lambda name: get_station(scope, name).id),
        ("operators", "operated_by_ids", lambda name: get_user(scope, name).id),
    ]
    for name, condition, id_of in lookups:
        if name in runs:
            runs[condition] = [id_of(reference) for reference in runs.pop(name)]
    if "operator_names" in runs:
        runs["operated_by_names"] = runs.pop("operator_names")
    return Selection(RunFilter(**runs), attempts)


def procedure_id_of(scope: Scope, reference: str) -> UUID:
    """The procedure with this id, identifier or name. Raises ProcedureNotFound."""
    try:
        return get_procedure(scope, reference).id
    except ProcedureNotFound:
        found = find_procedure_by_name(scope, reference)
        if found is None:
            raise
        return found


def _converted(given: Mapping[str, object], kinds: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    issues: list[Issue] = []
    for name, value in given.items():
        if name not in kinds:
            issues.append(Issue((name,), f"is not a condition on runs; use one of {', '.join(kinds)}"))
            continue
        try:
            found[name] = msgspec.convert(_plain(value), kinds[name])
        except msgspec.ValidationError as error:
            issues.append(Issue((name,), violation(error, kinds[name], value).message))
    if issues:
        raise InvalidInput(issues)
    return found


def _plain(value: object) -> object:
    """A datetime subclass of a library, such as that of pandas, as ISO 8601; any other value as it is."""
    return value.isoformat() if isinstance(value, datetime) and type(value) is not datetime else value
