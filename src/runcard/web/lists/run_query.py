"""The query of the list of runs: which runs, in which order, with which columns."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple
from uuid import UUID

from msgspec import Meta
from msgspec.structs import replace

from runcard.domain.errors import InvalidInput
from runcard.domain.metadata import MAX_KEY_LENGTH
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.text import lookup_key
from runcard.store.engine.scope import Scope
from runcard.store.lists.choices import list_choices
from runcard.store.lists.run_filter import RunFilter
from runcard.store.people.users import User, list_users
from runcard.web.frame.visit import Visit
from runcard.web.lists.filters import (
    Field,
    FilterQuery,
    choice_field,
    filter_fields,
    run_filter_of,
    text_field,
    url_of,
)
from runcard.web.lists.metadata_words import parse_metadata_words
from runcard.web.lists.period import Period
from runcard.web.lists.run_columns import ColumnName

_OUTCOMES = ("PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED")
_MAX_SECONDS = 1e9
# These fields are always visible; a reader opens the others.
_FIRST_FIELDS = ("search", "period", "outcome", "procedure", "station", "part")

# How many keys of metadata can be columns at once.
_MOST_NOTED = 20

Key = Annotated[str, Meta(min_length=1, max_length=MAX_KEY_LENGTH)]
Seconds = Annotated[float, Meta(ge=0, le=_MAX_SECONDS)]
Sort = Literal[
    "started_at", "created_at", "duration", "outcome", "serial_number", "part_number", "revision_number"
]
_SORTS = {
    "started_at": "Started",
    "created_at": "Recorded",
    "duration": "Duration",
    "outcome": "Outcome",
    "serial_number": "Serial number",
    "part_number": "Part",
    "revision_number": "Revision",
}
_VOIDED = {"": "Shown", "yes": "Only voided", "no": "Left out"}
_CORRECTED = {"": "Shown", "yes": "Only corrected", "no": "Left out"}
_DIRECTIONS = {"desc": "Descending", "asc": "Ascending"}


class RunsPageQuery(FilterQuery, kw_only=True):
    """search: part of a serial number, or the beginning of a run's id. operator: a name, or a member's e-mail.

    voided: only voided runs, or all others. corrected: likewise.
    columns: None: the usual ones. metadata: for `parse_metadata_words`. noted: keys of metadata that are columns.
    after, before: in order of starts, the place behind which the page begins, or at which it ends. cursor: the place
    in any other order.
    """

    period: Period = "all"
    search: str | None = None
    outcome: RunOutcome | None = None
    serial: str | None = None
    operator: str | None = None
    min_s: Seconds | None = None
    max_s: Seconds | None = None
    sort: Sort = "started_at"
    order: Literal["asc", "desc"] = "desc"
    voided: Literal["yes", "no"] | None = None
    corrected: Literal["yes", "no"] | None = None
    columns: list[ColumnName] | None = None
    metadata: Annotated[str, Meta(max_length=1000)] | None = None
    noted: Annotated[list[Key], Meta(max_length=_MOST_NOTED)] | None = None
    after: str | None = None
    before: str | None = None
    cursor: Annotated[int, Meta(ge=0, lt=1 << 53)] | None = None

    @property
    def is_descending(self) -> bool:
        return self.order == "desc"

    @property
    def is_filtered(self) -> bool:
        """Whether the query filters the runs at all."""
        shown = ("sort", "order", "columns", "noted", "after", "before", "cursor")
        unfiltered = RunsPageQuery(**{name: getattr(self, name) for name in shown})
        return self != unfiltered


class Filtering(NamedTuple):
    """fields: always visible. more: fields that a reader opens. is_more_open: they are open from the start, because one
    is filled in. kept: the other parameters of the URL.
    """

    fields: Sequence[Field]
    more: Sequence[Field]
    is_more_open: bool
    kept: Sequence[tuple[str, str]]


def runs_url(query: FilterQuery, **changes: object) -> str:
    """The address of the list of runs with the filter of a page, except for `changes`."""
    values = {name: getattr(query, name) for name in FilterQuery.__struct_fields__}
    return url_of("/runs", RunsPageQuery(**{**values, **changes}))


def list_filter_of(scope: Scope, query: RunsPageQuery, visit: Visit, now: datetime) -> RunFilter:
    """The filter for the runs of the list. Raises InvalidInput."""
    if query.min_s is not None and query.max_s is not None and query.min_s > query.max_s:
        raise InvalidInput.at("min_s", f"{query.min_s:g} is more than max_s, {query.max_s:g}; swap them")
    runs = run_filter_of(query, visit.zone, now)
    operator_ids, operator_names = _operators(scope, query.operator)
    return replace(
        runs,
        search_query=query.search,
        outcomes=None if query.outcome is None else [query.outcome],
        serial_numbers=None if query.serial is None else [query.serial],
        operated_by_ids=operator_ids,
        operated_by_names=operator_names,
        duration_min=_span(query.min_s),
        duration_max=_span(query.max_s),
        metadata=parse_metadata_words(query.metadata),
        voided=None if query.voided is None else query.voided == "yes",
        corrected=None if query.corrected is None else query.corrected == "yes",
    )


def filtering(scope: Scope, query: RunsPageQuery, keys: Sequence[str]) -> Filtering:
    """The fields that show the filter and let a reader change it. keys: of metadata, which are proposed."""
    operators = [user.name or user.email for user in list_users(scope)]
    shared = filter_fields(query, list_choices(scope))
    all_units = [("", "All"), ("production", "Production")]
    fields = [
        text_field("search", "Search", query.search)._replace(type="search"),
        *(field for field in shared if field.name != "sample"),
        choice_field("outcome", "Outcome", query.outcome, [("", "All"), *((one, one) for one in _OUTCOMES)]),
        text_field("serial", "Serial number", query.serial),
        text_field("operator", "Operator", query.operator, operators),
        *(_with_all(field, all_units) for field in shared if field.name == "sample"),
        text_field("metadata", "Metadata", query.metadata, [f"{key}=" for key in keys]),
        choice_field("voided", "Voided", query.voided, list(_VOIDED.items())),
        choice_field("corrected", "Corrected", query.corrected, list(_CORRECTED.items())),
        text_field("min_s", "At least (s)", _text(query.min_s))._replace(type="number"),
        text_field("max_s", "At most (s)", _text(query.max_s))._replace(type="number"),
        choice_field("sort", "Sort by", query.sort, list(_SORTS.items())),
        choice_field("order", "Order", query.order, list(_DIRECTIONS.items())),
    ]
    by_name = {field.name: field for field in fields}
    more = [field for field in fields if field.name not in _FIRST_FIELDS]
    return Filtering(
        [by_name[name] for name in _FIRST_FIELDS],
        more,
        is_more_open=any(field.value for field in more if field.name not in ("sort", "order")),
        kept=[
            *(("columns", name) for name in query.columns or ()),
            *(("noted", key) for key in query.noted or ()),
        ],
    )


def _with_all(field: Field, first: Sequence[tuple[str, str]]) -> Field:
    """The field of unit classes. first: its first choices, since a list of runs shows all classes by default."""
    named = [(choice.value, choice.name) for choice in field.choices if choice.value]
    return choice_field(field.name, field.label, field.value, [*first, *named])


def _operators(scope: Scope, operator: str | None) -> tuple[list[UUID] | None, list[str] | None]:
    """The ids of the members with this name or e-mail; if there are none, the name, which may be that of an operator
    who is no member.
    """
    if operator is None:
        return None, None
    key = lookup_key(operator)
    ids = [user.id for user in list_users(scope) if key in _names(user)]
    return (ids, None) if ids else (None, [operator.strip()])


def _names(user: User) -> set[str]:
    return {lookup_key(user.name), lookup_key(user.email)}


def _span(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


def _text(value: object) -> str | None:
    return None if value is None else f"{value:g}" if isinstance(value, float) else str(value)
