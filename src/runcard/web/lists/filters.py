"""The filter bar, which chooses the runs of a page. Its values are part of the page's URL."""

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

# Before a cause, once for each cause above it.
_INDENT = "\N{EM SPACE}"

_SAMPLES = {
    "": "Production",
    "golden": "Golden samples",
    "failing": "Failing samples",
    "ignored": "Ignored units",
}


class FilterQuery(PeriodQuery, kw_only=True):
    """Which runs a page is about. tag: a name. cause: a code, which stands for its branch."""

    procedure: UUID | None = None
    station: UUID | None = None
    part: str | None = None
    revision: str | None = None
    batch: str | None = None
    version: str | None = None
    sample: SampleChoice | None = None
    tag: str | None = None
    cause: str | None = None


class FigureQuery(FilterQuery, kw_only=True):
    """Which runs a page of figures is about. attempts: None: the usual ones of the page, or of each question."""

    attempts: Attempts | None = None


class Choice(NamedTuple):
    value: str
    name: str
    is_chosen: bool


class Field(NamedTuple):
    """choices: what a list offers, or what a text field proposes. type: of a text field, as HTML names it.

    days: the fields from and to of a period, which are shown if it is `range`.
    """

    name: str
    label: str
    value: str
    choices: Sequence[Choice]
    is_text: bool
    type: str = "text"
    days: Sequence["Field"] = ()


class FilterBar(NamedTuple):
    """fields: the visible ones. kept: the other parameters of the page's URL."""

    action: str
    fields: Sequence[Field]
    kept: Sequence[tuple[str, str]]


class _PageQueryReader(QueryReader[T]):
    """Reads the query of a page, after the visit: a stranger is sent to the log-in before any error of the query."""

    def __call__(self, request: Request, _visit: WithVisit) -> T:
        return self.read(request)


def refuse_unknown_parameters(request: Request, visit: AnyVisit) -> None:
    """Refuse parameters that the page does not know. A stranger is sent to the log-in instead. Raises InvalidInput."""
    if visit is not None:
        refuse_parameters(request)


def page_query(query_type: type[T]) -> Any:
    """A dependency that reads the query of a page as `query_type`."""
    return Depends(_PageQueryReader(query_type))


def selection_of(query: FigureQuery, zone: ZoneInfo, now: datetime) -> Selection:
    """The runs that a page of figures is about. Raises as `run_filter_of` does."""
    return Selection(run_filter_of(query, zone, now), query.attempts)


def run_filter_of(query: FilterQuery, zone: ZoneInfo, now: datetime) -> RunFilter:
    """The filter for the runs of a page. Raises InvalidInput if `since` or `until` is no day or moment."""
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
        tags=_one(query.tag),
        causes=_one(query.cause),
    )


def url_of(path: str, query: Struct, /, **changes: object) -> str:
    """The address of a page with the parameters of `query`, except for `changes`; None removes a parameter."""
    values = {name: getattr(query, name) for name in query.__struct_fields__} | changes
    defaults = dict(zip(query.__struct_fields__, query.__struct_defaults__, strict=True))
    parameters = {
        name: [str(one) for one in value] if isinstance(value, list) else str(value)
        for name, value in values.items()
        if value is not None and value != defaults.get(name)
    }
    return f"{path}?{urlencode(parameters, doseq=True)}" if parameters else path


def hidden_fields(query: Struct, *names: str) -> Sequence[tuple[str, str]]:
    """Return these parameters as the hidden fields of a form that keeps them. Usual values are left out."""
    usual = dict(zip(query.__struct_fields__, query.__struct_defaults__, strict=True))
    values = [(name, getattr(query, name)) for name in names]
    return [(name, str(value)) for name, value in values if value is not None and value != usual[name]]


def filters_of(query: FigureQuery) -> FigureQuery:
    """Only the parameters that every page of figures knows, for links from one to another."""
    return FigureQuery(**{name: getattr(query, name) for name in FigureQuery.__struct_fields__})


def filter_bar(
    action: str,
    query: FilterQuery,
    choices: Choices,
    without: Sequence[str] = (),
    more: Sequence[Field] = (),
    left: Sequence[str] = (),
) -> FilterBar:
    """The bar that shows the filter of a page and lets a reader change it.

    without: fields that the page does not offer. more: fields that only this page has. left: parameters that
    a new filter drops from the URL, such as the place in a list.
    """
    shown = [field for field in filter_fields(query, choices) if field.name not in without] + list(more)
    names = {field.name for field in shown}
    values = [(name, getattr(query, name)) for name in query.__struct_fields__]
    kept = [(name, str(value)) for name, value in values if value is not None and name not in {*names, *left}]
    return FilterBar(action, shown, [pair for pair in kept if pair[0] not in FilterQuery.__struct_fields__])


def filter_fields(query: FilterQuery, choices: Choices) -> Sequence[Field]:
    """The fields of a filter, filled in with its values."""
    return [
        period_field(PERIODS, query.period, query.since, query.until),
        choice_field("procedure", "Procedure", query.procedure, [("", "All"), *choices.procedures]),
        choice_field("station", "Station", query.station, [("", "All"), *choices.stations]),
        text_field("part", "Part", query.part, choices.parts),
        text_field("revision", "Revision", query.revision, choices.revisions),
        text_field("batch", "Batch", query.batch, choices.batches),
        text_field("version", "Version", query.version, choices.versions),
        choice_field("sample", "Unit class", query.sample, list(_SAMPLES.items())),
        *note_fields(query.tag, query.cause, choices),
    ]


def note_fields(tag: str | None, cause: str | None, choices: Choices) -> Sequence[Field]:
    """The fields that choose a tag and a cause; none where the organization has none and the query names none."""
    fields: list[Field] = []
    if choices.tags or tag is not None:
        fields.append(choice_field("tag", "Tag", tag, _with(tag, [(one, one) for one in choices.tags])))
    if choices.causes or cause is not None:
        causes = [(one.code, f"{_INDENT * one.depth}{one.name}") for one in choices.causes]
        fields.append(choice_field("cause", "Cause", cause, _with(cause, causes)))
    return fields


def attempts_field(
    query: FigureQuery, usual: Attempts = "all", offered: Sequence[Attempts] = get_args(Attempts)
) -> Field:
    """The field that chooses which runs of each unit count. usual: what the page counts without a choice."""
    chosen = None if query.attempts == usual else query.attempts
    others = [(one, text) for one, text in WHICH_RUNS.items() if one != usual and one in offered]
    return choice_field("attempts", "Attempts", chosen, [("", WHICH_RUNS[usual]), *others])


def period_field(offered: Mapping[str, str], period: str, since: str | None, until: str | None) -> Field:
    """The field that chooses a period, or days or moments from and to."""
    chosen = period if since is None and until is None else RANGE
    field = choice_field("period", "Period", chosen, [*offered.items(), (RANGE, "From … to …")])
    return field._replace(days=[_day_field("since", "From", since), _day_field("until", "To", until)])


def choice_field(name: str, label: str, value: object, offered: Sequence[tuple[Any, str]]) -> Field:
    """A field to choose one of several values. offered: each value with its name; the blank value is no choice."""
    chosen = "" if value is None else str(value)
    choices = [Choice(str(one), text, str(one) == chosen) for one, text in offered]
    return Field(name, label, chosen, choices, is_text=False)


def text_field(name: str, label: str, value: str | None, offered: Sequence[str] = ()) -> Field:
    """A field to write into. offered: the values that it proposes."""
    choices = [Choice(one, one, one == value) for one in offered]
    return Field(name, label, value or "", choices, is_text=True)


def _day_field(name: str, label: str, value: str | None) -> Field:
    """A field for a day or a moment; a moment that no input of HTML can show stays a text."""
    kinds = {len("2026-01-31"): "date", len("2026-01-31T14:30"): "datetime-local"}
    return text_field(name, label, value)._replace(type=kinds.get(len(value or "2026-01-31"), "text"))


def _with(chosen: str | None, offered: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """What a field offers: all, what is chosen if it is offered no more, and the others."""
    is_offered = chosen is None or any(one == chosen for one, _ in offered)
    return [("", "All"), *([] if is_offered or chosen is None else [(chosen, chosen)]), *offered]


def _one(value: T | None) -> Sequence[T] | None:
    return None if value is None else [value]
