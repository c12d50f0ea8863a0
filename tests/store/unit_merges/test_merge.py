"""Two units become one and two again: after a merge and a split every row is what it was."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest
from sqlalchemy import select

from runcard.domain.errors import Conflict, NotFound, RuncardError, UnitNotFound
from runcard.ingest.note import comment_on, give_cause, tag
from runcard.ingest.record_unit import NewUnit, create_unit
from runcard.store.bin.deleting import Deletion
from runcard.store.bin.merged import list_merged_into
from runcard.store.bin.packing import BESIDE_OTHERS
from runcard.store.commit.transaction import Transaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine import tables as t
from runcard.store.engine.database import Database
from runcard.store.intake.taken_back import take_back
from runcard.store.lists.pages import Page
from runcard.store.lists.serials import list_former_serial_numbers
from runcard.store.metadata import read_metadata
from runcard.store.notes.causes import causes_of, create_cause
from runcard.store.notes.tags import create_tag, tags_of
from runcard.store.restoring.contents import count_bin, get_in_bin, list_bin, list_due
from runcard.store.restoring.purge import purge
from runcard.store.restoring.restore import restore
from runcard.store.retention.old_records import EXPIRED
from runcard.store.runs.rows import delete_run, delete_runs
from runcard.store.trail.entries import TrailFilter, list_entries
from runcard.store.trail.metadata import change_metadata
from runcard.store.unit_merges.merge import NAMING, DoneMerge, merge_units
from runcard.store.unit_merges.obstacles import Kept, check_can_be_one
from runcard.store.unit_merges.split import get_merged, list_later_runs, split_unit
from runcard.store.units.attempts import list_attempts
from runcard.store.units.records import delete_units, get_unit, rename_unit
from runcard.store.units.rows import get_units_by_id, move_unit
from runcard.store.units.serials import let_go
from tests.store.filled import START, Filled, Rows
from tests.world import World

WHY = "The scanner misread the label"
_NOTHING_KEPT = Kept()
# Catalogs forget, and the log grows, whatever is done.
_GROWING = {t.changes.name, t.catalog_version.name}


@pytest.fixture
def filled(database: Database, writer: Writer, world: World) -> Filled:
    """TOP and OTHER with notes, metadata, a former serial number, and a deleted run."""
    filled = Filled(database, writer, world)
    filled.write(partial(_note, filled))
    filled.write(lambda tx: rename_unit(tx, tx.catalog.get_unit(filled.home, "TOP"), "T0P"))
    filled.write(lambda tx: rename_unit(tx, tx.catalog.get_unit(filled.home, "T0P"), "TOP"))
    filled.write(lambda tx: delete_run(tx, filled.runs[3], Deletion()))
    return filled


def _note(filled: Filled, tx: Transaction) -> None:
    creator, who = Creator.of(filled.admin), filled.admin
    top, other = (tx.catalog.get_unit(filled.home, serial).id for serial in ("TOP", "OTHER"))
    for name in ("both", "top only"):
        create_tag(tx, name, "blue", creator)
    for code in ("C1", "C2"):
        create_cause(tx, code, "Cause", None, creator)
    tag(tx, who, [top], add=["both", "top only"])
    tag(tx, who, [other], add=["both"])
    give_cause(tx, who, [top], "C1")
    give_cause(tx, who, [other], "C2")
    comment_on(tx, who, top, "Looks like OTHER", [])
    change_metadata(tx, "unit", top, "metadata", {"mac": "aa", "lot": 1, "hot": True})
    change_metadata(tx, "unit", other, "metadata", {"lot": 2})


def every_row(filled: Filled) -> Rows:
    with filled.database.read() as connection:
        return {
            table.name: sorted(map(repr, connection.execute(select(table)).all()))
            for table in t.metadata.sorted_tables
            if table.name not in _GROWING
        }


def merge(filled: Filled, old: str, new: str, kept: Kept = _NOTHING_KEPT) -> DoneMerge:
    source, into = filled.unit(old), filled.unit(new)
    return filled.write(lambda tx: merge_units(tx, source, into, kept, WHY))


def split(filled: Filled, unit_id: UUID, *, with_later_runs: bool = True) -> None:
    filled.write(lambda tx: split_unit(tx, unit_id, "They are two", with_later_runs=with_later_runs))


def numbers(filled: Filled, serial: str) -> Sequence[tuple[int, UUID]]:
    """The runs of a unit with their numbers, also those that were deleted."""
    with filled.database.read_in(filled.home) as scope:
        (attempts,) = list_attempts(scope, get_unit(scope, serial).id, 20)
    shown = [(one.number, one.id) for one in attempts.shown]
    return sorted(shown + [(one.number, one.id) for one in attempts.deleted])


def refused(filled: Filled, deed: Callable[[], object], words: str) -> None:
    """The deed is refused in these words, and has changed nothing."""
    before = every_row(filled)
    with pytest.raises(RuncardError, match=words):
        deed()
    assert every_row(filled) == before


def test_no_column_that_names_a_unit_is_forgotten() -> None:
    naming = {
        column
        for table in t.metadata.sorted_tables
        for column in table.c
        if any(key.column is t.units.c.id for key in column.foreign_keys)
    }
    assert naming - {*NAMING, *BESIDE_OTHERS} == set()


def test_the_other_unit_gets_everything_and_is_found_by_both_serial_numbers(filled: Filled) -> None:
    top, other, sub = (filled.unit(serial) for serial in ("TOP", "OTHER", "SUB-1"))
    attempts = [filled.runs[2], filled.runs[3], filled.runs[4]]
    merged = merge(filled, "TOP", "OTHER")
    assert (merged.id, merged.serial_number, merged.moved["runs"], merged.moved["repairs"]) == (
        top,
        "OTHER",
        1,
        1,
    )
    assert [filled.unit(serial) for serial in ("TOP", "t0p", "other")] == [other] * 3
    assert numbers(filled, "top") == list(enumerate(attempts, start=1))
    with filled.database.read_in(filled.home) as scope:
        assert get_units_by_id(scope, [sub])[sub].parent_id == other
        assert [one.name for one in tags_of(scope, [other])[other]] == ["both", "top only"]
        assert causes_of(scope, [other])[other].code == "C2"
        assert read_metadata(scope, [other])[other] == {"mac": "aa", "lot": 2, "hot": True}
        assert list_former_serial_numbers(scope, [other])[other] == ["TOP", "T0P"]
        (kept,) = list_merged_into(scope, other)
        assert (kept.id, kept.serial_number, kept.merged_by_id, kept.why) == (
            top,
            "TOP",
            filled.admin.user_id,
            WHY,
        )


def test_after_a_split_every_row_is_what_it_was(filled: Filled) -> None:
    before = every_row(filled)
    merged = merge(filled, "TOP", "OTHER")
    assert every_row(filled) != before
    split(filled, merged.id)
    assert every_row(filled) == before
    back = merge(filled, "OTHER", "TOP")
    split(filled, back.id)
    assert every_row(filled) == before


def test_a_sub_unit_brings_its_place_along_and_takes_it_home(filled: Filled) -> None:
    filled.record("SUB-3", 8, ())
    before = every_row(filled)
    top, sub = filled.unit("TOP"), filled.unit("SUB-3")
    merged = merge(filled, "SUB-1", "SUB-3")
    with filled.database.read_in(filled.home) as scope:
        assert get_units_by_id(scope, [sub])[sub].parent_id == top
    split(filled, merged.id)
    assert every_row(filled) == before


def test_merges_of_merges_are_split_from_the_outside(filled: Filled) -> None:
    for number in (3, 4):
        filled.record(f"SUB-{number}", 10 + number, ())
    rows = [every_row(filled)]
    inner = merge(filled, "SUB-3", "SUB-4")
    rows.append(every_row(filled))
    outer = merge(filled, "SUB-4", "OTHER")
    assert filled.unit("SUB-3") == filled.unit("OTHER")
    refused(
        filled, lambda: split(filled, inner.id), "SUB-4, into which SUB-3 was merged, was merged into ano"
    )
    rows.append(every_row(filled))
    later = merge(filled, "TOP", "OTHER")
    refused(filled, lambda: split(filled, outer.id), "Unit TOP was merged after SUB-4. Split that first")
    for unit, then in zip((later, outer, inner), reversed(rows), strict=True):
        split(filled, unit.id)
        assert every_row(filled) == then


def test_runs_since_the_merge_go_with_the_serial_number_of_their_report(filled: Filled) -> None:
    merged = merge(filled, "TOP", "OTHER")
    later = filled.record("top", 20, ["SUB-2"])
    of_other = filled.record("OTHER", 21, ())
    with filled.database.read_in(filled.home) as scope:
        assert list_later_runs(scope, get_merged(scope, merged.id)) == [later]
    split(filled, merged.id)
    assert numbers(filled, "TOP") == [(1, filled.runs[2]), (2, filled.runs[3]), (3, later)]
    assert numbers(filled, "OTHER") == [(1, filled.runs[4]), (2, of_other)]


def test_runs_since_the_merge_may_stay(filled: Filled) -> None:
    merged = merge(filled, "TOP", "OTHER")
    later = filled.record("TOP", 20, ())
    split(filled, merged.id, with_later_runs=False)
    assert numbers(filled, "OTHER") == [(1, filled.runs[4]), (2, later)]


def test_a_sub_unit_that_a_later_run_built_in_follows_it(filled: Filled) -> None:
    filled.record("SUB-3", 19, ())
    merged = merge(filled, "TOP", "OTHER")
    filled.record("TOP", 20, ["SUB-3"])
    split(filled, merged.id)
    with filled.database.read_in(filled.home) as scope:
        parent = get_unit(scope, "SUB-3").parent
    assert parent is not None
    assert parent.serial_number == "TOP"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("TOP", "t0p", "Unit TOP cannot be merged into itself"),
        ("TOP", "SUB-1", "Unit SUB-1 is part of unit TOP"),
        ("SUB-1", "TOP", "Unit SUB-1 is part of unit TOP"),
        ("SUB-0", "TOP", "Unit SUB-0 is part of unit TOP"),
        ("TOP", "SUB-0", "Unit SUB-0 is part of unit TOP"),
        ("SUB-1", "SUB-2", "SUB-1 is part of TOP, and unit SUB-2 is part of OTHER. Take one of them out"),
    ],
)
def test_what_cannot_be_one_is_refused_and_nothing_is_done(
    filled: Filled, old: str, new: str, words: str
) -> None:
    filled.record("SUB-0", 7, ())
    filled.record("SUB-1", 9, ["SUB-0"])
    refused(filled, lambda: merge(filled, old, new), words)


def test_a_unit_with_too_many_runs_is_refused(filled: Filled) -> None:
    with filled.database.read_in(filled.home) as scope:
        top, sub = (get_units_by_id(scope, [one])[one] for one in (filled.unit("TOP"), filled.unit("SUB-2")))
        check_can_be_one(scope, top, sub, most_runs=1)
        with pytest.raises(
            Conflict, match=r"TOP has 1 runs, and a merge moves 0 at most. Merge SUB-2 into TOP"
        ):
            check_can_be_one(scope, top, sub, most_runs=0)


def test_who_chooses_keeps_the_parent(filled: Filled) -> None:
    before = every_row(filled)
    merged = merge(filled, "SUB-1", "SUB-2", Kept(parent=True))
    with filled.database.read_in(filled.home) as scope:
        parent = get_unit(scope, "SUB-1").parent
    assert parent is not None
    assert parent.serial_number == "OTHER"
    split(filled, merged.id)
    assert every_row(filled) == before


def test_units_of_two_parts_are_one_only_if_somebody_says_so(filled: Filled) -> None:
    filled.record("OTHER", 12, (), part="PSU-9")
    before = every_row(filled)
    refused(
        filled, lambda: merge(filled, "TOP", "OTHER"), "of part PCB-100, and unit OTHER of part .*keep_part"
    )
    merged = merge(filled, "TOP", "OTHER", Kept(part=True))
    split(filled, merged.id)
    assert every_row(filled) == before


def test_runs_that_come_in_meanwhile_are_of_the_unit_that_stands(filled: Filled) -> None:
    """From a process that remembers the unit as it was."""
    other = filled.unit("OTHER")
    writer, filled.writer = filled.writer, Writer(filled.database)
    try:
        with ThreadPoolExecutor(1) as pool:
            recorded = pool.submit(lambda: [filled.record("TOP", number, ()) for number in range(100, 140)])
            while not (filled.has_run("ref-103") or recorded.done()):
                pass
            source = writer.write(filled.admin, lambda tx: tx.catalog.get_unit(filled.home, "TOP").id)
            writer.write_catalog(filled.admin, lambda tx: merge_units(tx, source, other, Kept(), WHY))
            runs = recorded.result()
    finally:
        filled.writer.close()
        filled.writer = writer
    r = t.runs.c
    with filled.database.read() as connection:
        units = connection.execute(select(r.unit_id).where(r.id.in_(runs))).scalars().all()
    assert units == [other] * len(runs)


def test_a_unit_that_is_gone_is_merged_with_none(filled: Filled) -> None:
    top, other = filled.unit("TOP"), filled.unit("OTHER")
    filled.write(lambda tx: delete_units(tx, ["TOP"], Deletion(), with_runs=True))
    for source, into in ((top, other), (other, top)):
        deed = partial(merge_units, source_id=source, into_id=into, kept=Kept(), why=WHY)
        with pytest.raises(UnitNotFound):
            filled.write(deed)
    stranger = filled.world.globex.admin.actor
    with pytest.raises(UnitNotFound):
        filled.writer.write_catalog(stranger, lambda tx: merge_units(tx, other, top, Kept(), WHY))


def test_a_merged_unit_is_in_no_bin(filled: Filled) -> None:
    waiting = 1  # the run that was deleted before
    merged = merge(filled, "TOP", "OTHER")
    with filled.database.read_in(filled.home) as scope:
        assert count_bin(scope) == len(list_bin(scope, Page(10)).rows) == waiting
        assert merged.id not in list_due(scope, START + timedelta(days=9999), 10)
        with pytest.raises(Conflict, match="unit TOP is not in the bin: it was merged into another"):
            get_in_bin(scope, merged.id)


def test_a_run_that_was_deleted_before_the_merge_comes_back_to_the_unit_that_stands(filled: Filled) -> None:
    merged = merge(filled, "TOP", "OTHER")
    filled.write(lambda tx: restore(tx, filled.runs[3], None))
    assert numbers(filled, "OTHER")[1] == (2, filled.runs[3])
    split(filled, merged.id)
    assert numbers(filled, "TOP") == [(1, filled.runs[2]), (2, filled.runs[3])]


def test_what_was_moved_and_deleted_is_restored_before_the_split(filled: Filled) -> None:
    merged = merge(filled, "TOP", "OTHER")
    filled.write(lambda tx: delete_run(tx, filled.runs[2], Deletion()))
    refused(
        filled, lambda: split(filled, merged.id), "run TOP, which was moved with unit TOP, was deleted since"
    )
    filled.write(lambda tx: restore(tx, filled.runs[2], None))
    split(filled, merged.id)
    assert numbers(filled, "TOP") == [(1, filled.runs[2]), (2, filled.runs[3])]


def test_a_run_that_is_gone_for_good_goes_home_as_a_number(filled: Filled) -> None:
    merged = merge(filled, "TOP", "OTHER")
    filled.write(lambda tx: delete_runs(tx, [filled.runs[2]], EXPIRED))
    split(filled, merged.id)
    assert numbers(filled, "OTHER") == [(1, filled.runs[4])]
    filled.write(lambda tx: restore(tx, filled.runs[3], None))
    assert numbers(filled, "TOP") == [(1, filled.runs[2]), (2, filled.runs[3])]


def test_the_unit_that_stands_may_be_deleted_and_restored_in_between(filled: Filled) -> None:
    before = every_row(filled)
    merged = merge(filled, "TOP", "OTHER")
    other = filled.unit("OTHER")
    together = every_row(filled)
    filled.write(lambda tx: delete_units(tx, ["OTHER"], Deletion(), with_runs=True))
    refused(
        filled, lambda: split(filled, merged.id), "OTHER, into which TOP was merged, was deleted. Restore it"
    )
    filled.write(lambda tx: restore(tx, other, None))
    then = every_row(filled)
    # Restoring notes that its sub-units moved.
    assert {name for name in then if then[name] != together[name]} <= {t.unit_moves.name}
    split(filled, merged.id)
    then = every_row(filled)
    assert {name for name in then if then[name] != before[name]} <= {t.unit_moves.name}


def test_what_is_gone_for_good_takes_along_what_was_merged_into_it(filled: Filled) -> None:
    merged = merge(filled, "TOP", "OTHER")
    other = filled.unit("OTHER")
    filled.write(lambda tx: delete_units(tx, ["OTHER"], Deletion(), with_runs=True))
    filled.write(lambda tx: purge(tx, other, None))
    with pytest.raises(NotFound, match="No unit with ID"):
        split(filled, merged.id)
    with filled.database.read() as connection:
        d = t.deleted_things.c
        kept = connection.execute(select(d.content, d.purged_at).where(d.id == merged.id)).one()
    assert kept.content is None
    assert kept.purged_at is not None


def test_an_import_that_is_taken_back_leaves_a_unit_into_which_another_was_merged(filled: Filled) -> None:
    run = filled.record("NEW", 50, ())
    empty = NewUnit("EMPTY", "PCB-100", "A", None, {})
    filled.write(lambda tx: create_unit(tx, filled.admin, empty))
    merged, new = merge(filled, "EMPTY", "NEW"), filled.unit("NEW")
    filled.write(lambda tx: take_back(tx, [run], [], filled.files[2]))
    split(filled, merged.id)
    assert (filled.unit("EMPTY"), filled.unit("NEW")) == (merged.id, new)


def test_a_serial_number_that_was_given_away_is_said(filled: Filled) -> None:
    merged = merge(filled, "TOP", "OTHER")
    other = filled.unit("OTHER")
    filled.write(lambda tx: let_go(tx, other, "TOP", None))
    filled.record("TOP", 30, ())
    refused(filled, lambda: split(filled, merged.id), "unit TOP cannot be restored: units have 'top' again")
    filled.write(lambda tx: rename_unit(tx, tx.catalog.get_unit(filled.home, "TOP"), "TOP-2", leads_on=False))
    filled.write(lambda tx: let_go(tx, other, "T0P", None))
    split(filled, merged.id)
    with filled.database.read_in(filled.home) as scope:
        assert list_former_serial_numbers(scope, [merged.id, other]) == {}


def test_a_unit_does_not_come_back_inside_itself(filled: Filled) -> None:
    merged = merge(filled, "SUB-1", "SUB-2", Kept(parent=True))
    filled.record("SUB-1", 31, ["TOP"])
    refused(
        filled, lambda: split(filled, merged.id), "SUB-1 was part of unit TOP, which is part of it by now"
    )


def test_what_changed_since_stays_with_the_unit_that_stands(filled: Filled) -> None:
    merged = merge(filled, "TOP", "OTHER")
    top, other = merged.id, filled.unit("OTHER")
    filled.write(lambda tx: change_metadata(tx, "unit", other, "metadata", {"mac": "bb"}))
    filled.write(lambda tx: give_cause(tx, filled.admin, [other], None))
    filled.write(
        lambda tx: move_unit(
            tx, sub := tx.catalog.get_unit(filled.home, "SUB-1"), sub._replace(parent_id=None), None
        )
    )
    split(filled, top)
    with filled.database.read_in(filled.home) as scope:
        assert read_metadata(scope, [top, other]) == {
            top: {"mac": "aa", "lot": 1, "hot": True},
            other: {"mac": "bb", "lot": 2},
        }
        assert causes_of(scope, [top, other])[top].code == "C1"
        assert other not in causes_of(scope, [other])
        assert get_unit(scope, "SUB-1").parent is None


def test_each_thing_that_changed_has_its_entry(filled: Filled) -> None:
    merged = merge(filled, "TOP", "OTHER")
    other = filled.unit("OTHER")
    told = _entries(filled, 9)
    assert {kind for kind, _ in told} == {
        "unit_merged",
        "unit_took_over",
        "run_changed",
        "repair_changed",
        "attachment_changed",
        "comment_moved",
        "tombstone_changed",
        "unit_changed",
        "thing_tagged",
    }
    assert told["unit_merged", merged.id] == {"merged_into_id": (None, {"id": str(other), "name": "OTHER"})}
    assert told["run_changed", filled.runs[2]] == {
        "unit_id": ({"id": str(merged.id), "name": "TOP"}, {"id": str(other), "name": "OTHER"})
    }
    assert told["unit_took_over", other]["formerly"] == (None, ["T0P", "TOP"])
    split(filled, merged.id)
    assert {thing for kind, thing in _entries(filled, 9) if kind == "unit_split"} == {merged.id, other}


def _entries(filled: Filled, newest: int) -> Mapping[tuple[str, UUID], Mapping[str, object]]:
    with filled.database.read_in(filled.home) as scope:
        rows = list_entries(scope, TrailFilter(), newest).rows
    assert [one.kind for one in rows if not (one.entry and one.entry.why)] in ([], ["thing_tagged"])
    return {(one.kind, one.thing_id): {} if one.entry is None else one.entry.what for one in rows}
