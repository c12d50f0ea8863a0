"""What stations may see and do (section 1.3 of the v1 contract)."""

from runcard.domain.actor import SystemActor
from runcard.store.stations.rows import allow_all_procedures, link_procedures, unlink_procedures
from tests.acceptance.wire import NOT_AUTHORIZED, assert_error, create_run, run_of, runs_of
from tests.servers import Server


def _ids(client, serial: str) -> list[str]:
    return [run["id"] for run in runs_of(client, serial)]


def test_station_reads_only_runs_of_linked_procedures(admin, ict, fct, lonely, viewer, globex, serial):
    board = create_run(admin, run_of(serial, procedure_id="FVT1"))
    final = create_run(admin, run_of(serial, procedure_id="FVT2"))
    assert _ids(admin, serial) == _ids(viewer, serial) == _ids(fct, serial) == [final, board]
    assert _ids(ict, serial) == [board]
    assert _ids(lonely, serial) == _ids(globex, serial) == []
    for client in (admin, ict, lonely):
        assert runs_of(client, f"{serial}-unknown") == []


def test_link_counts_from_the_moment_it_is_made_and_undone(server: Server, admin, lonely, serial):
    acme = server.world.acme
    station, board = acme.lonely.actor.station_id, acme.board
    before = create_run(admin, run_of(serial))
    assert_error(lonely.post("/runs", json=run_of(serial)), 403, "FORBIDDEN", NOT_AUTHORIZED)
    server.change(lambda tx: link_procedures(tx.of(SystemActor(acme.id, "test")), station, [board.id]))
    try:
        mine = create_run(lonely, run_of(serial))
        assert _ids(lonely, serial) == [mine, before]
    finally:
        server.change(lambda tx: unlink_procedures(tx.of(SystemActor(acme.id, "test")), station, [board.id]))
    assert_error(lonely.post("/runs", json=run_of(serial)), 403, "FORBIDDEN", NOT_AUTHORIZED)
    assert _ids(lonely, serial) == []


def test_all_procedures_are_given_and_taken_back(server: Server, lonely, serial):
    acme = server.world.acme
    station = acme.lonely.actor.station_id
    server.change(lambda tx: allow_all_procedures(tx.of(SystemActor(acme.id, "test")), station, allowed=True))
    try:
        create_run(lonely, run_of(serial, procedure_id="FVT2"))
    finally:
        server.change(
            lambda tx: allow_all_procedures(tx.of(SystemActor(acme.id, "test")), station, allowed=False)
        )
    answer = lonely.post("/runs", json=run_of(serial, procedure_id="FVT2"))
    assert_error(answer, 403, "FORBIDDEN", NOT_AUTHORIZED)


def test_station_with_all_procedures_may_run_one_that_is_made_later(server: Server, fct, ict, serial):
    made = server.runcard("procedure", "create", "Later", "--organization", server.world.acme.slug)
    create_run(fct, run_of(serial, procedure_id=made["identifier"]))
    assert_error(
        ict.post("/runs", json=run_of(serial, procedure_id=made["id"])), 403, "FORBIDDEN", NOT_AUTHORIZED
    )


def test_stations_never_delete(ict, admin, serial):
    run_id = create_run(ict, run_of(serial))
    assert_error(ict.delete(f"/runs/{run_id}"), 403, "FORBIDDEN")
    assert_error(ict.delete(f"/units/{serial}"), 403, "FORBIDDEN")
    assert _ids(admin, serial) == [run_id]
