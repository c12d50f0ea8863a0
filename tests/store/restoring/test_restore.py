"""What is deleted comes back from the bin as it was, to the row; what cannot come back changes nothing."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import select

from runcard.domain.errors import Conflict, InvalidInput, NotFound
from runcard.domain.ids import new_id
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.transaction import Transaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine import tables as t
from runcard.store.engine.database import Database
from runcard.store.files.bytes_to_remove import list_removals
from runcard.store.files.removal import delete_attachments
from runcard.store.lists.pages import Page
from runcard.store.procedures.merges import merge_procedures
from runcard.store.procedures.records import delete_procedure
from runcard.store.procedures.rows import create_procedure, get_procedure
from runcard.store.products.batches import delete_batch, get_batch
from runcard.store.restoring.contents import count_bin, count_with, find_deleted, list_bin, list_due
from runcard.store.restoring.purge import purge
from runcard.store.restoring.restore import restore, restore_all
from runcard.store.retention.old_records import EXPIRED
from runcard.store.runs.rows import delete_run, delete_runs
from runcard.store.units.records import delete_units, get_unit, rename_unit
from tests.store.filled import START, Filled
from tests.world import World


@pytest.fixture
def filled(database: Database, writer: Writer, world: World) -> Filled:
    return Filled(database, writer, world)


def _a_run(filled: Filled, tx: Transaction) -> UUID:
    assert delete_run(tx, filled.runs[2], Deletion(why="wrong fixture"))
    return filled.runs[2]


def _an_imported_run(filled: Filled, tx: Transaction) -> UUID:
    assert delete_run(tx, filled.runs[3], Deletion())
    return filled.runs[3]


def _runs(filled: Filled, tx: Transaction) -> UUID:
    delete_runs(tx, filled.runs[1:4], Deletion())
    return filled.runs[1]


def _a_unit(filled: Filled, tx: Transaction) -> UUID:
    return delete_units(tx, ["TOP"], Deletion(), with_runs=True)[0]


def _a_sub_unit(filled: Filled, tx: Transaction) -> UUID:
    return delete_units(tx, ["SUB-2"], Deletion(), with_runs=True)[0]


def _files(filled: Filled, tx: Transaction) -> UUID:
    delete_attachments(tx, filled.files[:3], Deletion())
    return filled.files[0]


def _a_batch(filled: Filled, tx: Transaction) -> UUID:
    batch = get_batch(tx.scope, "LOT-1")
    delete_batch(tx, batch, Deletion())
    return batch.id


def _a_procedure(filled: Filled, tx: Transaction) -> UUID:
    delete_procedure(tx, filled.world.acme.board.id, Deletion())
    return filled.world.acme.board.id


@pytest.mark.parametrize(
    "delete", [_a_run, _an_imported_run, _runs, _a_unit, _a_sub_unit, _files, _a_batch, _a_procedure]
)
def test_what_is_restored_is_what_it_was(filled: Filled, delete: Callable[..., UUID]) -> None:
    before = filled.rows()
    head = filled.write(partial(delete, filled))
    assert filled.rows() != before
    with filled.database.read_in(filled.home) as scope:
        (in_bin,) = list_bin(scope, Page(10)).rows
        assert (in_bin.thing.id, in_bin.thing.deleted_by_id) == (head, filled.admin.user_id)
        assert list_removals(scope.connection) == []
    restored = filled.write(lambda tx: restore(tx, head, "It was right"))
    assert restored.things == 1 + sum(in_bin.along.values())
    assert filled.rows() == before


def test_a_merged_procedure_comes_back_with_what_was_merged_into_it(filled: Filled) -> None:
    board = filled.world.acme.board

    def merge(tx: Transaction) -> None:
        creator = Creator.of(filled.admin)
        other = create_procedure(tx, "Old board test", creator)
        tx.insert_staged()
        target = get_procedure(tx.scope, str(board.id))
        merge_procedures(tx, get_procedure(tx.scope, str(other.id)), target, creator)

    filled.write(merge)
    before = filled.rows()
    filled.write(lambda tx: delete_procedure(tx, board.id, Deletion()))
    filled.write(lambda tx: restore(tx, board.id, None))
    assert filled.rows() == before


def test_what_was_purged_leaves_a_tombstone_and_no_content(filled: Filled) -> None:
    head = filled.write(partial(_a_unit, filled))
    with filled.database.read_in(filled.home) as scope:
        assert list_due(scope, datetime.now(UTC), 10) == [head]
        assert list_due(scope, START, 10) == []
    things = filled.write(lambda tx: purge(tx, head, "For privacy"))
    with filled.database.read_in(filled.home) as scope:
        thing = find_deleted(scope, head)
        assert thing is not None
        assert (thing.noun, thing.name, thing.purged_at is not None) == ("unit", "TOP", True)
        assert count_bin(scope) == 0
        removed = {blob_id for blob_id, _ in list_removals(scope.connection)}
        assert removed == set(filled.files[:3])
        gone = scope.connection.execute(select(t.deleted_things.c.content)).scalars().all()
    assert gone == [None] * things
    with pytest.raises(Conflict, match="gone for good"):
        filled.write(lambda tx: restore(tx, head, None))


def test_what_went_along_leads_to_what_was_deleted(filled: Filled) -> None:
    head = filled.write(partial(_a_unit, filled))
    with pytest.raises(Conflict, match=f"together with the unit TOP.*{head}"):
        filled.write(lambda tx: restore(tx, filled.runs[2], None))
    with pytest.raises(NotFound, match="was deleted"):
        filled.write(lambda tx: restore(tx, filled.runs[0], None))


def test_a_run_waits_for_its_unit(filled: Filled) -> None:
    run = filled.write(partial(_a_run, filled))
    unit = filled.write(partial(_a_unit, filled))
    before = filled.rows()
    with pytest.raises(Conflict, match=f"belongs to the unit TOP, which was deleted too.*{unit}"):
        filled.write(lambda tx: restore(tx, run, None))
    assert filled.rows() == before
    filled.write(lambda tx: restore(tx, unit, None))
    filled.write(lambda tx: restore(tx, run, None))
    assert run in filled.ids(t.runs)


@pytest.mark.parametrize(
    "deletions",
    [
        (_a_run, _a_unit),
        (_a_run, _a_batch, _a_sub_unit),
        (_a_batch, _a_unit, _a_sub_unit),
        (_files, _a_sub_unit, _a_unit, _a_batch),
        (_files, _an_imported_run, _a_batch, _a_procedure),
    ],
)
@pytest.mark.parametrize("order", [1, -1])
def test_many_come_back_together_in_any_order(
    filled: Filled, deletions: Sequence[Callable[..., UUID]], order: int
) -> None:
    before = filled.rows()
    heads = [filled.write(partial(delete, filled)) for delete in deletions]
    with filled.database.read_in(filled.home) as scope:
        things = count_with(scope, heads)
    restored = filled.write(lambda tx: restore_all(tx, heads[::order], "All were right"))
    assert [one.head.id for one in restored] == heads[::order]
    assert sum(one.things for one in restored) == things
    assert filled.rows() == before


def test_of_many_none_comes_back_if_one_cannot(filled: Filled, world: World) -> None:
    run, other = filled.write(partial(_a_run, filled)), filled.runs[4]
    assert filled.write(lambda tx: delete_run(tx, other, Deletion()))
    unit = filled.write(partial(_a_unit, filled))
    filled.write(lambda tx: rename_unit(tx, tx.catalog.get_unit(filled.home, "OTHER"), "top"))
    before = filled.rows()
    refused = {
        "unit TOP cannot be restored: units have 'top' again": [other, unit],
        "run TOP cannot be restored: it belongs to the unit TOP, which was deleted too": [other, run],
        "together with the unit TOP": [other, filled.runs[3]],
    }
    for said, heads in refused.items():
        with pytest.raises(Conflict, match=said):
            filled.write(partial(restore_all, head_ids=heads, why=None))
        assert filled.rows() == before
    with pytest.raises(NotFound):
        filled.write(lambda tx: restore_all(tx, [other, filled.runs[0]], None))
    with pytest.raises(NotFound):
        filled.writer.write_catalog(world.globex.admin.actor, lambda tx: restore_all(tx, [other], None))
    with pytest.raises(InvalidInput):
        filled.write(lambda tx: restore_all(tx, [new_id() for _ in range(10_001)], None))
    assert filled.rows() == before


def test_two_that_want_one_name_do_not_both_come_back(filled: Filled) -> None:
    first = filled.write(partial(_a_unit, filled))
    filled.record("top", 9, ())
    second = filled.write(partial(_a_unit, filled))
    before = filled.rows()
    with pytest.raises(
        Conflict, match=f"unit TOP and the unit top cannot both be restored.*{first} and {second}"
    ):
        filled.write(lambda tx: restore_all(tx, [first, second], None))
    assert filled.rows() == before
    filled.write(lambda tx: restore_all(tx, [second], None))
    assert filled.unit("TOP") == second


def test_a_name_that_is_taken_is_said(filled: Filled) -> None:
    unit = filled.write(partial(_a_unit, filled))
    filled.write(lambda tx: rename_unit(tx, tx.catalog.get_unit(filled.home, "OTHER"), "top"))
    before = filled.rows()
    with pytest.raises(Conflict, match="unit TOP cannot be restored: units have 'top' again"):
        filled.write(lambda tx: restore(tx, unit, None))
    assert filled.rows() == before


def test_a_report_that_was_recorded_again_is_said(filled: Filled) -> None:
    run = filled.write(partial(_a_run, filled))
    again = filled.record("TOP", 2, ())
    with pytest.raises(Conflict, match="have 'ref-2' again"):
        filled.write(lambda tx: restore(tx, run, None))
    filled.write(lambda tx: delete_run(tx, again, Deletion()))
    filled.write(lambda tx: restore(tx, run, None))
    assert run in filled.ids(t.runs)


def test_what_may_be_empty_is_emptied_and_a_lost_sub_unit_is_left_out(filled: Filled) -> None:
    run = filled.write(partial(_a_run, filled))
    filled.write(partial(_a_batch, filled))
    sub_unit = filled.write(partial(_a_sub_unit, filled))
    filled.write(lambda tx: restore(tx, run, None))
    with filled.database.read() as connection:
        r, s = t.runs.c, t.run_sub_units.c
        assert connection.execute(select(r.batch_id).where(r.id == run)).scalar_one() is None
        named = connection.execute(select(s.unit_id).where(s.run_id == run)).scalars().all()
    assert named == [filled.unit("SUB-1")]
    assert sub_unit not in named


def test_a_link_that_says_something_else_by_now_stays(filled: Filled) -> None:
    top = filled.write(partial(_a_unit, filled))
    filled.write(lambda tx: restore(tx, top, None))
    batch = filled.write(partial(_a_batch, filled))
    filled.record("SUB-1", 9, ())  # its report names the batch again, which makes another one
    with pytest.raises(Conflict, match="batches have 'lot-1' again"):
        filled.write(lambda tx: restore(tx, batch, None))


def test_no_unit_becomes_part_of_itself(filled: Filled) -> None:
    """The unit that TOP was part of was built into a sub-unit of TOP meanwhile."""
    filled.record("BOX", 5, ["TOP"])
    top = filled.write(partial(_a_unit, filled))
    filled.record("SUB-1", 6, ["BOX"])
    filled.write(lambda tx: restore(tx, top, None))
    with filled.database.read_in(filled.home) as scope:
        parents = {serial: get_unit(scope, serial).parent for serial in ("TOP", "BOX", "SUB-1")}
    assert {serial: one and one.serial_number for serial, one in parents.items()} == {
        "TOP": "BOX",
        "BOX": "SUB-1",
        "SUB-1": None,
    }


def test_of_what_is_too_old_nothing_is_kept(filled: Filled) -> None:
    filled.write(lambda tx: delete_runs(tx, filled.runs[:2], EXPIRED))
    with filled.database.read_in(filled.home) as scope:
        assert count_bin(scope) == 0
        thing = find_deleted(scope, filled.runs[0])
        assert thing is not None
        assert (thing.purged_at, thing.why, thing.head_id) == (thing.deleted_at, EXPIRED.why, filled.runs[0])


def test_another_organization_restores_nothing(filled: Filled, world: World) -> None:
    head = filled.write(partial(_a_unit, filled))
    stranger = world.globex.admin.actor
    for apply in (
        lambda tx: restore(tx, head, None),
        lambda tx: purge(tx, head, None),
    ):
        with pytest.raises(NotFound):
            filled.writer.write_catalog(stranger, apply)
    with filled.database.read_in(world.globex.id) as scope:
        assert (count_bin(scope), list_bin(scope, Page(10)).rows) == (0, [])


def test_the_bin_comes_in_pages_and_is_searched(filled: Filled) -> None:
    heads = list(filled.runs)
    for run in heads:
        assert filled.write(partial(delete_run, run_id=run, deletion=Deletion()))
    with filled.database.read_in(filled.home) as scope:
        pages = [list_bin(scope, Page(2, offset)) for offset in (0, 2, 4)]
        found = [one.thing.id for page in pages for one in page.rows]
        assert [page.has_more for page in pages] == [True, True, False]
        assert found == heads[::-1]
        named = list_bin(scope, Page(10), "sub-").rows
    assert [one.thing.name for one in named] == ["SUB-2", "SUB-1"]
