"""Documents that left the database read as before, wherever they lie and whatever happens to their runs."""

import random
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import select

from runcard.domain.errors import DocumentUnavailable, StorageUnavailable
from runcard.domain.ids import RunPart, part_id
from runcard.domain.runs.correction import RunCorrection
from runcard.ingest.corrections.runs import correct_runs
from runcard.ingest.note import comment_on, prepare_notes
from runcard.store.bin.deleting import Deletion
from runcard.store.documents.document_store import DocumentLost
from runcard.store.documents.moving import PACK_DOCUMENTS, list_due, move_into, write_pack
from runcard.store.engine import tables as t
from runcard.store.restoring.purge import purge
from runcard.store.restoring.restore import restore
from runcard.store.runs.rows import delete_runs
from runcard.store.runs.voids import void_runs
from tests.old_runs import days_ago
from tests.store.documents.moved import AGES, OLD, Moved
from tests.store.killing import kill_in_the_middle

in_a_folder = pytest.mark.parametrize("documents", ["file"], indirect=True)


def test_what_moved_reads_as_before(moved: Moved) -> None:
    before, bodies = moved.everything(), moved.bodies()
    assert moved.move() == OLD
    assert moved.move() == 0
    assert set(moved.bodies()) == {*moved.runs[OLD:], moved.foreign}
    assert len(moved.packs()) == 1
    assert moved.everything() == before
    moved.forget_reads()
    assert moved.everything() == before
    with moved.database.read() as connection:
        [pack_id] = connection.execute(select(t.document_packs.c.id)).scalars()
    content = moved.documents.blobs.read(f"{moved.home}/{pack_id}.documents")
    assert content == b"".join(bodies[run_id] for run_id in moved.runs[:OLD])
    assert moved.discrepancies() == []


def test_a_pack_has_a_bounded_number_of_documents(moved: Moved) -> None:
    with moved.database.read_in(moved.home) as scope:
        due = list_due(scope, days_ago(90))
        assert [run_id for run_id, _ in due] == moved.runs[:OLD]
        assert [run_id for run_id, _ in list_due(scope, days_ago(90), moved.runs[1])] == moved.runs[2:OLD]
    assert PACK_DOCUMENTS >= OLD


def test_records_change_as_before(moved: Moved) -> None:
    """No transaction waits for the store: it is away for all of them."""
    moved.move()
    before = moved.everything(moved.runs[:1])["documents"][moved.runs[0]]
    moved.forget_reads()
    away = moved.documents._open_blobs
    moved.documents._open_blobs = lambda: pytest.fail("a transaction asked the store")
    first, second, third, _ = moved.runs[:OLD]
    right = RunCorrection(operator="Bo", started_at=days_ago(201))
    moved.write(lambda tx: correct_runs(tx, moved.admin, [first], right, "why"))
    moved.write(lambda tx: void_runs(tx, moved.admin, [second], "why"))
    moved.write(lambda tx: delete_runs(tx, [third], Deletion(why="why")))
    assert moved.count(t.moved_documents) == OLD
    moved.documents._open_blobs = away
    assert moved.discrepancies() == []
    moved.write(lambda tx: restore(tx, third, "why"))
    read = moved.everything(moved.runs[:OLD])["documents"]
    assert read.keys() == {*moved.runs[:OLD]}
    assert read[first].phases[0].measurements == before.phases[0].measurements
    assert moved.discrepancies() == []


def test_what_is_gone_for_good_leaves_the_store_too(moved: Moved) -> None:
    moved.move()
    [first_pack] = moved.packs()
    gone, kept = moved.runs[0], moved.runs[1:]
    before = moved.everything(kept)
    moved.write(lambda tx: delete_runs(tx, [gone], Deletion(why="why")))
    moved.tidy()
    assert moved.packs() == [first_pack]
    moved.write(lambda tx: purge(tx, gone, "why"))
    moved.tidy()
    assert len(moved.packs()) == 2
    moved.forget_reads()
    assert moved.everything(kept) == before
    moved.tidy(days=2)
    [second_pack] = moved.packs()
    assert second_pack != first_pack
    moved.forget_reads()
    assert moved.everything(kept) == before
    moved.write(lambda tx: delete_runs(tx, kept, Deletion(is_kept=False)))
    moved.tidy()
    moved.tidy(days=2)
    assert moved.packs() == []
    assert moved.count(t.document_packs) == moved.count(t.moved_documents) == 0
    assert moved.discrepancies() == []


def test_a_run_that_is_deleted_while_its_document_moves(moved: Moved) -> None:
    with moved.database.read_in(moved.home) as scope:
        due = list_due(scope, days_ago(90))
    pack = write_pack(moved.documents, moved.home, due)
    assert pack is not None
    moved.write(lambda tx: delete_runs(tx, moved.runs[:1], Deletion(why="why")))
    assert moved.write(lambda tx: move_into(tx, pack)) == OLD - 1
    moved.write(lambda tx: restore(tx, moved.runs[0], None))
    moved.tidy()
    moved.tidy(days=2)
    assert len(moved.packs()) == 1
    assert moved.move() == 1
    assert moved.everything()["documents"].keys() == {*moved.runs}
    assert moved.discrepancies() == []


def test_a_document_that_came_back_moves_again(moved: Moved) -> None:
    """The bin has the document of a run that was deleted just before the document moved."""
    before, bodies = moved.everything(), moved.bodies()
    moved.move()
    first = moved.runs[0]
    again = t.run_documents.insert().values(run_id=first, organization_id=moved.home, body=bodies[first])
    moved.writer.write_shared(lambda tx: tx.connection.execute(again))
    assert moved.everything() == before
    assert moved.move() == 1
    moved.tidy()
    assert moved.everything() == before
    assert moved.count(t.moved_documents) == OLD
    assert moved.discrepancies() == []


def test_a_process_that_dies_after_the_copy_leaves_nothing_wrong(moved: Moved) -> None:
    before = moved.everything()
    with moved.database.read_in(moved.home) as scope:
        write_pack(moved.documents, moved.home, list_due(scope, days_ago(90)))
    assert moved.everything() == before
    assert moved.move() == OLD
    assert moved.everything() == before
    assert len(moved.packs()) == 2
    assert moved.count(t.document_packs) == 1


@in_a_folder
def test_a_store_that_is_away_stops_only_what_needs_it(moved: Moved) -> None:
    moved.move()
    young, old = moved.runs[OLD:], moved.runs[:OLD]
    before = moved.everything(young)
    folder = moved.folder / "old documents"
    folder.rename(moved.folder / "away")
    folder.write_text("no folder")
    moved.forget_reads()
    assert moved.everything(young) == before
    with pytest.raises(DocumentUnavailable, match="does not answer now"):
        moved.everything(old)
    with pytest.raises(StorageUnavailable):
        moved.move(age=10)
    assert moved.everything(young) == before
    folder.unlink()
    (moved.folder / "away").rename(folder)
    moved.forget_reads()
    assert moved.everything(old)["documents"].keys() == {*old}


def _flip(content: bytes) -> bytes:
    return content[:20] + bytes([content[20] ^ 0xFF]) + content[21:]


@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        (_flip, [0]),
        (lambda content: content[:-5], [OLD - 1]),
        (lambda content: content[:5], [0, 1, 2, 3]),
        (lambda _: None, [0, 1, 2, 3]),
    ],
    ids=["flipped", "cut", "nearly gone", "missing"],
)
def test_what_is_lost_is_named(
    moved: Moved, damage: Callable[[bytes], bytes | None], lost: list[int]
) -> None:
    moved.move()
    moved.damage(damage)
    for number in lost:
        with pytest.raises(DocumentLost, match=str(moved.runs[number])):
            moved.everything([moved.runs[number]])
    told = [one.problem for one in moved.discrepancies()]
    assert len(told) == len(lost)
    assert all(str(moved.runs[number]) in line for number, line in zip(lost, told, strict=True))


@in_a_folder
def test_a_damaged_document_stays_where_it_is(moved: Moved) -> None:
    d = t.run_documents.c
    body = moved.bodies()[moved.runs[0]]

    def set_to(content: bytes) -> None:
        update = t.run_documents.update().where(d.run_id == moved.runs[0]).values(body=content)
        moved.writer.write_shared(lambda tx: tx.connection.execute(update))

    set_to(b"nothing")
    assert moved.move() == OLD - 1
    assert moved.bodies()[moved.runs[0]] == b"nothing"
    set_to(body)


def test_notes_on_what_lies_inside_a_moved_run(moved: Moved) -> None:
    moved.move()
    moved.forget_reads()
    place = part_id(moved.runs[0], RunPart.MEASUREMENT, 0)
    note = partial(comment_on, actor=moved.admin, thing_id=place, text="Odd")
    with pytest.raises(DocumentUnavailable, match="Try again"):
        moved.write(note)
    prepare_notes(moved.database, moved.admin, [place, moved.runs[1], moved.runs[OLD]])
    moved.write(note)
    assert moved.count(t.comments) == 1


def test_many_packs_are_read_at_once(moved: Moved) -> None:
    before = moved.everything()
    for age in (190, 140, 110, 90):
        assert moved.move(age) == 1
    moved.forget_reads()
    assert len(moved.packs()) == OLD
    assert moved.everything() == before
    assert len(AGES) == len(before["documents"])


_MOVING = """
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID
from runcard.intake.arrived_files import Stores
from runcard.store.commit.writer import Writer
from runcard.store.documents import moving
from runcard.store.documents.document_store import DocumentStore
from runcard.store.engine.database import Database
from runcard.store.files.blobs import Blobs
from runcard.upkeep.documents import move_documents, tidy_packs

url, sqlite_path, home, _, folder = sys.argv[1:]
moving.PACK_DOCUMENTS = 1
documents = DocumentStore(lambda: Blobs.open(None, None, Path(folder)))
database = Database.open(url or None, Path(sqlite_path), documents)
stores = Stores(database, Writer(database), Blobs.open(None, None, Path(folder)))
print("deed", flush=True)
for _ in move_documents(stores, documents, UUID(home), datetime.now(UTC) - timedelta(days=90)):
    print("deed", flush=True)
for _ in tidy_packs(stores, documents, UUID(home), datetime.now(UTC)):
    print("deed", flush=True)
print("done", flush=True)
"""


@in_a_folder
def test_a_process_that_is_killed_as_it_moves(moved: Moved) -> None:
    chance = random.Random(3)
    runs = [moved.record(100 + number) for number in range(60)]
    before = moved.everything(runs)
    seen = set()
    for _ in range(6):
        kill_in_the_middle(moved, chance, _MOVING, str(moved.folder / "old documents"))
        moved.forget_reads()
        assert moved.everything(runs) == before
        seen.add(moved.count(t.moved_documents))
        if len(seen) > 2:
            break
    assert len(seen) > 1
    moved.move()
    assert moved.everything(runs) == before
    assert moved.discrepancies() == []
