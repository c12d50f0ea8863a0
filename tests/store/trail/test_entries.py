"""The audit trail as it is read: by filter, page by page, and by nobody of another organization."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import update

from runcard.domain.actor import StationActor, SystemActor, UserActor
from runcard.domain.evidence.entry import By
from runcard.domain.ids import new_id
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.changes import ChangeKind, Trace
from runcard.store.commit.transaction import Transaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine import tables as t
from runcard.store.engine.database import Database
from runcard.store.products.batches import delete_batch, get_batch
from runcard.store.products.staged import stage_batch, stage_part
from runcard.store.trail.entries import (
    DAMAGED,
    TrailEntry,
    TrailFilter,
    find_names,
    find_reporters,
    list_entries,
    list_later_entries,
    read_entries,
)
from runcard.store.trail.named import find_part_numbers, find_things
from runcard.store.trail.watching import note_event, watch
from runcard.store.trail.wording import entry_of_event
from tests.world import World


def entries_of(database: Database, organization_id: UUID, trail_filter: TrailFilter) -> Sequence[TrailEntry]:
    with database.read_in(organization_id) as scope:
        return list_entries(scope, trail_filter, 100).rows


def note(
    writer: Writer, actor: UserActor | StationActor | SystemActor, kind: ChangeKind, name: str | None = None
) -> UUID:
    """The id of the thing of a new entry."""
    thing_id = new_id()
    writer.write(actor, lambda tx: note_event(tx, kind, thing_id, name))
    return thing_id


def test_pages_follow_each_other_newest_first(database: Database, writer: Writer, world: World) -> None:
    noted = [note(writer, world.acme.admin.actor, "unit_changed") for _ in range(5)]
    trail_filter = TrailFilter(kinds=["unit_changed"])
    with database.read_in(world.acme.id) as scope:
        first = list_entries(scope, trail_filter, 3)
        second = list_entries(scope, trail_filter, 3, first.next_before)
        assert [one.thing_id for one in [*first.rows, *second.rows]] == noted[::-1]
        assert second.next_before is None
        assert [one.thing_id for one in read_entries(scope, trail_filter)] == noted
        later = list_later_entries(scope, trail_filter, first.rows[-1].seq, 10)
        assert [one.thing_id for one in later] == noted[3:]


def test_each_condition_leaves_only_what_meets_it(database: Database, writer: Writer, world: World) -> None:
    acme = world.acme
    ada = note(writer, acme.admin.actor, "unit_changed")
    eve = note(writer, acme.engineer.actor, "part_changed")
    ict = note(writer, acme.ict.actor, "unit_changed")
    system = note(writer, SystemActor(acme.id, "retention"), "unit_deleted")
    noted = {ada, eve, ict, system}

    def found(trail_filter: TrailFilter) -> set[UUID]:
        return {one.thing_id for one in entries_of(database, acme.id, trail_filter)} & noted

    assert found(TrailFilter()) == noted
    assert found(TrailFilter(actor_id=acme.admin.actor.user_id)) == {ada}
    assert found(TrailFilter(actor_id=acme.ict.actor.station_id)) == {ict}
    assert found(TrailFilter(thing_id=eve)) == {eve}
    assert found(TrailFilter(thing_ids=[eve, system])) == {eve, system}
    assert found(TrailFilter(thing_ids=[])) == set()
    assert found(TrailFilter(kinds=["unit_changed"])) == {ada, ict}
    [at] = [one.at for one in entries_of(database, acme.id, TrailFilter(thing_id=eve))]
    assert eve in found(TrailFilter(after=at)) & found(TrailFilter(before=at))
    assert found(TrailFilter(after=at + timedelta(days=1))) == set()
    assert found(TrailFilter(before=at - timedelta(days=1))) == set()


def test_another_organization_reads_none_of_it(database: Database, writer: Writer, world: World) -> None:
    mine = note(writer, world.acme.admin.actor, "unit_changed", "SN-1")
    theirs = note(writer, world.globex.admin.actor, "unit_changed", "SN-1")
    assert entries_of(database, world.globex.id, TrailFilter(thing_id=mine)) == []
    assert mine not in {one.thing_id for one in entries_of(database, world.globex.id, TrailFilter())}
    with database.read_in(world.globex.id) as scope:
        assert find_things(scope, "SN-1") == [theirs]


def test_access_is_left_out_where_it_shall_be(database: Database, writer: Writer, world: World) -> None:
    thing = note(writer, world.acme.admin.actor, "user_logged_in")
    assert len(entries_of(database, world.acme.id, TrailFilter(thing_id=thing))) == 1
    assert entries_of(database, world.acme.id, TrailFilter(thing_id=thing, of_access=False)) == []


def _part_by_report(tx: Transaction, world: World, number: str) -> UUID:
    return stage_part(tx, number, Creator.of(world.acme.ict.actor, by_report=True))


def test_what_a_report_made_is_told_if_it_is_asked_for(
    database: Database, writer: Writer, world: World
) -> None:
    acme = world.acme
    part_id = writer.write(acme.ict.actor, lambda tx: _part_by_report(tx, world, "CPU-1"))
    assert entries_of(database, acme.id, TrailFilter(thing_id=part_id)) == []
    with database.read_in(acme.id) as scope:
        [made] = list_entries(scope, TrailFilter(thing_id=part_id, with_reports=True), 10).rows
        assert (made.kind, made.entry) == ("part_created", None)
        assert made.state is not None
        ict = By("station", acme.ict.name, acme.ict.actor.station_id)
        assert find_reporters(scope, [made]) == {made.seq: ict}
        assert find_names(scope, [made]) == {part_id: "CPU-1"}
    of_ict = TrailFilter(actor_id=acme.ict.actor.station_id, with_reports=True)
    assert part_id in {one.thing_id for one in entries_of(database, acme.id, of_ict)}
    of_fct = TrailFilter(actor_id=acme.fct.actor.station_id, with_reports=True)
    assert part_id not in {one.thing_id for one in entries_of(database, acme.id, of_fct)}


def test_who_made_a_thing_is_not_who_changed_it(database: Database, writer: Writer, world: World) -> None:
    acme = world.acme

    part_id = writer.write(acme.ict.actor, lambda tx: _part_by_report(tx, world, "CPU-2"))

    def rename(tx: Transaction) -> None:
        watch(tx, t.parts, [part_id], by_report=True)
        p = t.parts.c
        tx.connection.execute(update(t.parts).where(tx.owns(p), p.id == part_id).values(name="Board"))

    writer.write(acme.fct.actor, rename)
    with database.read_in(acme.id) as scope:
        found = list_entries(scope, TrailFilter(thing_id=part_id, with_reports=True), 10).rows
        told = find_reporters(scope, found)
    assert {one.kind: one.seq in told for one in found} == {"part_created": True, "part_changed": False}


def test_a_thing_is_found_by_its_name_its_id_and_the_name_that_it_had(
    database: Database, writer: Writer, world: World
) -> None:
    acme, admin = world.acme, world.acme.admin.actor
    batch_id = writer.write_catalog(admin, lambda tx: stage_batch(tx, "B-100%", Creator.of(admin)))

    def found(text: str) -> Sequence[UUID]:
        with database.read_in(acme.id) as scope:
            return find_things(scope, text)

    assert found("b-100%") == found("B-100%") == [batch_id]
    assert found("B-100_") == found("B-100") == []
    writer.write_catalog(admin, lambda tx: delete_batch(tx, get_batch(tx.scope, "B-100%"), Deletion()))
    assert found("B-100%") == [batch_id]
    assert found(str(batch_id)) == [batch_id]
    assert found(acme.admin.email) == [admin.user_id]
    assert found(acme.ict.name) == [acme.ict.actor.station_id]
    assert found(acme.board.identifier) == found(acme.board.name) == [acme.board.id]


def test_a_name_that_changed_leads_to_the_thing(database: Database, writer: Writer, world: World) -> None:
    actor, thing_id, other_id = world.acme.admin.actor, new_id(), new_id()
    old = 'SN-"1", \\ 漢字'

    def apply(tx: Transaction) -> None:
        # As a correction is kept; and another thing that only says the same.
        what = {"serial_number": (old, "SN-2")}
        row_entry = entry_of_event(tx, "SN-2", what, None)
        tx.note_change("unit_changed", thing_id, Trace(actor.user_id, row_entry))
        note_event(tx, "unit_changed", other_id, "SN-3", what={"name": old}, why=f'"name":"{old}",')

    writer.write(actor, apply)
    with database.read_in(world.acme.id) as scope:
        assert find_things(scope, old) == [thing_id]
        assert find_things(scope, "SN-2") == [thing_id]


def test_a_revision_is_known_with_its_part(database: Database, writer: Writer, world: World) -> None:
    part_id = writer.write(world.acme.ict.actor, lambda tx: _part_by_report(tx, world, "CPU-3"))
    with database.read_in(world.acme.id) as scope:
        r = t.revisions.c
        revision_id = scope.connection.execute(t.revisions.select().where(r.part_id == part_id)).one().id
        assert find_part_numbers(scope, [revision_id, new_id()]) == {revision_id: "CPU-3"}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"by":1}', '{"by":{"kind":"user","name":"x"},"what":{"a":1}}']
)
def test_an_entry_that_cannot_be_read_is_still_told(text: str) -> None:
    entry = TrailEntry(1, "unit_changed", new_id(), datetime.now(UTC), None, text, None)
    assert entry.entry is DAMAGED
