"""Notes in the store: many at once, which files are needed, what the history finds, and what goes with its thing."""

from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import func, select

from runcard.domain.actor import UserActor
from runcard.domain.errors import InvalidInput
from runcard.domain.ids import RunPart, new_run_id, part_id
from runcard.domain.notes.errors import ThingNotFound
from runcard.domain.runs.phase import Phase
from runcard.ingest.note import comment_on, comment_on_all, give_cause, tag
from runcard.store.bin.notes import forget_notes
from runcard.store.commit.transaction import Transaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine.database import Database
from runcard.store.engine.tables import changes, comments, taggings, thing_causes
from runcard.store.files.attachments import AnnouncedFile, create_attachment, mark_stored
from runcard.store.files.blobs import BlobMeta
from runcard.store.files.removal import delete_unneeded
from runcard.store.notes.causes import create_cause
from runcard.store.notes.comments import list_newest_comments
from runcard.store.notes.inside import count_notes_inside
from runcard.store.notes.tags import create_tag, list_tags, tags_of
from runcard.store.products.staged import stage_batch
from runcard.store.trail.entries import TrailFilter, list_entries
from tests.old_runs import record_at
from tests.world import World

START = datetime(2026, 3, 1, tzinfo=UTC)
PHASES = (Phase("warm-up", "PASS", START, START), Phase("load", "PASS", START, START))


@pytest.fixture
def engineer(writer: Writer, world: World) -> UserActor:
    """Who notes everything here; there are the tags A and B, and the cause C."""
    actor = world.acme.engineer.actor

    def apply(tx: Transaction) -> None:
        for name in "AB":
            create_tag(tx, name, "blue", Creator.of(actor))
        create_cause(tx, "C", "Cause", None, Creator.of(actor))

    writer.write(actor, apply)
    return actor


def record(writer: Writer, actor: UserActor, serial_number: str) -> UUID:
    return writer.write_shared(lambda tx: record_at(tx, actor, START, serial_number, phases=PHASES))


def count_of(database: Database) -> list[int]:
    with database.read() as connection:
        return [
            connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in (comments, taggings, thing_causes)
        ]


def make_many(writer: Writer, actor: UserActor) -> list[UUID]:
    """Ten thousand batches."""

    def make(tx: Transaction) -> list[UUID]:
        return [stage_batch(tx, f"B-{number}", Creator.of(actor)) for number in range(10_000)]

    return writer.write(actor, make)


def test_ten_thousand_things_are_tagged_at_once_each_with_an_entry(
    database: Database, writer: Writer, engineer: UserActor
) -> None:
    ids = make_many(writer, engineer)
    changed = writer.write(engineer, lambda tx: tag(tx, engineer, ids, add=["a"]))
    assert sorted(changed) == sorted(ids)
    c = changes.c
    with database.read_in(engineer.organization_id) as scope:
        told = select(func.count()).where(scope.owns(c), c.kind == "thing_tagged")
        assert scope.connection.execute(told).scalar_one() == 10_000
        assert [used.thing_count for used in list_tags(scope)] == [10_000, 0]
    writer.write(engineer, lambda tx: tag(tx, engineer, ids, add=["b"], remove=["A"]))
    with database.read_in(engineer.organization_id) as scope:
        assert {one.name for tags in tags_of(scope, ids).values() for one in tags} == {"B"}
    with pytest.raises(InvalidInput, match=r"."):
        writer.write(engineer, lambda tx: tag(tx, engineer, [*ids, ids[0]], add=["a"]))


def test_ten_thousand_things_get_one_comment_each_with_an_entry(
    database: Database, writer: Writer, engineer: UserActor, world: World
) -> None:
    ids, ada = make_many(writer, engineer), world.acme.admin
    made = writer.write(
        engineer, lambda tx: comment_on_all(tx, engineer, ids, f" **Hold** these, @{ada.email}\r\n")
    )
    c = changes.c
    with database.read_in(engineer.organization_id) as scope:
        told = select(c.entity_id).where(scope.owns(c), c.kind == "comment_created").order_by(c.seq)
        assert scope.connection.execute(told).scalars().all() == made
        for place in (0, 5_000, 9_999):
            [comment] = list_newest_comments(scope, ids[place], 2).rows
            assert (comment.id, comment.text) == (made[place], f"**Hold** these, @{ada.email}")
            assert list(comment.mentions.values()) == [ada.actor.user_id]
    with pytest.raises(InvalidInput, match=r"."):
        writer.write(engineer, lambda tx: comment_on_all(tx, engineer, [*ids, ids[0]], "See"))
    with pytest.raises(ThingNotFound):
        writer.write(engineer, lambda tx: comment_on_all(tx, engineer, [ids[0], new_run_id()], "See"))
    assert count_of(database)[0] == 10_000


def test_tags_that_a_thing_has_already_leave_no_entry(
    database: Database, writer: Writer, engineer: UserActor
) -> None:
    names = ["a b", "a-c", "A_a", "ab", "é", "Z", "ä", "_"]

    def make(tx: Transaction) -> None:
        for name in names:
            create_tag(tx, name, "red", Creator.of(engineer))

    writer.write(engineer, make)
    run_id = record(writer, engineer, "SN-1")
    assert writer.write(engineer, lambda tx: tag(tx, engineer, [run_id], add=names)) == [run_id]
    assert writer.write(engineer, lambda tx: tag(tx, engineer, [run_id], add=names[::-1])) == []
    with database.read_in(engineer.organization_id) as scope:
        assert len(list_entries(scope, TrailFilter(thing_id=run_id), 10).rows) == 1


def test_what_is_refused_leaves_nothing(database: Database, writer: Writer, engineer: UserActor) -> None:
    run_id = record(writer, engineer, "SN-1")
    unknown = [new_run_id(), part_id(run_id, RunPart.PHASE, 2), part_id(run_id, RunPart.MEASUREMENT, 0)]
    for missing in unknown:
        ids = [run_id, missing]
        with pytest.raises(ThingNotFound):
            writer.write(engineer, partial(tag, actor=engineer, thing_ids=ids, add=["A"]))
        with pytest.raises(ThingNotFound):
            writer.write(engineer, partial(give_cause, actor=engineer, thing_ids=ids, code="C"))
    assert count_of(database) == [0, 0, 0]


def test_a_file_of_a_comment_is_needed(database: Database, writer: Writer, engineer: UserActor) -> None:
    run_id = record(writer, engineer, "SN-1")

    def announce(tx: Transaction) -> UUID:
        made = create_attachment(tx, AnnouncedFile("a.txt", None, 1), Creator.of(engineer))
        return mark_stored(tx, made, BlobMeta(1, None)).id

    used, unused = (writer.write(engineer, announce) for _ in range(2))
    writer.write(engineer, lambda tx: comment_on(tx, engineer, run_id, "See", [used]))
    gone = writer.write(engineer, lambda tx: delete_unneeded(tx, [used, unused]))
    assert [one.id for one in gone] == [unused]


def test_the_history_of_a_thing_has_its_comments(
    database: Database, writer: Writer, engineer: UserActor
) -> None:
    run_id, other = (record(writer, engineer, serial) for serial in ("SN-1", "SN-2"))
    made = writer.write(engineer, lambda tx: comment_on(tx, engineer, run_id, "See"))
    writer.write(engineer, lambda tx: comment_on(tx, engineer, other, "Not this"))
    with database.read_in(engineer.organization_id) as scope:
        found = list_entries(scope, TrailFilter(thing_id=run_id), 10).rows
    assert [(one.kind, one.thing_id) for one in found] == [("comment_created", made)]
    assert found[0].entry is not None
    assert found[0].entry.name == "a run of unit SN-1"


def test_notes_go_with_things_that_are_gone_for_good(
    database: Database, writer: Writer, engineer: UserActor
) -> None:
    run_id, other = (record(writer, engineer, serial) for serial in ("SN-1", "SN-2"))
    things = [run_id, part_id(run_id, RunPart.PHASE, 0), part_id(run_id, RunPart.PHASE, 1), other]

    def note(tx: Transaction) -> None:
        for thing_id in things:
            comment_on(tx, engineer, thing_id, "See")
        tag(tx, engineer, things, add=["A", "B"])
        give_cause(tx, engineer, things, "c")

    writer.write(engineer, note)
    with database.read_in(engineer.organization_id) as scope:
        assert count_notes_inside(scope, run_id) == {things[1]: 4, things[2]: 4}
    assert count_of(database) == [4, 8, 4]
    writer.write(engineer, lambda tx: forget_notes(tx, [run_id]))
    assert count_of(database) == [1, 2, 1]
    writer.write(engineer, lambda tx: forget_notes(tx, [other]))
    assert count_of(database) == [0, 0, 0]
