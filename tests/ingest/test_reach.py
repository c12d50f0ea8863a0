"""What a station has to do with, on each kind of database."""

from collections.abc import Callable
from uuid import UUID

import pytest

from runcard.domain.actor import Actor, StationActor, SystemActor
from runcard.domain.errors import FileNotBrought, StationNotLinked, UnitNotReached
from runcard.domain.ids import new_id
from runcard.domain.runs.report import RunReport
from runcard.ingest.attach_file import announce_file_of_unit
from runcard.ingest.reach import check_brought, check_may_add, check_reaches_unit
from runcard.ingest.record_run import prepare_run, record_run
from runcard.ingest.record_unit import NewUnit, create_unit
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.stations.rows import create_station, link_procedures, unlink_procedures
from tests.world import World


@pytest.fixture
def reaches(writer: Writer, world: World) -> Callable[[Actor, str], bool]:
    """Whether an actor may change a unit."""

    def reaches(actor: Actor, serial_number: str) -> bool:
        def apply(tx: SharedTransaction) -> None:
            check_reaches_unit(tx.of(actor), actor, tx.catalog.get_unit(world.acme.id, serial_number))

        try:
            writer.write_shared(apply)
        except UnitNotReached:
            return False
        return True

    return reaches


def test_units(writer: Writer, world: World, reaches: Callable[[Actor, str], bool]) -> None:
    acme = world.acme
    user, ict, fct, lonely = (one.actor for one in (acme.engineer, acme.ict, acme.fct, acme.lonely))
    for serial_number, procedure in (("BOARD", acme.board.id), ("FINAL", acme.final.id)):
        record(writer, user, serial_number, procedure)
    writer.write_shared(lambda tx: create_unit(tx.of(user), user, NewUnit("FRESH", "P", "A", None, {})))
    for actor, units in (
        (user, {"BOARD", "FINAL", "FRESH"}),
        (fct, {"BOARD", "FINAL", "FRESH"}),
        (ict, {"BOARD", "FRESH"}),
        (lonely, {"FRESH"}),
    ):
        assert {one for one in ("BOARD", "FINAL", "FRESH") if reaches(actor, one)} == units


def test_what_a_station_recorded_stays_its_own(
    writer: Writer, world: World, reaches: Callable[[Actor, str], bool]
) -> None:
    acme, ict = world.acme, world.acme.ict.actor
    record(writer, ict, "MINE", acme.board.id)
    writer.write_shared(
        lambda tx: unlink_procedures(tx.of(SystemActor(acme.id, "test")), ict.station_id, [acme.board.id])
    )
    assert reaches(ict, "MINE")
    assert not reaches(acme.lonely.actor, "MINE")


def test_a_station_without_procedures_adds_nothing(writer: Writer, world: World) -> None:
    acme = world.acme

    def check(actor: Actor) -> None:
        writer.write_shared(lambda tx: check_may_add(tx.connection, actor))

    for actor in (acme.ict.actor, acme.fct.actor, acme.engineer.actor):
        check(actor)
    with pytest.raises(StationNotLinked):
        check(acme.lonely.actor)
    made = writer.write_shared(lambda tx: create_station(tx.of(SystemActor(acme.id, "test")), "New").id)
    writer.write_shared(
        lambda tx: link_procedures(tx.of(SystemActor(acme.id, "test")), made, [acme.final.id])
    )
    check(StationActor(made, acme.id))


def test_a_station_deletes_the_files_that_it_brought(writer: Writer, world: World) -> None:
    acme, ict, fct = world.acme, world.acme.ict.actor, world.acme.fct.actor
    record(writer, ict, "FILES", acme.board.id)

    def announce(actor: Actor) -> UUID:
        return writer.write_shared(
            lambda tx: announce_file_of_unit(tx.of(actor), actor, "FILES", "a", new_id()).id
        )

    files = {actor: announce(actor) for actor in (ict, fct, acme.engineer.actor)}

    def check(actor: Actor, *ids: UUID) -> None:
        writer.write_shared(
            lambda tx: check_brought(tx.of(actor), actor, tx.catalog.get_unit(acme.id, "FILES"), ids)
        )

    check(ict, files[ict])
    check(acme.engineer.actor, *files.values())
    for foreign in (files[fct], files[acme.engineer.actor]):
        with pytest.raises(FileNotBrought):
            check(ict, files[ict], foreign)


def record(writer: Writer, actor: Actor, serial_number: str, procedure: UUID) -> None:
    report = RunReport(
        procedure=str(procedure),
        serial_number=serial_number,
        part_number="P",
        revision_number="A",
        outcome="PASS",
    )
    run = prepare_run(report)
    writer.write_shared(lambda tx: record_run(tx.of(actor), actor, run))
