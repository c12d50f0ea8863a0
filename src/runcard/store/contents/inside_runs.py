"""Lists of what lies inside runs, made from the truth: the documents of all runs that a filter leaves are read, one
after the other, and of what is found only the places of a page's rows in the order are kept.
"""

import heapq
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import closing
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import select

from runcard.domain.errors import InvalidInput, QueryTooSlow
from runcard.domain.ids import RunPart, part_id, run_of
from runcard.domain.runs.clock import counted_document
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.run import RunDocument
from runcard.store.commit.documents import unpack_document
from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope
from runcard.store.lists.followed_merges import with_merges
from runcard.store.lists.pages import Listed, Page, known_at
from runcard.store.lists.run_filter import RunFilter, run_conditions
from runcard.store.runs.records import RunRecord, read_documents, read_runs

# What one list may keep; a place takes about 250 bytes.
MAX_PLACES = 200_000
# Documents held at once.
_CHUNK = 100


class NumberedPart(Protocol):
    @property
    def position(self) -> int: ...


T = TypeVar("T", bound=NumberedPart)


class Deadline:
    """The moment at which a list must be ready: so many seconds after this was made."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._at = clock() + seconds

    def check(self) -> None:
        """Raises QueryTooSlow where the moment has come."""
        if self._clock() >= self._at:
            raise QueryTooSlow(self._seconds)


class ScannedRun(NamedTuple):
    """What conditions and orders know of a run."""

    id: UUID
    outcome: RunOutcome
    serial_key: str


class Kind(NamedTuple, Generic[T]):
    """One kind of what lies inside runs: what its ids stand for, and how it is read out of a document."""

    part: RunPart
    of: Callable[[RunDocument], Iterable[T]]

    def id_of(self, run_id: UUID, item: T) -> UUID:
        return part_id(run_id, self.part, item.position)


class Wanted(NamedTuple, Generic[T]):
    """What to list, and by what to order it: where `order` gives None it comes last, whichever way the order goes.

    ids: of what to list, or of runs, which mean all that lies inside; None asks for nothing.
    """

    runs: RunFilter
    ids: Collection[UUID] | None
    keeps: Callable[[T], bool]
    order: Callable[[ScannedRun, T], Any]
    descending: bool


class Found(NamedTuple, Generic[T]):
    id: UUID
    run: RunRecord
    item: T


def list_inside(
    scope: Scope,
    kind: Kind[T],
    wanted: Wanted[T],
    page: Page,
    deadline: Deadline,
) -> Listed[Found[T]]:
    """A page of what lies inside runs; of equals, by run and by place in it the same way.

    Raises QueryTooSlow, and InvalidInput for a page that ends beyond MAX_PLACES.
    """
    count = places_up_to(page)
    if wanted.ids is not None:
        wanted = wanted._replace(
            ids=set(wanted.ids), runs=replace(wanted.runs, ids=_runs_with(wanted.ids, wanted.runs.ids))
        )
    pick = heapq.nlargest if wanted.descending else heapq.nsmallest
    places = pick(count, _places(scope, kind, wanted, page, deadline))[page.offset :]
    ids = [UUID(int=number) for *_, number in places[: page.limit]]
    return Listed(read_inside(scope, kind, ids), len(places) > page.limit)


def places_up_to(page: Page) -> int:
    """How many places to find for a page: one after its end tells whether there are more.

    Raises InvalidInput for a page that ends beyond MAX_PLACES.
    """
    count = page.offset + page.limit + 1
    if count > MAX_PLACES:
        raise InvalidInput.at(
            "cursor", f"This list ends after {MAX_PLACES} rows; ask for less with a filter."
        )
    return count


def read_inside(scope: Scope, kind: Kind[T], ids: Sequence[UUID]) -> Sequence[Found[T]]:
    """What has these ids, in their order; what is not there, or no longer, is left out."""
    found = {one.id: one for one in _read(scope, kind, ids)}
    return [found[one] for one in ids if one in found]


def find_inside(scope: Scope, kind: Kind[T], inner_id: UUID) -> Found[T] | None:
    """What has this id; None where there is no such thing."""
    return next(_read(scope, kind, [inner_id]), None)


def is_among(values: Collection[Any] | None, value: Any) -> bool:
    """Whether a value is one of those that are asked for; None asks for nothing."""
    return values is None or value in values


def is_within(lower: Any, upper: Any, value: Any) -> bool:
    """Whether a value keeps inclusive bounds; None is no bound."""
    return (lower is None or value >= lower) and (upper is None or value <= upper)


def _runs_with(ids: Collection[UUID], among: Sequence[UUID] | None = None) -> list[UUID]:
    """The runs that these ids name or name something inside of."""
    places = ((one, run_of(one)) for one in ids)
    runs = dict.fromkeys(one if place is None else place[0] for one, place in places)
    return [one for one in runs if is_among(among, one)]


def _places(
    scope: Scope,
    kind: Kind[T],
    wanted: Wanted[T],
    page: Page,
    deadline: Deadline,
) -> Iterator[tuple[bool, Any, int]]:
    """Where each thing that is wanted stands in the order; the last is its id, which holds run and place."""
    for run, document in _scan(scope, wanted.runs, page):
        deadline.check()
        for item in kind.of(document):
            if not wanted.keeps(item):
                continue
            own_id = kind.id_of(run.id, item)
            if wanted.ids is None or own_id in wanted.ids or run.id in wanted.ids:
                value = wanted.order(run, item)
                yield (value is None) != wanted.descending, value, own_id.int


def _scan(scope: Scope, run_filter: RunFilter, page: Page) -> Iterator[tuple[ScannedRun, RunDocument]]:
    """The runs that a filter leaves, in no order, with their documents, in which times are those that count."""
    r, u, d = t.runs.c, t.units.c, t.run_documents.c
    run_filter = with_merges(scope, run_filter)
    query = (
        select(r.started_at, r.reported_started_at, d.body, r.id, r.outcome, u.serial_key)
        .join_from(t.runs, t.units, u.id == r.unit_id)
        .join(t.run_documents, d.run_id == r.id)
        .where(*run_conditions(scope.organization_id, run_filter), *known_at(page, "run_recorded", r.id))
        .execution_options(yield_per=_CHUNK)
    )
    with closing(scope.connection.execute(query)) as rows:
        for started_at, reported_started_at, body, *run in rows:
            yield ScannedRun(*run), counted_document(unpack_document(body), started_at, reported_started_at)


def _read(scope: Scope, kind: Kind[T], ids: Collection[UUID]) -> Iterator[Found[T]]:
    """What has these ids, in no order."""
    asked: dict[UUID, dict[int, UUID]] = {}
    for one in ids:
        place = run_of(one)
        if place is not None and place[1] is kind.part:
            run_id, _, position = place
            asked.setdefault(run_id, {})[position] = one
    run_ids = list(asked)
    for start in range(0, len(run_ids), _CHUNK):
        some = run_ids[start : start + _CHUNK]
        documents = read_documents(scope, some)
        for run in read_runs(scope, some):
            for item in kind.of(documents[run.id]):
                own_id = asked[run.id].get(item.position)
                if own_id is not None:
                    yield Found(own_id, run, item)
