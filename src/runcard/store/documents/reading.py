"""Reading documents that have left the database."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from uuid import UUID

from sqlalchemy import select

from runcard.store.commit.documents import decompress_document
from runcard.store.documents.document_store import DocumentLost, Place, store_of
from runcard.store.engine import tables as t
from runcard.store.engine.chunks import in_chunks
from runcard.store.engine.scope import Scope
from runcard.store.trail.check import CheckedPage, Misfit
from runcard.store.trail.things import ProvenRun, read_things

PLACE_COLUMNS = tuple(t.moved_documents.c[name] for name in Place._fields)
_PAGE = 500


def read_moved(scope: Scope, run_ids: Collection[UUID]) -> Mapping[UUID, bytes]:
    """The documents of those of these runs whose documents have left the database, as they were stored there.

    A connection that writes gets only what was read lately, so that no transaction waits for the store. Raises
    DocumentUnavailable.
    """
    places = find_places(scope, run_ids)
    if not places:
        return {}
    store = store_of(scope.connection)
    is_writing = scope.connection.get_execution_options().get("writes", False)
    return store.read_kept(places) if is_writing else store.read(places)


def find_places(scope: Scope, run_ids: Collection[UUID]) -> Sequence[Place]:
    """Where the documents of these runs lie that have left the database."""
    m = t.moved_documents.c
    found: list[Place] = []
    for some in in_chunks(run_ids):
        query = select(*PLACE_COLUMNS).where(scope.owns(m), m.run_id.in_(some))
        found += [Place(*row) for row in scope.connection.execute(query)]
    return found


def find_proven_run(scope: Scope, run_id: UUID) -> ProvenRun | None:
    """What is hashed of a run; None if there is no such run. Raises DocumentUnavailable."""
    kept = read_things(scope, t.runs, [run_id]).get(run_id)
    if kept is None:
        return None
    d = t.run_documents.c
    query = select(d.body).where(scope.owns(d), d.run_id == run_id)
    body = scope.connection.execute(query).scalar_one_or_none()
    return ProvenRun(kept.text, decompress_document(body or read_moved(scope, [run_id])[run_id]))


def check_moved(scope: Scope) -> Iterator[CheckedPage]:
    """Read every document that has left the database, and compare it with its digest, a page of them at a time.

    That those digests belong to the runs is checked with the runs. Raises DocumentUnavailable if the store is away.
    """
    m = t.moved_documents.c
    after: UUID | None = None
    while True:
        query = select(*PLACE_COLUMNS).where(scope.owns(m))
        if after is not None:
            query = query.where(m.run_id > after)
        places = [Place(*row) for row in scope.connection.execute(query.order_by(m.run_id).limit(_PAGE))]
        if not places:
            return
        yield CheckedPage(0, _lost(scope, places))
        after = places[-1].run_id


def _lost(scope: Scope, places: Sequence[Place]) -> Sequence[Misfit]:
    """Those of these documents that are missing or damaged."""
    try:
        store_of(scope.connection).read(places)
    except DocumentLost as error:
        if len(places) == 1:
            return [Misfit("run", places[0].run_id, error.problem)]
        half = len(places) // 2
        return [*_lost(scope, places[:half]), *_lost(scope, places[half:])]
    return []
