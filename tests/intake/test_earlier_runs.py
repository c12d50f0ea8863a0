"""Reports that come again in other bytes: refused, or in place of the run that there is. See ADR 42."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from runcard.intake.arrived_files import Stores
from runcard.intake.report_files import Fate
from runcard.store.engine.database import Database
from runcard.store.engine.tables import changes, metadata_entries, units
from runcard.store.engine.tables import runs as runs_table
from runcard.store.files.attachments import list_attachments
from runcard.store.files.imports import what_is_left
from runcard.store.metadata import read_metadata
from tests.importers.golden import CASES
from tests.importers.wats.files import as_wsjf, as_wsxf, tree
from tests.intake.conftest import BringIn
from tests.world import World

START = "2026-01-30T21:00:00"


def wats(report_id: str | None = None, **said: Any) -> bytes:
    given = {"id": report_id or str(uuid4()), "sn": f"SN-{uuid4()}", "startUTC": f"{START}Z"} | said
    content: bytes = as_wsjf(tree(**given))
    return content


def outcomes(database: Database) -> list[tuple[UUID, str]]:
    with database.read() as connection:
        return [(one.id, one.outcome) for one in connection.execute(select(runs_table))]


def run_of(database: Database, world: World, fate: Fate) -> UUID:
    assert fate.import_id is not None
    with database.read_in(world.acme.id) as scope:
        (run_id,) = what_is_left(scope, fate.import_id).run_ids
    return run_id


def test_a_report_of_an_id_that_is_there_is_refused(
    bring_in: BringIn, database: Database, world: World
) -> None:
    first = bring_in(wats("AB-1", sn="SN1"))
    run_id = run_of(database, world, first)
    # In the other format, in which ids are in upper case; the serial number was mended.
    again = as_wsxf(tree(id="ab-1", sn="SN2", result="F"))
    refused = bring_in(again)
    assert (refused.status, refused.run_count) == ("refused", 0)
    assert refused.reason is not None
    assert refused.reason.startswith(f"Run {run_id} was recorded from the same report (its id is ab-1)")
    assert "--replace" in refused.reason
    assert refused.quarantined_id is not None
    assert outcomes(database) == [(run_id, "PASS")]
    assert bring_in(again, rehearses=True).status == "refused"


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"startUTC": f"{START}.500Z"}, "refused"),
        ({"startUTC": "2026-01-30T20:59:59.500Z"}, "refused"),
        ({"startUTC": f"{START}.501Z"}, "recorded"),
        ({"startUTC": "2026-01-30T20:59:59.499Z"}, "recorded"),
        ({"sn": "SN2"}, "recorded"),
        ({"processName": "EOL"}, "recorded"),
    ],
)
def test_of_wats_unit_process_and_start_tell_a_report_too(
    bring_in: BringIn, changed: dict[str, str], status: str
) -> None:
    assert bring_in(wats(sn="SN1")).status == "recorded"
    assert bring_in(wats(sn="sn1", result="F")).status == "refused"
    again = bring_in(wats(**{"sn": "SN1"} | changed))
    assert again.status == status
    if status == "refused":
        assert "within 500 ms" in (again.reason or "")


def test_by_a_wrong_clock_no_two_reports_are_the_same(bring_in: BringIn) -> None:
    said = {"sn": "SN1", "startUTC": "1970-01-01T00:00:00Z"}
    assert [bring_in(wats(**said)).status for _ in range(2)] == ["recorded", "recorded"]


def test_a_report_takes_the_place_of_the_run_that_is_there(
    bring_in: BringIn, stores: Stores, world: World
) -> None:
    before = bring_in(wats("ab-1", sn="WRONG"), name="first.json")
    old = run_of(stores.database, world, before)
    content = wats("ab-1", sn="SN1", result="F")
    after = bring_in(content, name="second.json", replaces=True)
    new = run_of(stores.database, world, after)
    assert (after.status, after.run_count) == ("recorded", 1)
    assert list(after.warnings) == [f"Run {new} replaced run {old}, which has the same report."]
    assert outcomes(stores.database) == [(new, "FAIL")]
    with stores.database.read_in(world.acme.id) as scope:
        noted = read_metadata(scope, [new])[new]
        files = list_attachments(scope, [new])[new]
        serials = scope.connection.execute(select(units.c.serial_number)).scalars().all()
        logged = (
            scope.connection.execute(select(changes.c.kind).where(changes.c.entity_id == old)).scalars().all()
        )
    # Both reports stay with the run, and the unit of the first, which was none, is gone.
    assert (noted["replaced_run"], noted["report_id"]) == (str(old), "ab-1")
    assert sorted((one.name, one.is_report) for one in files) == [
        ("first.json", False),
        ("second.json", True),
    ]
    assert list(serials) == ["SN1"]
    assert list(logged) == ["run_recorded", "attachment_linked", "run_deleted"]


def test_what_was_replaced_does_not_come_back(bring_in: BringIn, database: Database) -> None:
    first, second = wats("ab-1", sn="SN1"), wats("ab-1", sn="SN1", result="F")
    bring_in(first)
    for _ in range(2):
        fates = [bring_in(one, replaces=True).status for one in (first, second)]
        assert [outcome for _, outcome in outcomes(database)] == ["FAIL"]
    assert fates == ["known", "known"]


def test_a_report_says_itself_what_it_replaced(bring_in: BringIn, stores: Stores, world: World) -> None:
    bring_in(wats("ab-1", sn="SN1"))
    misc = [{"description": "replaced_run", "text": "none"}]
    after = bring_in(wats("ab-1", sn="SN1", miscInfos=misc), replaces=True)
    run_id = run_of(stores.database, world, after)
    with stores.database.read() as connection:
        query = select(metadata_entries.c.text).where(
            metadata_entries.c.entity_id == run_id, metadata_entries.c.key == "replaced_run"
        )
        assert connection.execute(query).scalar_one() != "none"


def test_of_several_reports_the_one_is_named_that_is_there(bring_in: BringIn, database: Database) -> None:
    bring_in(wats("ab-1", sn="SN1"))
    both = b"[" + b",".join([wats(sn="SN8"), wats("ab-1", sn="SN9")]) + b"]"
    refused = bring_in(both)
    assert (refused.reason or "").startswith("Report 2 of the file, of unit SN9, was refused: Run ")
    assert len(outcomes(database)) == 1


def test_reports_of_one_file_are_never_each_other(bring_in: BringIn) -> None:
    twice = b"[" + b",".join([wats("ab-1", sn="SN1"), wats("ab-1", sn="SN1", result="F")]) + b"]"
    assert (bring_in(twice).status, bring_in(twice).status) == ("recorded", "known")


def test_a_second_run_of_a_report_is_recorded_where_that_is_asked_for(
    bring_in: BringIn, database: Database
) -> None:
    bring_in(wats("ab-1", sn="SN1"))
    assert bring_in(wats("ab-1", sn="SN1"), is_again=True).status == "recorded"
    assert len(outcomes(database)) == 2


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("atml/board_6.xml", b"<c:SerialNumber>", b"<c:SerialNumber >"),
        ("teststand/tsreport.xml", b"<TSReport>", b"<TSReport >"),
    ],
)
def test_ids_of_other_formats(bring_in: BringIn, file: str, old: bytes, new: bytes) -> None:
    content = (CASES / file).read_bytes()
    changed = content.replace(old, new)
    assert changed != content
    first = bring_in(content, part_number="PCB01")
    assert first.status == "recorded"
    assert bring_in(changed, part_number="PCB01").status == "refused"
    replaced = bring_in(changed, part_number="PCB01", replaces=True)
    assert (replaced.status, replaced.run_count, len(replaced.warnings)) == ("recorded", 1, 1)
