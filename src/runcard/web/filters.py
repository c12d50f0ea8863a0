"""The filter bar: which runs a page of figures is about. It is part of the page's URL."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, NamedTuple, TypeVar, get_args
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import Depends, Request
from msgspec import Struct

from runcard.analytics.asking import Selection
from runcard.analytics.attempts import Attempts
from runcard.analytics.calendar import Period as Step
from runcard.domain.errors import InvalidInput
from runcard.edge.queries import QueryReader
from runcard.edge.run_filters import SampleQuery, samples_of
from runcard.edge.unknown_names import refuse_parameters
from runcard.store.choices import Choices
from runcard.store.run_filter import RunFilter
from runcard.web.definitions import WHICH_RUNS
from runcard.web.visit import AnyVisit, WithVisit

T = TypeVar("T")

Period = Literal["today", "7", "30", "90", "365", "all"]
_PERIODS = {
    "today": "Today",
    "7": "Last 7 days",
    "30": "Last 30 days",
    "90": "Last 90 days",
    "365": "Last year",
    "all": "All time",
}
_SAMPLES = {
    "": "Production",
    "golden": "Golden samples",
    "failing": "Failing samples",
    "ignored": "Ignored units",
}


class FilterQuery(Struct, kw_only=True):
    """since, until: days of the reader's calendar, both included, in place of `period`."""

    period: Period = "30"
    since: date | None = None
    until: date | None = None
    procedure: UUID | None = None
    station: UUID | None = None
    part: str | None = None
    revision: str | None = None
    batch: str | None = None
    version: str | None = None
    sample: SampleQuery | None = None


class FigureQuery(FilterQuery, kw_only=True):
    """That of a page of figures. attempts: None: those that are usual for the page, or for each of its questions."""

    attempts: Attempts | None = None


class Choice(NamedTuple):
    value: str
    name: str
    is_chosen: bool


class Field(NamedTuple):
    """choices: of a list to choose one from; of a text: those to be proposed. type: of a text, as HTML calls it."""

    name: str
    label: str
    value: str
    choices: Sequence[Choice]
    is_text: bool
    type: str = "text"


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


def selection_of(asked: FigureQuery, zone: ZoneInfo, now: datetime) -> Selection:
    """The runs that a page of figures is about. Raises as `run_filter_of` does."""
    return Selection(run_filter_of(asked, zone, now), asked.attempts)


def run_filter_of(asked: FilterQuery, zone: ZoneInfo, now: datetime) -> RunFilter:
    """The runs that a page is about. Raises InvalidInput where the days are in the wrong order."""
    after, before = _window(asked, zone, now)
    return RunFilter(
        started_after=after,
        started_before=before,
        procedure_ids=_one(asked.procedure),
        created_by_station_ids=_one(asked.station),
        part_numbers=_one(asked.part),
        revision_numbers=_one(asked.revision),
        batch_numbers=_one(asked.batch),
        version_tags=_one(asked.version),
        samples=None if asked.sample is None else samples_of([asked.sample]),
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


def filters_of(asked: FigureQuery) -> FigureQuery:
    """Only what every page of figures may be asked: for links from one to another."""
    return FigureQuery(**{name: getattr(asked, name) for name in FigureQuery.__struct_fields__})


def filter_bar(
    action: str,
    asked: FilterQuery,
    choices: Choices,
    without: Sequence[str] = (),
    more: Sequence[Field] = (),
    left: Sequence[str] = (),
) -> FilterBar:
    """The bar that shows what is asked and lets it be changed.

    without: fields that the page does not offer. more: those that only this page has. left: what the URL
    says no more once something else is asked for, such as the place in a list.
    """
    shown = [field for field in filter_fields(asked, choices) if field.name not in without] + list(more)
    names = {field.name for field in shown}
    values = [(name, getattr(asked, name)) for name in asked.__struct_fields__]
    kept = [(name, str(value)) for name, value in values if value is not None and name not in {*names, *left}]
    return FilterBar(action, shown, [pair for pair in kept if pair[0] not in FilterQuery.__struct_fields__])


def filter_fields(asked: FilterQuery, choices: Choices) -> Sequence[Field]:
    """The fields of a filter, with what is asked filled in."""
    return [
        choice_field("period", "Period", asked.period, list(_PERIODS.items())),
        choice_field("procedure", "Procedure", asked.procedure, [("", "All"), *choices.procedures]),
        choice_field("station", "Station", asked.station, [("", "All"), *choices.stations]),
        text_field("part", "Part", asked.part, choices.parts),
        text_field("revision", "Revision", asked.revision, choices.revisions),
        text_field("batch", "Batch", asked.batch, choices.batches),
        text_field("version", "Version", asked.version, choices.versions),
        choice_field("sample", "Unit class", asked.sample, list(_SAMPLES.items())),
    ]


def attempts_field(
    asked: FigureQuery, usual: Attempts = "all", offered: Sequence[Attempts] = get_args(Attempts)
) -> Field:
    """Which runs of each unit count; left alone, those that are usual for the page."""
    chosen = None if asked.attempts == usual else asked.attempts
    others = [(one, text) for one, text in WHICH_RUNS.items() if one != usual and one in offered]
    return choice_field("attempts", "Attempts", chosen, [("", WHICH_RUNS[usual]), *others])


def choice_field(name: str, label: str, value: object, offered: Sequence[tuple[Any, str]]) -> Field:
    """A field to choose one of several values from, given with what they are called; a blank one says nothing."""
    chosen = "" if value is None else str(value)
    choices = [Choice(str(one), text, str(one) == chosen) for one, text in offered]
    return Field(name, label, chosen, choices, is_text=False)


def text_field(name: str, label: str, value: str | None, offered: Sequence[str] = ()) -> Field:
    """A field to write into, where some values are proposed."""
    choices = [Choice(one, one, one == value) for one in offered]
    return Field(name, label, value or "", choices, is_text=True)


def step_of(asked: FilterQuery) -> Step:
    """How finely time is divided, so that a chart has some tens of points."""
    steps: dict[str, Step] = {"today": "hour", "365": "week", "all": "month"}
    return "day" if asked.since or asked.until else steps.get(asked.period, "day")


def _window(asked: FilterQuery, zone: ZoneInfo, now: datetime) -> tuple[datetime | None, datetime | None]:
    if asked.since is not None or asked.until is not None:
        if asked.since and asked.until and asked.since > asked.until:
            raise InvalidInput.at("since", f"{asked.since} is after until, {asked.until}; exchange them")
        after = None if asked.since is None else _midnight(asked.since, zone)
        before = None if asked.until is None else _midnight(asked.until + timedelta(days=1), zone)
        return after, None if before is None else before - timedelta(microseconds=1)
    today = now.astimezone(zone).date()
    match asked.period:
        case "all":
            return None, None
        case "today":
            return _midnight(today, zone), now
        case days:
            # Whole days, so that the first one is not cut short.
            return _midnight(today - timedelta(days=int(days) - 1), zone), now


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone)


def _one(value: T | None) -> Sequence[T] | None:
    return None if value is None else [value]
