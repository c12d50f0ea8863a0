"""A server that is killed in the middle of its work: what was answered stays, and nothing is there in part."""

import random
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Connection, func, select

from runcard.store.commit.changes import list_changes
from runcard.store.commit.documents import unpack_document
from runcard.store.engine.database import Database
from runcard.store.engine.locks import Lock, hold
from runcard.store.engine.tables import parts, revisions, run_documents, run_sub_units, runs, units
from tests.acceptance.floor import CLIENTS, FIRST_SUB_UNIT, Floor, body_of, number_of
from tests.acceptance.wire import Json, assert_error, create_run, run_of, runs_of
from tests.examples import examples
from tests.servers import DEADLINE_S, Server

KILLS = max(4, examples() // 6)


def test_killed_again_and_again_while_32_clients_send_runs(doomed: Server):
    chance = random.Random(32)
    floor = _open_floor(doomed)
    for _ in range(KILLS):
        with floor.sending(end=doomed.kill):
            floor.wait_for(more=chance.randint(1, 200))
        doomed.start()
    _check_all(doomed, floor)


def test_the_process_that_records_killed_again_and_again_while_32_clients_send_runs(doomed: Server):
    """Nobody notices: another one records what was not answered, and nothing twice."""
    chance = random.Random(31)
    floor = _open_floor(doomed)
    with floor.sending(end=floor.stop):
        for _ in range(KILLS):
            floor.wait_for(more=chance.randint(50, 200))
            doomed.recording_process().kill()
        floor.wait_for(more=100)
    assert doomed.log.count("the recording process ended with code -9") == KILLS
    _check_all(doomed, floor)


def test_the_process_that_records_stopped_twice_while_32_clients_send_runs(doomed: Server):
    """It may hold the turn of all that write; it is killed for its silence, and another one records what it held."""
    doomed.settings["RUNCARD_RECORDING_TIMEOUT_S"] = "3"
    floor = _open_floor(doomed)
    with floor.sending(end=floor.stop):
        for _ in range(2):
            floor.wait_for(more=100)
            doomed.recording_process().suspend()
            floor.wait_for(more=100)
    assert doomed.log.count("has been silent for") >= 2
    _check_all(doomed, floor)


def test_a_process_that_goes_on_in_time_is_left_alone(doomed: Server):
    doomed.start()
    recording = doomed.recording_process()
    with doomed.client(doomed.world.acme.admin.api_key) as admin, ThreadPoolExecutor() as threads:
        recording.suspend()
        sent = threads.submit(create_run, admin, run_of("WAITED"))
        recording.resume()
        assert sent.result() == runs_of(admin, "WAITED")[0]["id"]
    assert doomed.recording_process().pid == recording.pid
    doomed.stop()


def test_what_nobody_can_record_is_withdrawn_in_time(doomed: Server):
    """Somebody else holds up all who write. Nothing of what was refused is recorded afterwards."""
    doomed.settings["RUNCARD_WRITE_TIMEOUT_S"] = "2"
    doomed.start()
    key = doomed.world.acme.admin.api_key
    with doomed.client(key) as admin, doomed.database() as database:
        _create_in_the_end(admin, "BEFORE")
        with _held_up(database), ThreadPoolExecutor(CLIENTS) as threads:
            runs = [threads.submit(admin.post, "/runs", json=run_of(f"HELD-{n}")) for n in range(CLIENTS)]
            procedure = threads.submit(
                admin.post, f"{doomed.url}/api/v2/procedures", json={"name": "Held up"}
            )
            answers = [one.result() for one in [*runs, procedure]]
        for answer in answers:
            assert_error(answer, 503, "SERVICE_UNAVAILABLE")
            assert answer.headers["Retry-After"] == "5"
        run_id = _create_in_the_end(admin, "AFTER")
        assert [run["id"] for run in runs_of(admin, "AFTER")] == [run_id]
        assert [runs_of(admin, f"HELD-{n}") for n in range(CLIENTS)] == [[]] * CLIENTS
        names = [one["name"] for one in admin.get(f"{doomed.url}/api/v2/procedures").json()["data"]]
        assert "Held up" not in names
    doomed.stop()


def test_a_server_whose_process_is_stopped_ends_and_says_so(doomed: Server):
    doomed.settings["RUNCARD_RECORDING_TIMEOUT_S"] = "3600"
    doomed.start()
    with doomed.client(doomed.world.acme.admin.api_key) as admin:
        create_run(admin, run_of("BEFORE"))
    recording = doomed.recording_process()
    recording.suspend()
    assert doomed.end() == 1
    assert "has been silent for" in doomed.log
    assert not recording.is_running()


def test_a_run_that_no_process_lives_to_record_is_refused_in_the_end(doomed: Server):
    """Each process has to wait for somebody else who writes, and is killed there."""
    doomed.settings["RUNCARD_WRITE_TIMEOUT_S"] = "600"
    doomed.start()
    with doomed.client(doomed.world.acme.admin.api_key) as admin, doomed.database() as database:
        create_run(admin, run_of("BEFORE"))
        with _held_up(database), ThreadPoolExecutor() as threads:
            sent = threads.submit(admin.post, "/runs", json=run_of("DOOMED"))
            while not sent.done():
                doomed.recording_process().kill()
            answer = sent.result()
        assert answer.status_code == 500
        assert answer.json()["code"] == "INTERNAL_SERVER_ERROR"
        assert runs_of(admin, "DOOMED") == []
        create_run(admin, run_of("AFTER"))
        assert len(runs_of(admin, "AFTER")) == 1


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_the_process_that_records_ends_only_with_its_server(doomed: Server, signal_number: signal.Signals):
    doomed.start()
    recording = doomed.recording_process()
    with doomed.client(doomed.world.acme.admin.api_key) as admin:
        create_run(admin, run_of("BEFORE"))
        recording.send_signal(signal_number)
        create_run(admin, run_of("AFTER"))
    assert recording.is_running()
    doomed.kill()
    recording.wait(DEADLINE_S)


def _create_in_the_end(client: httpx.Client, serial: str) -> str:
    """The id of a run that is sent until it is recorded: a process may take longer to begin than a run may wait."""
    while (answer := client.post("/runs", json=run_of(serial))).status_code == 503:
        pass
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def _open_floor(doomed: Server) -> Floor:
    doomed.start()
    with doomed.client(doomed.world.acme.admin.api_key) as admin:
        create_run(admin, run_of(FIRST_SUB_UNIT))
    return Floor(doomed)


@contextmanager
def _held_up(database: Database) -> Iterator[None]:
    """A block in which nobody else can commit a run."""
    with database.writing_connection() as connection, connection.begin():
        hold(connection, Lock.CHANGES)
        yield


def _check_all(doomed: Server, floor: Floor) -> None:
    with doomed.client(doomed.world.acme.fct.api_key) as client:
        for serial in random.Random(10).sample(sorted(floor.answered), 200):
            assert floor.answered[serial] in [run["id"] for run in runs_of(client, serial)]
        _check_shown(runs_of(client, "CRASH-1"))
    with doomed.database() as database:
        _check_record(database, floor.answered)
    doomed.stop()
    assert doomed.runcard("doctor")["findings"] == []


def _check_shown(shown: list[Json]) -> None:
    (run,) = shown
    serial = run["unit"]["serial_number"]
    assert [phase["name"] for phase in run["phases"]] == [
        phase["name"] for phase in body_of(serial)["phases"]
    ]


def _check_record(database: Database, answered: dict[str, str]) -> None:
    """Every answered run is there, and every run that is there is whole, answered or not."""
    home_runs = (
        select(runs, units.c.serial_number, units.c.created_during_run_id, run_documents.c.body)
        .join_from(runs, units, units.c.id == runs.c.unit_id)
        .outerjoin(run_documents, run_documents.c.run_id == runs.c.id)
        .where(units.c.serial_number != FIRST_SUB_UNIT)
    )
    with database.read() as connection:
        rows = connection.execute(home_runs).all()
        recorded = {row.serial_number: row for row in rows}
        assert len(recorded) == len(rows)  # each serial number was sent once
        missing = {serial for serial, run_id in answered.items() if recorded[serial].id != UUID(run_id)}
        assert missing == set()
        assert len(recorded) <= len(answered) + KILLS * CLIENTS
        linked = set(connection.execute(select(run_sub_units.c.run_id)).scalars())
        for serial, row in recorded.items():
            _check_whole(connection, serial, row)
            assert (row.id in linked) == (number_of(serial) % 10 == 0)
        _check_no_leftovers(connection, {row.id for row in rows})


def _check_whole(connection: Connection, serial: str, row: Any) -> None:
    body = body_of(serial)
    document = unpack_document(row.body)
    shown = [(phase.name, [m.value for m in phase.measurements]) for phase in document.phases]
    sent = [(phase["name"], [m["measured_value"] for m in phase["measurements"]]) for phase in body["phases"]]
    assert shown == sent
    assert [log.message for log in document.logs] == [log["message"] for log in body["logs"]]
    assert row.created_during_run_id == row.id
    names = (
        select(parts.c.number, revisions.c.number)
        .join_from(revisions, parts, parts.c.id == revisions.c.part_id)
        .where(revisions.c.id == row.revision_id, parts.c.id == row.part_id)
    )
    assert tuple(connection.execute(names).one()) == (
        body["unit_under_test"]["part_number"],
        body["unit_under_test"]["revision"],
    )


def _check_no_leftovers(connection: Connection, run_ids: set[UUID]) -> None:
    """No unit without its run, no document without its header, one line in the change log for each run, in order."""
    count_units = select(func.count()).select_from(units).where(units.c.serial_number != FIRST_SUB_UNIT)
    assert connection.execute(count_units).scalar_one() == len(run_ids)
    documents = set(connection.execute(select(run_documents.c.run_id)).scalars())
    headers = set(connection.execute(select(runs.c.id)).scalars())
    assert documents == headers
    changes = [change for change in list_changes(connection, 0, 1_000_000) if change.kind == "run_recorded"]
    assert [change.seq for change in changes] == sorted(change.seq for change in changes)
    assert len(changes) == len(headers)
    assert {change.entity_id for change in changes} == headers
