"""The things that may have notes, found by their ids: runs, phases, measurements, units, batches and stations."""

from collections.abc import Collection, Iterator, Mapping
from typing import Literal, NamedTuple
from uuid import UUID

from sqlalchemy import Table, select

from runcard.domain.ids import RunPart, run_of
from runcard.domain.notes.errors import ThingNotFound
from runcard.domain.runs.inside import attempts_of, measured_in
from runcard.domain.runs.run import RunDocument
from runcard.store.documents.reading import read_moved
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.runs.records import read_documents

NotedKind = Literal["run", "phase", "measurement", "unit", "batch", "station"]

# Documents that are in memory at once.
_DOCUMENTS = 100
_TABLES: Mapping[NotedKind, Table] = {"unit": t.units, "batch": t.batches, "station": t.stations}
_NAMES: Mapping[NotedKind, str] = {"unit": "serial_number", "batch": "number", "station": "name"}


class NotedThing(NamedTuple):
    """name: what people call it; of a run, the serial number of its unit. run_id: the run that it is, or lies in."""

    id: UUID
    kind: NotedKind
    name: str
    run_id: UUID | None = None
    serial_number: str = ""

    @property
    def about(self) -> str:
        """What it is, in words."""
        match self.kind:
            case "run":
                return f"a run of unit {self.name}"
            case "phase" | "measurement":
                return f"{self.kind} {self.name} of unit {self.serial_number}"
        return f"{self.kind} {self.name}"


def get_noted(scope: Scope, thing_id: UUID) -> NotedThing:
    """The thing with this id. Raises ThingNotFound."""
    return get_all_noted(scope, [thing_id])[thing_id]


def get_all_noted(scope: Scope, ids: Collection[UUID]) -> Mapping[UUID, NotedThing]:
    """The things with these ids, in their order. Raises ThingNotFound if there is no such thing for one of them."""
    found = {one.id: one for one in _find(scope, list(dict.fromkeys(ids)))}
    missing = [thing_id for thing_id in dict.fromkeys(ids) if thing_id not in found]
    if missing:
        raise ThingNotFound(missing)
    return {thing_id: found[thing_id] for thing_id in dict.fromkeys(ids)}


def read_ahead(scope: Scope, ids: Collection[UUID]) -> None:
    """Read those documents in which these things lie that have left the database.

    Do so before a transaction notes something on these things: it must not wait for the document store. Raises
    DocumentUnavailable.
    """
    places = [place for place in map(run_of, ids) if place is not None]
    read_moved(scope, {run_id for run_id, _, _ in places})


def _find(scope: Scope, ids: Collection[UUID]) -> Iterator[NotedThing]:
    left = set(ids)
    for thing in _find_rows(scope, ids):
        left.discard(thing.id)
        yield thing
    yield from _find_inside(scope, left)


def _find_rows(scope: Scope, ids: Collection[UUID]) -> Iterator[NotedThing]:
    """Those of these things that have a row of their own."""
    r, u = t.runs.c, t.units.c
    for some in in_chunks(ids):
        runs = select(r.id, u.serial_number).join_from(t.runs, t.units, u.id == r.unit_id)
        for run_id, serial in scope.connection.execute(runs.where(scope.owns(r), r.id.in_(some))):
            yield NotedThing(run_id, "run", serial, run_id, serial)
        for kind, table in _TABLES.items():
            query = select(table.c.id, table.c[_NAMES[kind]]).where(scope.owns(table.c), table.c.id.in_(some))
            for thing_id, name in scope.connection.execute(query):
                yield NotedThing(thing_id, kind, name)


def _find_inside(scope: Scope, ids: Collection[UUID]) -> Iterator[NotedThing]:
    """Those of these things that lie inside runs."""
    by_run: dict[UUID, list[UUID]] = {}
    for thing_id in sorted(ids):
        if (place := run_of(thing_id)) is not None:
            by_run.setdefault(place[0], []).append(thing_id)
    runs = {run.id: run for run in _find_rows(scope, by_run) if run.kind == "run"}
    run_ids = list(runs)
    for start in range(0, len(run_ids), _DOCUMENTS):
        for run_id, document in read_documents(scope, run_ids[start : start + _DOCUMENTS]).items():
            yield from _named_inside(runs[run_id], document, by_run[run_id])


def _named_inside(run: NotedThing, document: RunDocument, ids: Collection[UUID]) -> Iterator[NotedThing]:
    phases = {one.position: one.phase.name for one in attempts_of(document)}
    measurements = {one.position: one.measurement.name for one in measured_in(document)}
    for thing_id in ids:
        place = run_of(thing_id)
        if place is None:
            continue
        _, part, position = place
        if part is RunPart.PHASE and position in phases:
            yield NotedThing(thing_id, "phase", phases[position], run.id, run.name)
        if part is RunPart.MEASUREMENT and position in measurements:
            yield NotedThing(thing_id, "measurement", measurements[position], run.id, run.name)
