"""Lists of what is inside runs, read from the truth.

The documents of all runs that a filter finds are read one after the other. Of each item found only its place in the
order is kept, and only as far as the page reaches.
"""

import heapq
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from msgspec.structs import replace
from sqlalchemy import func, select

from runcard.domain.errors import InvalidInput, QueryTooSlow
from runcard.domain.ids import RunPart, part_id, run_of
from runcard.domain.runs.clock import counted_document
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.run import RunDocument
from runcard.store.commit.documents import unpack_document
from runcard.store.documents.reading import read_moved
from runcard.store.engine import tables as t
from runcard.store.engine.scope import Scope
from runcard.store.lists.followed_merges import with_merges
from runcard.store.lists.pages import Listed, Page, known_at
from runcard.store.lists.run_filter import RunFilter, run_conditions
from runcard.store.runs.records import RunRecord, read_documents, read_runs

# How many places one list may keep. A place takes about 250 bytes.
MAX_PLACES = 200_000
# How many documents are in memory at once.
_CHUNK = 100


class NumberedPart(Protocol):
    @property
    def position(self) -> int: ...


T = TypeVar("T", bound=NumberedPart)
S = TypeVar("S", bound=str)
Item_contra = TypeVar("Item_contra", contravariant=True)


class Deadline:
    """The moment at which a list must be ready: `seconds` after the Deadline was made."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._at = clock() + seconds

    def check(self) -> None:
        """Check that the moment has not come yet. Raises QueryTooSlow."""
        if self._clock() >= self._at:
            raise QueryTooSlow(self._seconds)


class ScannedRun(NamedTuple):
    """The fields of a run that conditions and orders may use."""

    id: UUID
    outcome: RunOutcome
    serial_key: str


class Kind(NamedTuple, Generic[T, S]):
    """One kind of item inside runs: phases, measurements or logs.

    of: reads the items of a document. orders: for each name of an order, the value that it sorts by. missing: makes the
    error for an id that no item has.
    """

    part: RunPart
    of: Callable[[RunDocument], Iterable[T]]
    orders: Mapping[S, Callable[[ScannedRun, T], Any]]
    missing: Callable[[UUID], Exception]

    def id_of(self, run_id: UUID, item: T) -> UUID:
        return part_id(run_id, self.part, item.position)


class InsideFilter(Protocol[Item_contra]):
    """Conditions on items inside runs. ids: of items, or of runs, which stand for every item in them."""

    @property
    def ids(self) -> Collection[UUID] | None: ...

    def keeps(self, item: Item_contra, /) -> bool: ...


class Listing(NamedTuple, Generic[S]):
    """Which page of a list to read, in which order, and by when."""

    order: S
    page: Page
    deadline: Deadline
    descending: bool


class Found(NamedTuple, Generic[T]):
    id: UUID
    run: RunRecord
    item: T


def list_inside(
    scope: Scope, kind: Kind[T, S], runs: RunFilter, inside_filter: InsideFilter[T], listing: Listing[S]
) -> Listed[Found[T]]:
    """A page of the items inside some runs. Equal items are in the order of their runs, then of their place in the run.

    Items without a value to sort by come last, in either direction.
    Raises QueryTooSlow, and InvalidInput for a page that ends beyond MAX_PLACES.
    """
    page = listing.page
    count = places_up_to(page)
    if inside_filter.ids is not None:
        runs = replace(runs, ids=_runs_with(inside_filter.ids, runs.ids))
    pick = heapq.nlargest if listing.descending else heapq.nsmallest
    places = pick(count, _places(scope, kind, runs, inside_filter, listing))[page.offset :]
    ids = [UUID(int=number) for *_, number in places[: page.limit]]
    return Listed(read_inside(scope, kind, ids), len(places) > page.limit)


def places_up_to(page: Page) -> int:
    """How many places to find for a page: one more than it shows, which tells whether there are more.

    Raises InvalidInput for a page that ends beyond MAX_PLACES.
    """
    count = page.offset + page.limit + 1
    if count > MAX_PLACES:
        raise InvalidInput.at("cursor", f"This list ends after {MAX_PLACES} rows; narrow it with a filter.")
    return count


def read_inside(scope: Scope, kind: Kind[T, S], ids: Sequence[UUID]) -> Sequence[Found[T]]:
    """The items with these ids, in the order of the ids. Ids that no item has, or no longer has, are left out."""
    found = {item.id: item for item in _read(scope, kind, ids)}
    return [found[inner_id] for inner_id in ids if inner_id in found]


def get_inside(scope: Scope, kind: Kind[T, S], inner_id: UUID) -> Found[T]:
    """The phase, measurement or log with this id. Raises the error of its kind if there is none."""
    found = next(_read(scope, kind, [inner_id]), None)
    if found is None:
        raise kind.missing(inner_id)
    return found


def is_among(values: Collection[Any] | None, value: Any) -> bool:
    """Whether a value is one of these; None: no condition."""
    return values is None or value in values


def is_within(lower: Any, upper: Any, value: Any) -> bool:
    """Whether a value is within these inclusive bounds; None: no bound."""
    return (lower is None or value >= lower) and (upper is None or value <= upper)


def _runs_with(ids: Collection[UUID], among: Sequence[UUID] | None = None) -> list[UUID]:
    """The runs that these ids name, or that hold the item they name."""
    places = ((id_, run_of(id_)) for id_ in ids)
    runs = dict.fromkeys(id_ if place is None else place[0] for id_, place in places)
    return [run_id for run_id in runs if is_among(among, run_id)]


def _places(
    scope: Scope, kind: Kind[T, S], runs: RunFilter, inside_filter: InsideFilter[T], listing: Listing[S]
) -> Iterator[tuple[bool, Any, int]]:
    """The place in the order of each item that the filter keeps. It ends with the id, which holds run and position."""
    ids = None if inside_filter.ids is None else set(inside_filter.ids)
    order = kind.orders[listing.order]
    for run, document in _scan(scope, runs, listing.page):
        listing.deadline.check()
        for item in kind.of(document):
            if not inside_filter.keeps(item):
                continue
            own_id = kind.id_of(run.id, item)
            if ids is None or own_id in ids or run.id in ids:
                value = order(run, item)
                yield (value is None) != listing.descending, value, own_id.int


def _scan(scope: Scope, run_filter: RunFilter, page: Page) -> Iterator[tuple[ScannedRun, RunDocument]]:
    """The runs that a filter finds, in no order, with their documents, whose times are the ones that count."""
    r, u, d = t.runs.c, t.units.c, t.run_documents.c
    run_filter = with_merges(scope, run_filter)
    clock = func.coalesce(r.clock_started_at, r.reported_started_at)
    query = (
        select(r.started_at, clock, d.body, r.id, r.outcome, u.serial_key)
        .join_from(t.runs, t.units, u.id == r.unit_id)
        .join(t.run_documents, d.run_id == r.id, isouter=True)
        .where(*run_conditions(scope.organization_id, run_filter), *known_at(page, "run_recorded", r.id))
        .execution_options(yield_per=_CHUNK)
    )
    with closing(scope.connection.execute(query)) as rows:
        for some in rows.partitions():
            moved = read_moved(scope, [row.id for row in some if row.body is None])
            for started_at, clock_started_at, body, *run in some:
                if packed := body or moved.get(run[0]):
                    yield (
                        ScannedRun(*run),
                        counted_document(unpack_document(packed), started_at, clock_started_at),
                    )


def _read(scope: Scope, kind: Kind[T, S], ids: Collection[UUID]) -> Iterator[Found[T]]:
    """The items with these ids, in no order."""
    ids_by_run: dict[UUID, dict[int, UUID]] = {}
    for inner_id in ids:
        place = run_of(inner_id)
        if place is not None and place[1] is kind.part:
            run_id, _, position = place
            ids_by_run.setdefault(run_id, {})[position] = inner_id
    run_ids = list(ids_by_run)
    for start in range(0, len(run_ids), _CHUNK):
        some = run_ids[start : start + _CHUNK]
        documents = read_documents(scope, some)
        for run in read_runs(scope, some):
            for item in kind.of(documents[run.id]):
                own_id = ids_by_run[run.id].get(item.position)
                if own_id is not None:
                    yield Found(own_id, run, item)
