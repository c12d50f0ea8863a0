"""What goes and what stays in a sweep, over random histories and where something is special."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import func, select, update

from runcard.domain.actor import SystemActor, UserActor
from runcard.domain.errors import ClockDoubted, StorageUnavailable
from runcard.domain.floor.organization import Organization
from runcard.domain.floor.retention import Amount
from runcard.intake.arrived_files import Stores
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.changes import last_seq, list_changes
from runcard.store.commit.transaction import SharedTransaction, Transaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine import tables as t
from runcard.store.engine.database import Database
from runcard.store.engine.locks import Lock
from runcard.store.files.attachments import Owner, find_attachments, get_attachment, link_attachment
from runcard.store.files.blobs import Blobs, blob_key
from runcard.store.files.bytes_to_remove import list_removals
from runcard.store.files.imports import ImportedFile, find_import, note_import
from runcard.store.intake.quarantine import Refusal, RefusedFile, quarantine
from runcard.store.people.organizations import create_organization, update_organization
from runcard.store.people.users import create_user
from runcard.store.procedures.rows import create_procedure
from runcard.store.restoring.contents import count_bin, find_deleted
from runcard.store.retention.log import find_swept_at, last_known, list_removed_days
from runcard.store.retention.old_records import count_kept, forecast
from runcard.store.runs.rows import delete_run
from runcard.store.trail.entries import TrailFilter, list_entries
from runcard.upkeep.sweeps import sweep
from tests.conftest import SQLITE_FILE, Template
from tests.old_runs import CONTENT, attach_at, keys_in, record_at

NOW = datetime.now(UTC)
AGES = (1, 5, 10)
_numbers = count()


class Home:
    """An organization of its own, whose admin records what is to grow old."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.id: UUID = stores.writer.write_shared(self._found)

    def _found(self, tx: SharedTransaction) -> UUID:
        number = next(_numbers)
        home = create_organization(tx, f"Home {number}").id
        admin = create_user(
            tx.of(SystemActor(home, "test")),
            f"{number}@home.test",
            name="A",
            role="admin",
            password_hash=None,
        )
        self.actor = UserActor(admin.id, home, "admin")
        create_procedure(tx.of(SystemActor(home, "test")), "Board", Creator.of(self.actor))
        return home

    def run(self, serial_number: str, age: float, **fields: Any) -> UUID:
        return self.stores.writer.write_shared(
            lambda tx: record_at(tx, self.actor, NOW - timedelta(days=age), serial_number, **fields)
        )

    def file(self, age: float, run_id: UUID | None = None, unit_id: UUID | None = None) -> UUID:
        owner = Owner(run_id, unit_id)
        moment = NOW - timedelta(days=age)
        return self.stores.writer.write_shared(
            lambda tx: attach_at(tx, self.stores.blobs, self.actor, moment, owner)
        )

    def report(self, age: float, run_ids: Sequence[UUID]) -> UUID:
        """The file that runs were imported from."""
        file = self.file(age)

        def apply(tx: Transaction) -> None:
            imported = ImportedFile(file.bytes * 2, "WATS", file)
            note_import(tx, imported, run_ids, Creator.of(self.actor))
            link_attachment(tx, get_attachment(tx.scope, file), run_ids[0], is_report=True)

        self.stores.writer.write(SystemActor(self.id, "test"), apply)
        return file

    def keep(self, run_days: int | None, file_days: int | None = None) -> Organization:
        def apply(tx: Transaction) -> Organization:
            now = tx.catalog.organization(self.id)
            changed = replace(now, run_retention_days=run_days, file_retention_days=file_days)
            update_organization(tx, changed)
            return changed

        return self.stores.writer.write_catalog(SystemActor(self.id, "test"), apply)

    def sweep(self, run_days: int | None, file_days: int | None = None) -> Amount:
        """What went, which must be what was foretold."""
        home = self.keep(run_days, file_days)
        with self.stores.database.read_in(self.id) as scope:
            due = forecast(scope, home.retention.cutoffs(NOW))
        removed = Amount()
        for more in sweep(self.stores, self.id, NOW, at_once=True):
            removed = removed.with_more(more)
        assert (due.runs.total, due.files.total, due.size_bytes) == removed
        return removed

    def runs(self) -> set[UUID]:
        return self._ids(t.runs)

    def files(self) -> set[UUID]:
        """The files that there are, of each of which the bytes are there, and no others."""
        there = self._ids(t.attachments)
        kept = [key for key in keys_in(self.stores.blobs) if key.startswith(str(self.id))]
        assert kept == sorted(blob_key(self.id, file) for file in there)
        return there

    def _ids(self, table: Any) -> set[UUID]:
        with self.stores.database.read() as connection:
            query = select(table.c.id).where(table.c.organization_id == self.id)
            return set(connection.execute(query).scalars())


@pytest.fixture(scope="module")
def stores(migrated: Template, postgresql_if_wanted: Any, module_data_dir: Path) -> Iterator[Stores]:
    for url in migrated.copy(module_data_dir, postgresql_if_wanted):
        database = Database.open(url, module_data_dir / SQLITE_FILE)
        writer = Writer(database)
        yield Stores(database, writer, Blobs.open(None, None, module_data_dir / "attachments"))
        writer.close()
        database.close()


@pytest.fixture
def home(stores: Stores) -> Home:
    return Home(stores)


class Told(NamedTuple):
    """A run of a history, and the ages of its files. All in days."""

    serial_number: str
    age: int
    file_ages: list[int]


told_runs = st.builds(
    Told, st.sampled_from("ABC"), st.sampled_from(AGES), st.lists(st.sampled_from(AGES), max_size=2)
)
days = st.sampled_from([None, 3, 7])


@given(st.lists(told_runs, max_size=6), st.booleans(), days, days)
def test_what_is_left_is_what_is_young(
    stores: Stores, history: list[Told], is_imported: bool, run_days: int | None, file_days: int | None
) -> None:
    home, other = Home(stores), Home(stores)
    untouched = other.run("A", 10)
    history.sort(key=lambda one: -one.age)
    run_ids = [home.run(one.serial_number, one.age) for one in history]
    files = [
        (home.file(age, run_id), age, one, run_id)
        for run_id, one in zip(run_ids, history, strict=True)
        for age in one.file_ages
    ]
    of_age = {age: [run for run, one in zip(run_ids, history, strict=True) if one.age == age] for age in AGES}
    reports = {age: home.report(age, runs) for age, runs in of_age.items() if runs} if is_imported else {}
    home.sweep(run_days, file_days)

    youngest = {
        serial: min((one.age for one in history if one.serial_number == serial), default=0)
        for serial in "ABC"
    }
    left = {
        run
        for run, one in zip(run_ids, history, strict=True)
        if run_days is None or youngest[one.serial_number] < run_days
    }
    assert home.runs() == left
    is_old_file = {age: file_days is not None and age > file_days for age in AGES}
    kept = {
        file
        for file, age, one, run in files
        if run in left and not (is_old_file[age] and is_old_file[one.age])
    }
    kept |= {file for age, file in reports.items() if left & {*of_age[age]} and not is_old_file[age]}
    assert home.files() == kept
    assert other.runs() == {untouched}
    assert home.sweep(run_days, file_days) == Amount()


def test_what_is_kept_for_ever_stays(home: Home) -> None:
    run = home.run("A", 10)
    file = home.file(10, run)
    assert home.sweep(None, None) == Amount()
    assert (home.runs(), home.files()) == ({run}, {file})
    with home.stores.database.read_in(home.id) as scope:
        assert find_swept_at(scope) is None
        assert count_kept(scope) == Amount(1, 1, len(CONTENT))


def test_history_that_is_imported_now_is_young(home: Home) -> None:
    run = home.run("A", 0, started_at=NOW - timedelta(days=400))
    assert home.sweep(30) == Amount()
    assert home.runs() == {run}


def test_a_file_that_is_attached_to_an_old_run_now_is_young(home: Home) -> None:
    run = home.run("A", 10)
    old, young = home.file(10, run), home.file(1, run)
    assert home.sweep(None, 7) == Amount(0, 1, len(CONTENT))
    assert home.files() == {young}
    assert home.sweep(7) == Amount(1, 1, len(CONTENT))
    assert old not in home.files()


def test_units_and_what_happened_to_them_stay(home: Home) -> None:
    child = home.run("CHILD", 10)
    home.run("BOARD", 10, sub_units=("CHILD",))
    home.run("BOARD", 9, batch_number="B-2")
    assert home.sweep(7).runs == 3
    with home.stores.database.read() as connection:
        units = connection.execute(
            select(t.units).where(t.units.c.organization_id == home.id).order_by(t.units.c.serial_number)
        ).all()
        moves = (
            select(func.count()).select_from(t.unit_moves).where(t.unit_moves.c.organization_id == home.id)
        )
        assert connection.execute(moves).scalar_one() == 2
    board, sub_unit = units
    assert (sub_unit.parent_id, sub_unit.created_during_run_id) == (board.id, child)


def test_files_that_something_else_needs_stay(home: Home) -> None:
    run = home.run("A", 10)
    image, quarantined, of_unit = home.file(10, run), home.file(10, run), home.file(10)

    def apply(tx: SharedTransaction) -> None:
        unit = tx.catalog.get_unit(home.id, "A")
        mine = t.revisions.c.organization_id == home.id
        tx.connection.execute(update(t.revisions).where(mine).values(image_id=image))
        mine = t.attachments.c.id == of_unit
        tx.connection.execute(update(t.attachments).where(mine).values(unit_id=unit.id))
        creator = Creator.of(home.actor)
        refused = RefusedFile(b"d" * 32, quarantined, Refusal("WATS", "unreadable"))
        quarantine(tx.of(SystemActor(home.id, "test")), refused, creator)

    home.stores.writer.write_shared(apply)
    assert home.sweep(None, 7) == Amount()
    assert home.sweep(7, 7) == Amount(1, 0, 0)
    assert home.files() == {image, quarantined, of_unit}


def test_content_whose_runs_went_for_their_age_is_known_still(home: Home) -> None:
    report = home.report(10, [home.run("A", 10), home.run("B", 10)])
    assert home.sweep(7) == Amount(2, 1, len(CONTENT))
    with home.stores.database.read_in(home.id) as scope:
        known = find_import(scope, report.bytes * 2)
    assert known is not None
    assert known.run_ids == []
    later = home.run("A", 0)
    again = home.file(0)

    def import_again(tx: SharedTransaction) -> None:
        note_import(
            tx.of(SystemActor(home.id, "test")),
            ImportedFile(report.bytes * 2, "WATS", again),
            [later],
            Creator.of(home.actor),
        )

    home.stores.writer.write_shared(import_again)
    with home.stores.database.read_in(home.id) as scope:
        known = find_import(scope, report.bytes * 2)
    assert known is not None
    assert known.run_ids == [later]


def test_who_raises_the_number_of_days_stops_a_sweep(home: Home) -> None:
    for number in range(120):
        home.run(f"SN-{number:03}", 10)
    home.keep(7)
    sweeping = sweep(home.stores, home.id, NOW, at_once=True)
    first = next(sweeping)
    assert 0 < first.runs < 120
    home.keep(30)
    assert [more.runs for more in sweeping if more.runs] == []
    assert len(home.runs()) == 120 - first.runs


def test_a_unit_of_many_runs_goes_whole(home: Home) -> None:
    for _ in range(520):
        home.run("DUMMY", 10)
    young = [home.run("GOLDEN", age) for age in (10, 1)]
    assert home.sweep(7).runs == 520
    assert home.runs() == set(young)


def test_bytes_that_cannot_be_removed_now_are_removed_by_the_next_sweep(
    home: Home, module_data_dir: Path
) -> None:
    stores = home.stores
    file = home.file(10, home.run("A", 10))
    key = blob_key(home.id, file)
    path = module_data_dir / "attachments" / key
    path.rename(path.with_suffix(".kept"))
    path.mkdir()
    home.keep(7)
    with pytest.raises(StorageUnavailable):
        list(sweep(stores, home.id, NOW))
    path.rmdir()
    path.with_suffix(".kept").rename(path)
    with stores.database.read_in(home.id) as scope:
        assert list_removals(scope.connection, home.id) == [(file, key)]
        assert find_attachments(scope, [file]) == {}
    assert list(sweep(stores, home.id, NOW)) == []
    assert home.files() == set()
    with stores.database.read() as connection:
        assert list_removals(connection) == []


def test_what_went_is_noted_by_day(home: Home) -> None:
    home.file(10, home.run("A", 10))
    home.run("B", 5)
    home.sweep(7)
    home.sweep(3)
    with home.stores.database.read_in(home.id) as scope:
        (today,) = list_removed_days(scope, 5)
        swept_at = find_swept_at(scope)
    assert today.removed == Amount(2, 1, len(CONTENT))
    assert swept_at is not None
    assert swept_at - today.day < timedelta(days=1)


def swept(home: Home, now: datetime, **options: bool) -> Amount:
    removed = Amount()
    for more in sweep(home.stores, home.id, now, **options):
        removed = removed.with_more(more)
    return removed


def test_a_clock_that_is_far_ahead_deletes_nothing(home: Home) -> None:
    """Nor does it after a station has recorded by it."""
    runs = {home.run("A", 10)}
    home.keep(3650)
    assert swept(home, NOW) == Amount()
    ahead = NOW + timedelta(days=4000)
    runs |= {home.run("B", -4000)}
    for now in (ahead, ahead + timedelta(hours=1)):
        with pytest.raises(ClockDoubted, match="A wrong clock") as refused:
            swept(home, now)
        assert f"{NOW:%Y-%m-%d}" in str(refused.value)
    assert home.runs() == runs
    # The clock has been set right.
    assert swept(home, NOW) == Amount()
    assert swept(home, ahead, clock_is_right=True).runs == 1


def test_a_clock_is_believed_for_a_month_after_the_last_sweep(home: Home) -> None:
    home.run("A", 10)
    home.keep(30)
    assert swept(home, NOW) == Amount()
    assert swept(home, NOW + timedelta(days=29)) == Amount(1, 0, 0)
    with pytest.raises(ClockDoubted):
        swept(home, NOW + timedelta(days=31))


def test_who_says_how_long_things_are_kept_has_seen_the_clock(home: Home) -> None:
    home.run("A", 10)
    home.keep(7)
    with home.stores.database.read_in(home.id) as scope:
        known = last_known(scope, NOW + timedelta(days=400))
    assert known is not None
    assert abs(known - datetime.now(UTC)) < timedelta(hours=1)


def test_where_nobody_ever_looked_the_newest_change_counts(home: Home) -> None:
    home.run("A", 10)
    with home.stores.database.read_in(home.id) as scope:
        (newest,) = list_changes(scope.connection, last_seq(scope.connection) - 1, 1)
        assert last_known(scope, NOW + timedelta(days=400)) == newest.changed_at


def test_a_tenth_goes_in_a_day_and_the_rest_when_somebody_says_so(home: Home) -> None:
    old = [home.run(f"OLD-{number}", 40) for number in range(35)]
    young = [home.run(f"YOUNG-{number}", 1) for number in range(5)]
    home.keep(30)
    assert swept(home, NOW).runs == 4
    assert swept(home, NOW).runs == 0
    assert home.runs() == {*old[4:], *young}
    assert swept(home, NOW, at_once=True).runs == 31
    assert home.runs() == {*young}


def test_a_unit_goes_whole_whatever_the_share_of_a_day(home: Home) -> None:
    for _ in range(20):
        home.run("OFTEN", 40)
    left = home.run("ONCE", 39)
    home.keep(30)
    assert swept(home, NOW).runs == 20
    assert home.runs() == {left}


def test_a_tenth_of_the_files_goes_in_a_day(home: Home) -> None:
    run = home.run("A", 40)
    files = {home.file(40, run) for _ in range(20)}
    home.keep(None, 30)
    assert swept(home, NOW) == Amount(0, 2, 2 * len(CONTENT))
    assert swept(home, NOW) == Amount()
    assert len(home.files() & files) == 18


def test_what_grows_old_within_three_days_may_go_in_one(home: Home) -> None:
    for number in range(10):
        home.run(f"OLD-{number}", 10)
    home.keep(6)
    assert swept(home, NOW).runs == 5


def test_the_bin_is_emptied_after_its_days(home: Home) -> None:
    run = home.run("A", 1)
    file = home.file(1, run)
    home.stores.writer.write(home.actor, partial(delete_run, run_id=run, deletion=Deletion(why="Twice")))

    def in_bin(after: timedelta, *, clock_is_right: bool = False) -> int:
        """How many things wait in the bin after a sweep so much later."""
        now = datetime.now(UTC) + after
        assert list(sweep(home.stores, home.id, now, clock_is_right=clock_is_right)) == []
        with home.stores.database.read_in(home.id) as scope:
            return count_bin(scope)

    assert in_bin(timedelta(days=29)) == 1
    with pytest.raises(ClockDoubted):
        in_bin(timedelta(days=400))
    assert keys_in(home.stores.blobs).count(blob_key(home.id, file)) == 1
    assert in_bin(timedelta(days=31), clock_is_right=True) == 0
    assert home.files() == set()
    with home.stores.database.read_in(home.id) as scope:
        thing = find_deleted(scope, run)
        [entry] = list_entries(scope, TrailFilter(thing_id=run), 1).rows
    assert thing is not None
    assert (thing.name, thing.why, thing.purged_at is not None) == ("A", "Twice", True)
    assert entry.kind == "run_purged"
    assert entry.entry is not None
    assert (entry.entry.by.name, entry.entry.why) == ("bin", "It was in the bin for 30 days.")


def test_the_organization_says_how_long_things_stay_in_the_bin(home: Home) -> None:
    run = home.run("A", 1)
    home.stores.writer.write(home.actor, partial(delete_run, run_id=run, deletion=Deletion()))
    for days, left in ((3, 1), (1, 0)):
        changed = replace(home.keep(None), bin_days=days)
        home.stores.writer.write_catalog(
            SystemActor(home.id, "test"), partial(update_organization, organization=changed)
        )
        list(sweep(home.stores, home.id, datetime.now(UTC) + timedelta(days=2)))
        with home.stores.database.read_in(home.id) as scope:
            assert count_bin(scope) == left
    assert home.runs() == set()


def test_one_process_sweeps(home: Home) -> None:
    database = home.stores.database
    with database.alone(Lock.SWEEP) as first:
        assert first
        with database.alone(Lock.SWEEP) as second:
            # A file of SQLite is served by one process.
            assert second is not database.is_postgresql
    with database.alone(Lock.SWEEP) as third:
        assert third
