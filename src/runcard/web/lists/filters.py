"""The filter bar: which runs a page of figures is about. It is part of the page's URL."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple, TypeVar, get_args
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from msgspec import Struct

from runcard.analytics.attempts import Attempts
from runcard.analytics.snapshot import Selection
from runcard.domain.floor.sample import SampleChoice
from runcard.edge.requests.queries import QueryReader
from runcard.edge.requests.unknown_names import refuse_parameters
from runcard.store.lists.choices import Choices
from runcard.store.lists.run_filter import RunFilter
from runcard.web.frame.definitions import WHICH_RUNS
from runcard.web.frame.visit import AnyVisit, WithVisit
from runcard.web.lists.period import PERIODS, RANGE, PeriodQuery, window_of

T = TypeVar("T")

_SAMPLES = {
    "": "Production",
    "golden": "Golden samples",
    "failing": "Failing samples",
    "ignored": "Ignored units",
}


class FilterQuery(PeriodQuery, kw_only=True):
    """Which runs a page is about."""

    procedure: UUID | None = None
    station: UUID | None = None
    part: str | None = None
    revision: str | None = None
    batch: str | None = None
    version: str | None = None
    sample: SampleChoice | None = None


class FigureQuery(FilterQuery, kw_only=True):
    """That of a page of figures. attempts: None: those that are usual for the page, or for each of its questions."""

    attempts: Attempts | None = None


class Choice(NamedTuple):
    value: str
    name: str
    is_chosen: bool


class Field(NamedTuple):
    """choices: of a list to choose one from; of a text: those to be proposed. type: of a text, as HTML calls it.

    days: of a period: from and to, which are shown where it is `range`.
    """

    name: str
    label: str
    value: str
    choices: Sequence[Choice]
    is_text: bool
    type: str = "text"
    days: Sequence["Field"] = ()


class FilterBar(NamedTuple):
    """fields: those that are shown. kept: what else the page's URL says."""

    action: str
    fields: Sequence[Field]
    kept: Sequence[tuple[str, str]]


class _PageQueryReader(QueryReader[T]):
    """Who is not logged in is asked to do so first."""

    def __call__(self, request: Request, _visit: WithVisit) -> T:
        return self.read(request)


def refuse_unknown_parameters(request: Request, visit: AnyVisit) -> None:
    """For each page. Who is not logged in is asked to do so first."""
    if visit is not None:
        refuse_parameters(request)


def page_query(wanted: type[T]) -> Any:
    """A dependency that is the query of a page as `wanted`."""
    return Depends(_PageQueryReader(wanted))


def selection_of(query: FigureQuery, zone: ZoneInfo, now: datetime) -> Selection:
    """The runs that a page of figures is about. Raises as `run_filter_of` does."""
    return Selection(run_filter_of(query, zone, now), query.attempts)


def run_filter_of(query: FilterQuery, zone: ZoneInfo, now: datetime) -> RunFilter:
    """The runs that a page is about. Raises InvalidInput where `since` or `until` says nothing."""
    after, before = window_of(query, zone, now)
    return RunFilter(
        started_after=after,
        started_before=before,
        procedure_ids=_one(query.procedure),
        created_by_station_ids=_one(query.station),
        part_numbers=_one(query.part),
        revision_numbers=_one(query.revision),
        batch_numbers=_one(query.batch),
        procedure_versions=_one(query.version),
        samples=_one(query.sample),
    )


def url_of(path: str, asked: Struct, /, **changes: object) -> str:
    """The address of a page that is about the same, but for some changes; None takes a part of it away."""
    values = {name: getattr(asked, name) for name in asked.__struct_fields__} | changes
    defaults = dict(zip(asked.__struct_fields__, asked.__struct_defaults__, strict=True))
    said = {
        name: [str(one) for one in value] if isinstance(value, list) else str(value)
        for name, value in values.items()
        if value is not None and value != defaults.get(name)
    }
    return f"{path}?{urlencode(said, doseq=True)}" if said else path


def said_of(query: Struct, *names: str) -> Sequence[tuple[str, str]]:
    """Return what these members say that is not usual, as hidden fields of a form: what it leaves as it is."""
    usual = dict(zip(query.__struct_fields__, query.__struct_defaults__, strict=True))
    values = [(name, getattr(query, name)) for name in names]
    return [(name, str(value)) for name, value in values if value is not None and value != usual[name]]


def filters_of(query: FigureQuery) -> FigureQuery:
    """Only what every page of figures may be asked: for links from one to another."""
    return FigureQuery(**{name: getattr(query, name) for name in FigureQuery.__struct_fields__})


def filter_bar(
    action: str,
    query: FilterQuery,
    choices: Choices,
    without: Sequence[str] = (),
    more: Sequence[Field] = (),
    left: Sequence[str] = (),
) -> FilterBar:
    """The bar that shows what is asked and lets it be changed.

    without: fields that the page does not offer. more: those that only this page has. left: what the URL
    says no more once something else is asked for, such as the place in a list.
    """
    shown = [field for field in filter_fields(query, choices) if field.name not in without] + list(more)
    names = {field.name for field in shown}
    values = [(name, getattr(query, name)) for name in query.__struct_fields__]
    kept = [(name, str(value)) for name, value in values if value is not None and name not in {*names, *left}]
    return FilterBar(action, shown, [pair for pair in kept if pair[0] not in FilterQuery.__struct_fields__])


def filter_fields(query: FilterQuery, choices: Choices) -> Sequence[Field]:
    """The fields of a filter, with what is asked filled in."""
    return [
        period_field(PERIODS, query.period, query.since, query.until),
        choice_field("procedure", "Procedure", query.procedure, [("", "All"), *choices.procedures]),
        choice_field("station", "Station", query.station, [("", "All"), *choices.stations]),
        text_field("part", "Part", query.part, choices.parts),
        text_field("revision", "Revision", query.revision, choices.revisions),
        text_field("batch", "Batch", query.batch, choices.batches),
        text_field("version", "Version", query.version, choices.versions),
        choice_field("sample", "Unit class", query.sample, list(_SAMPLES.items())),
    ]


def attempts_field(
    query: FigureQuery, usual: Attempts = "all", offered: Sequence[Attempts] = get_args(Attempts)
) -> Field:
    """Which runs of each unit count; left alone, those that are usual for the page."""
    chosen = None if query.attempts == usual else query.attempts
    others = [(one, text) for one, text in WHICH_RUNS.items() if one != usual and one in offered]
    return choice_field("attempts", "Attempts", chosen, [("", WHICH_RUNS[usual]), *others])


def period_field(offered: Mapping[str, str], period: str, since: str | None, until: str | None) -> Field:
    """The periods to choose from, and days or moments from and to."""
    chosen = period if since is None and until is None else RANGE
    field = choice_field("period", "Period", chosen, [*offered.items(), (RANGE, "From … to …")])
    return field._replace(days=[_day_field("since", "From", since), _day_field("until", "To", until)])


def choice_field(name: str, label: str, value: object, offered: Sequence[tuple[Any, str]]) -> Field:
    """A field to choose one of several values from, given with what they are called; a blank one says nothing."""
    chosen = "" if value is None else str(value)
    choices = [Choice(str(one), text, str(one) == chosen) for one, text in offered]
    return Field(name, label, chosen, choices, is_text=False)


def text_field(name: str, label: str, value: str | None, offered: Sequence[str] = ()) -> Field:
    """A field to write into, where some values are proposed."""
    choices = [Choice(one, one, one == value) for one in offered]
    return Field(name, label, value or "", choices, is_text=True)


def _day_field(name: str, label: str, value: str | None) -> Field:
    """For a day or a moment; a moment that no input of HTML can show stays as it is written."""
    kinds = {len("2026-01-31"): "date", len("2026-01-31T14:30"): "datetime-local"}
    return text_field(name, label, value)._replace(type=kinds.get(len(value or "2026-01-31"), "text"))


def _one(value: T | None) -> Sequence[T] | None:
    return None if value is None else [value]
