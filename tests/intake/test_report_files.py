"""Files on their way in: once each, in groups, and to quarantine where they are refused."""

import bz2
import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from sqlalchemy import func, select

from runcard.domain.actor import SystemActor
from runcard.domain.errors import PermissionDenied
from runcard.importers.report.remarks import MOST_REMARKS
from runcard.ingest.file_content import open_content
from runcard.ingest.import_groups import GROUP_LIMITS
from runcard.intake.arrived_files import Stores, Upload
from runcard.intake.choices import NO_FORMAT, ImportChoice
from runcard.intake.report_files import Fate, ReportFiles
from runcard.store.bin.deleting import Deletion
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.creator import Creator
from runcard.store.engine.database import Database
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import attachments, metadata, runs, units
from runcard.store.files.attachments import (
    AnnouncedFile,
    create_attachment,
    get_attachment,
    list_attachments,
    mark_stored,
)
from runcard.store.files.blobs import BlobMeta
from runcard.store.files.imports import find_import, find_import_state, what_is_left
from runcard.store.intake.quarantine import list_quarantined
from runcard.store.retention.old_records import delete_old_runs
from runcard.store.runs.rows import delete_runs
from tests.importers.many_runs import doubtful_lot, junit_of
from tests.intake.conftest import CLIENT, BringIn
from tests.world import World

SERIALS = [f"SN-{number:05}" for number in range(2 * GROUP_LIMITS.reports + 100)]


def serials(database: Database) -> list[str]:
    """Serial numbers of all runs."""
    with database.read() as connection:
        query = select(units.c.serial_number).join_from(runs, units, units.c.id == runs.c.unit_id)
        return sorted(connection.execute(query).scalars())


def counts(database: Database) -> dict[str, int]:
    with database.read() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }


def told(fate: Fate) -> Fate:
    """What has become of a file, without the ids that nobody can foretell."""
    return fate._replace(import_id=None, quarantined_id=None)


def test_after_each_group_it_rests_for_as_long_as_that_took(stores: Stores, world: World) -> None:
    rests: list[float] = []
    resting = ReportFiles(stores._replace(rest=rests.append), world.acme.admin.actor, CLIENT, ImportChoice())
    assert resting.bring_in("many.xml", BytesIO(junit_of(SERIALS))).status == "recorded"
    assert len(rests) == 3
    assert min(rests) > 0


def digest(content: bytes) -> bytes:
    with open_content(BytesIO(content)) as opened:
        return opened.digest


def test_a_file_is_recorded_and_is_the_report_of_its_runs(
    bring_in: BringIn, stores: Stores, world: World
) -> None:
    content = junit_of(["A", "B"])
    fate = bring_in(content)
    assert told(fate) == Fate("recorded", "JUNIT", run_count=2)
    with stores.database.read_in(world.acme.id) as scope:
        known = find_import(scope, digest(content))
        assert known is not None
        assert (fate.import_id, fate.quarantined_id) == (known.id, None)
        assert known.recorded_count is None
        found = list_attachments(scope, known.run_ids)
    assert [[(one.name, one.size_bytes, one.is_report) for one in found[run]] for run in known.run_ids] == [
        [("a.xml", len(content), True)]
    ] * 2
    assert stores.blobs.read(found[known.run_ids[0]][0].blob_key) == content


@pytest.mark.parametrize(("year", "is_wrong"), [(b"2005", False), (b"1999", True), (b"9998", True)])
def test_imported_history_keeps_its_past_and_no_other_clock_is_believed(
    bring_in: BringIn, database: Database, year: bytes, is_wrong: bool
) -> None:
    bring_in(junit_of(["A"]).replace(b"2026-01-02", year + b"-01-02"))
    r, said = runs.c, datetime(int(year), 1, 2, 3, 4, 5, tzinfo=UTC)
    query = select(r.started_at, r.ended_at, r.created_at, r.reported_started_at, r.reported_ended_at)
    with database.read() as connection:
        start, end, received_at, *reported = connection.execute(query).one()
    assert end - start == timedelta(seconds=1)
    assert (start, reported) == (
        (received_at, [said, said + timedelta(seconds=1)]) if is_wrong else (said, [None, None])
    )


@pytest.mark.parametrize("pack", [bytes, gzip.compress, bz2.compress], ids=["plain", "gzip", "bzip2"])
def test_the_same_content_is_known_however_it_is_packed(
    bring_in: BringIn, database: Database, pack: Callable[[bytes], bytes]
) -> None:
    content = junit_of(["A"])
    first = bring_in(content)
    before = counts(database)
    known = bring_in(pack(content), name="b.xml")
    assert known == Fate("known", "JUNIT", run_count=1, import_id=first.import_id)
    assert counts(database) == before


def test_what_is_doubtful_in_a_file_is_told_with_it(bring_in: BringIn) -> None:
    fate = bring_in(doubtful_lot(range(MOST_REMARKS + 7)), name="lot.atdf")
    assert (fate.status, fate.run_count, len(fate.warnings)) == ("recorded", 1, MOST_REMARKS + 1)
    assert fate.warnings[0].startswith("Test 0: unit 'V' contradicts exponent 3")
    assert fate.warnings[-1] == "and 7 more such warnings"


def test_content_is_known_in_its_organization_only(bring_in: BringIn, world: World) -> None:
    fates = [bring_in(junit_of(["A"]), actor=actor) for actor in (None, world.globex.admin.actor)]
    assert [fate.status for fate in fates] == ["recorded", "recorded"]


def test_a_file_of_many_runs_is_recorded_whole_and_once(bring_in: BringIn, database: Database) -> None:
    content = junit_of(SERIALS)
    assert told(bring_in(content)) == Fate("recorded", "JUNIT", run_count=len(SERIALS))
    assert told(bring_in(content)) == Fate("known", "JUNIT", run_count=len(SERIALS))
    assert serials(database) == SERIALS


def test_a_file_that_cannot_be_read_to_its_end_leaves_no_run(
    bring_in: BringIn, database: Database, world: World
) -> None:
    """However many of its runs could be read before."""
    fate = bring_in(junit_of(SERIALS)[:-100])
    assert (fate.status, fate.run_count, fate.recorded_count) == ("refused", 0, 0)
    assert serials(database) == []
    with database.read_in(world.acme.id) as scope:
        (kept,) = list_quarantined(scope)
    assert (kept.name, kept.importer, kept.reason) == ("a.xml", "JUNIT", fate.reason)


def test_where_a_file_stopped_is_told_and_it_goes_on_from_there(
    bring_in: BringIn, database: Database, world: World
) -> None:
    """A report in the last group names no part; what comes before it is recorded, and nothing twice."""
    half, bad = SERIALS[:-50], SERIALS[-50]
    whole = junit_of(half).removesuffix(b"</testsuites>")
    rest = junit_of([bad], part_number=None).split(b"<testsuites>")[1].removesuffix(b"</testsuites>")
    content = whole + rest + junit_of(SERIALS[-49:]).split(b"<testsuites>")[1]
    fate = bring_in(content)
    assert (fate.status, fate.run_count, fate.recorded_count) == (
        "refused",
        2 * GROUP_LIMITS.reports,
        2 * GROUP_LIMITS.reports,
    )
    assert f"Report {len(half) + 1} of the file, of unit {bad}, was refused: Part number" in str(fate.reason)
    assert serials(database) == SERIALS[: 2 * GROUP_LIMITS.reports]
    with database.read_in(world.acme.id) as scope:
        (kept,) = list_quarantined(scope)
        state = find_import_state(scope, digest(content))
    assert (kept.recorded_count, kept.reason) == (2 * GROUP_LIMITS.reports, fate.reason)
    assert state is not None
    assert (state.recorded_count, state.attachment_id) == (2 * GROUP_LIMITS.reports, kept.attachment_id)

    assert (fate.import_id, fate.quarantined_id) == (state.id, kept.id)

    last = bring_in(content, part_number="PCB01")
    stated = (("part_number", 1),)
    assert last == Fate("recorded", "JUNIT", run_count=100, import_id=state.id, stated=stated)
    assert serials(database) == SERIALS
    with database.read_in(world.acme.id) as scope:
        assert list_quarantined(scope) == []
        assert scope.connection.execute(select(func.count()).select_from(attachments)).scalar_one() == 1


def upload_of(stores: Stores, world: World, content: bytes) -> Upload:
    """An upload whose bytes have arrived."""
    made = stores.writer.write_shared(
        lambda tx: create_attachment(
            tx.of(SystemActor(world.acme.id, "test")),
            AnnouncedFile("a.xml"),
            Creator.of(world.acme.admin.actor),
        )
    )
    stores.blobs.write(made.blob_key, BytesIO(content))
    stored = stores.writer.write(
        SystemActor(world.acme.id, "test"), lambda tx: mark_stored(tx, made, BlobMeta(len(content), None))
    )
    return Upload(stored)


def whole(stores: Stores, world: World, content: bytes, *, again: bool = False) -> Fate:
    """What becomes of a file that is recorded whole or not at all."""
    choice = ImportChoice("JUNIT", is_whole=True, is_again=again)
    files = ReportFiles(stores, world.acme.admin.actor, CLIENT, choice)
    return files.bring_in_upload(upload_of(stores, world, content))


def with_one_refused(numbers: list[str]) -> bytes:
    """A file of which the last report is refused by the record alone: its unit is new, and it names no part."""
    content = junit_of(numbers[:-1]).removesuffix(b"</testsuites>")
    return content + junit_of(numbers[-1:], part_number=None).split(b"<testsuites>")[1]


# What a file leaves of which nothing is to be kept: its upload, why it was refused, the procedure and the part that it
# named, and the log of what happened.
LEFT = {
    "attachments",
    "catalog_version",
    "changes",
    "parts",
    "procedures",
    "quarantined_files",
    "revisions",
    "statistics",
}


# Larger than a group by a few.
LOT = SERIALS[: GROUP_LIMITS.reports + 10]


def test_a_file_of_many_groups_that_is_to_be_whole_is_recorded_whole(stores: Stores, world: World) -> None:
    content = junit_of(LOT)
    fate = whole(stores, world, content)
    assert (fate.status, fate.run_count, fate.recorded_count) == ("recorded", len(LOT), 0)
    assert fate.import_id is not None
    assert whole(stores, world, content) == Fate(
        "known", "JUNIT", run_count=len(LOT), import_id=fate.import_id
    )
    with stores.database.read_in(world.acme.id) as scope:
        left = what_is_left(scope, fate.import_id)
        found = list_attachments(scope, left.run_ids[:1])
    assert len(left.run_ids) == len(LOT)
    assert [one.is_report for one in found[left.run_ids[0]]] == [True]
    assert serials(stores.database) == LOT


def test_a_file_that_is_to_be_whole_leaves_nothing_where_its_last_group_is_refused(
    stores: Stores, world: World
) -> None:
    known = junit_of(LOT[:10])
    whole(stores, world, known)
    before = counts(stores.database)
    fate = whole(stores, world, with_one_refused(LOT))
    assert (fate.status, fate.run_count, fate.recorded_count) == ("refused", 0, 0)
    assert f"Report {len(LOT)} of the file, of unit {LOT[-1]}, was refused" in str(fate.reason)
    after = counts(stores.database)
    assert {name for name in after if after[name] != before[name]} <= LEFT
    # Those whom an earlier file had brought are there still.
    assert serials(stores.database) == LOT[:10]
    with stores.database.read_in(world.acme.id) as scope:
        (kept,) = list_quarantined(scope)
    assert (kept.reason, kept.recorded_count) == (fate.reason, 0)


def test_a_file_that_is_to_be_whole_goes_on_where_it_was_cut_short(
    bring_in: BringIn, stores: Stores, world: World
) -> None:
    """As where the server was killed. What was there before stays where the rest is refused."""
    content = with_one_refused(LOT)
    cut_short = bring_in(content)
    assert cut_short.recorded_count == GROUP_LIMITS.reports
    assert whole(stores, world, content)[:5] == ("refused", "JUNIT", 0, 0, GROUP_LIMITS.reports)
    assert serials(stores.database) == LOT[: GROUP_LIMITS.reports]
    whole(stores, world, junit_of(LOT[-1:]))
    fate = whole(stores, world, content)
    assert (fate.status, fate.run_count, fate.import_id) == ("recorded", 10, cut_short.import_id)
    assert serials(stores.database) == sorted([*LOT, LOT[-1]])


def test_content_that_is_known_is_recorded_again_whole_or_not_at_all(stores: Stores, world: World) -> None:
    content = junit_of(LOT)
    first, second = whole(stores, world, content), whole(stores, world, content, again=True)
    assert (second.status, second.run_count) == ("recorded", len(LOT))
    assert second.import_id != first.import_id
    bad = with_one_refused([*LOT, "NEW"])
    assert whole(stores, world, bad, again=True).status == "refused"
    assert serials(stores.database) == sorted(LOT * 2)


def test_an_upload_of_a_file_that_was_cut_short_brings_the_rest(
    bring_in: BringIn, stores: Stores, world: World
) -> None:
    numbers = SERIALS[: GROUP_LIMITS.reports + 1]
    content = junit_of(numbers[:-1]).removesuffix(b"</testsuites>")
    content += junit_of(numbers[-1:], part_number=None).split(b"<testsuites>")[1]
    bring_in(content)
    actor = world.acme.admin.actor
    # Then the last unit is known, so that its report needs no part.
    bring_in(junit_of([numbers[-1]]))
    with stores.database.read_in(world.acme.id) as scope:
        (kept,) = list_quarantined(scope)
        attachment = get_attachment(scope, kept.attachment_id)
    choice = ImportChoice("JUNIT", is_whole=True)
    upload = Upload(attachment)
    fate = ReportFiles(stores, actor, CLIENT, choice).bring_in_upload(upload)
    assert (fate.status, fate.run_count) == ("recorded", 1)
    assert serials(stores.database) == [*numbers, numbers[-1]]


def test_of_runs_deleted_after_it_was_cut_short_none_comes_back(
    bring_in: BringIn, stores: Stores, world: World
) -> None:
    numbers = SERIALS[: GROUP_LIMITS.reports + 1]
    content = junit_of(numbers[:-1]).removesuffix(b"</testsuites>")
    content += junit_of(numbers[-1:], part_number=None).split(b"<testsuites>")[1]
    bring_in(content)
    with stores.database.read_in(world.acme.id) as scope:
        known = find_import(scope, digest(content))
    assert known is not None
    stores.writer.write_shared(
        lambda tx: delete_runs(tx.of(SystemActor(world.acme.id, "test")), known.run_ids[:10], Deletion())
    )
    assert bring_in(content, part_number="PCB01").run_count == 1
    assert serials(stores.database) == numbers[10:]


def test_a_file_whose_runs_went_for_their_age_is_known_and_goes_on_where_it_was_cut_short(
    bring_in: BringIn, stores: Stores, world: World
) -> None:
    numbers = SERIALS[: GROUP_LIMITS.reports + 1]
    content = junit_of(numbers[:-1]).removesuffix(b"</testsuites>")
    content += junit_of(numbers[-1:], part_number=None).split(b"<testsuites>")[1]
    cut_short, whole = content, junit_of(["A"])
    bring_in(cut_short)
    bring_in(whole)

    def grow_old(tx: SharedTransaction) -> None:
        units = [tx.catalog.get_unit(world.acme.id, serial).id for serial in (*numbers[:-1], "A")]
        delete_old_runs(
            tx.of(SystemActor(world.acme.id, "test")),
            units,
            datetime.now(UTC) + timedelta(days=1),
            len(SERIALS),
        )

    stores.writer.write_shared(grow_old)
    assert serials(stores.database) == []
    assert told(bring_in(whole)) == Fate("known", "JUNIT")
    assert bring_in(cut_short, part_number="PCB01").run_count == 1
    assert serials(stores.database) == numbers[-1:]


def test_what_is_refused_again_is_one_file_in_quarantine(
    bring_in: BringIn, stores: Stores, world: World
) -> None:
    content = junit_of(["A"], part_number=None)
    for _ in range(3):
        assert bring_in(content).status == "refused"
    with stores.database.read() as connection:
        (kept,) = list_quarantined(Scope(connection, world.acme.id))
        assert list_quarantined(Scope(connection, world.globex.id)) == []
    assert kept.attempts == 3
    assert [one.key for one in stores.blobs.list()] == [f"{world.acme.id}/{kept.attachment_id}"]
    assert bring_in(content, part_number="PCB01").status == "recorded"
    assert len(list(stores.blobs.list())) == 1


@pytest.mark.parametrize(
    ("content", "importer", "told"),
    [
        (b"no report", None, NO_FORMAT),
        (b"", None, NO_FORMAT),
        (gzip.compress(junit_of(["A"]))[:-9], None, "damaged or cut short"),
        (junit_of([]), "JUNIT", "holds no report of a run"),
        (b"{}", "OPENHTF", "start_time_millis"),
        (junit_of(["S" * 256]), None, "256 characters"),
    ],
    ids=["strange", "empty", "cut", "no-run", "field", "long"],
)
def test_refused_files_say_why_and_leave_no_run(
    bring_in: BringIn, database: Database, world: World, content: bytes, importer: str | None, told: str
) -> None:
    fate = bring_in(content, importer=importer)
    assert (fate.status, told in str(fate.reason)) == ("refused", True), fate
    assert serials(database) == []
    with database.read_in(world.acme.id) as scope:
        (kept,) = list_quarantined(scope)
    assert kept.reason == fate.reason


def test_files_of_no_format_stay_outside_where_that_is_wanted(bring_in: BringIn, database: Database) -> None:
    before = counts(database)
    assert bring_in(b"holiday.jpg", keeps_strange=False) == Fate("strange", reason=NO_FORMAT)
    assert counts(database) == before


@pytest.mark.parametrize("part_number", ["PCB01", None], ids=["good", "bad"])
@pytest.mark.parametrize("count", [2, GROUP_LIMITS.reports + 1], ids=["one-group", "groups"])
def test_a_rehearsal_says_the_same_and_leaves_nothing(
    bring_in: BringIn, stores: Stores, part_number: str | None, count: int
) -> None:
    content = junit_of(SERIALS[:count], part_number=part_number)
    before = counts(stores.database)
    rehearsed = bring_in(content, rehearses=True)
    assert counts(stores.database) == before
    assert list(stores.blobs.list()) == []
    shown = [] if part_number is None else [(one, "PCB01") for one in SERIALS[:count][:10]]
    assert [(one.serial_number, one.part_number) for one in rehearsed.rehearsed] == shown
    assert told(bring_in(content)) == rehearsed._replace(rehearsed=())


def test_whoever_brings_files_says_of_which_procedure_and_part_they_are(
    bring_in: BringIn, database: Database, world: World
) -> None:
    fate = bring_in(junit_of(["A"], "Another", None), procedure=str(world.acme.final.id), part_number="PCB01")
    assert fate.run_count == 1
    with database.read() as connection:
        assert connection.execute(select(runs.c.procedure_id)).scalars().all() == [world.acme.final.id]


def test_viewers_bring_in_nothing(bring_in: BringIn, database: Database, world: World) -> None:
    before = counts(database)
    for content in (junit_of(["A"]), b"no report"):
        with pytest.raises(PermissionDenied):
            bring_in(content, actor=world.acme.viewer.actor)
    assert counts(database) == before


def test_what_a_station_may_not_record_waits_in_quarantine(bring_in: BringIn, world: World) -> None:
    content = junit_of(["A"], world.acme.final.name)
    fate = bring_in(content, actor=world.acme.ict.actor)
    assert (fate.status, fate.reason) == ("refused", "Station is not authorized for this procedure.")
    assert bring_in(content, actor=world.acme.fct.actor).status == "recorded"
