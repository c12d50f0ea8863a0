"""A server that is killed in the middle of its work: what was answered stays, and nothing is there in part."""

import http.client
import json
import random
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from sqlalchemy import Connection, func, select

from runcard.store.changes import list_changes
from runcard.store.database import Database
from runcard.store.documents import unpack_document
from runcard.store.tables import parts, revisions, run_documents, run_sub_units, runs, units
from tests.acceptance.wire import Json, create_run, measurement_of, phase_of, run_of, runs_of
from tests.conftest import Template
from tests.postgresql import Postgresql
from tests.servers import DEADLINE_S, Server

CLIENTS = 32
KILLS = 10
# Each serial number stands for one body, so that what was recorded can be compared with what was sent.
FIRST_SUB_UNIT = "CHILD"


def _number_of(serial: str) -> int:
    return int(serial.rpartition("-")[2])


def _body(serial: str) -> Json:
    """A run that touches every table that a run can."""
    n = _number_of(serial)
    phases = [
        phase_of(*(measurement_of(n + m, name=f"m{m}") for m in range(p * 3)), name=f"phase {p}")
        for p in range(n % 5 + 1)
    ]
    log = {"level": "INFO", "timestamp": "2024-03-01T12:00:00Z", "message": serial}
    return run_of(
        serial,
        unit={"part_number": f"P-{n % 7}", "revision": f"R-{n % 3}", "batch_number": f"B-{n % 11}"},
        procedure_version=f"V-{n % 13}",
        phases=phases,
        logs=[log] * (n % 4),
        sub_units=[FIRST_SUB_UNIT] if n % 10 == 0 else [],
    )


class Floor:
    """32 stations that send runs as fast as they are answered, until told to stop."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._lock = threading.Condition()
        self._next = 0
        self.answered: dict[str, str] = {}
        self.surprises: list[str] = []

    def until_killed(self, after: int) -> None:
        """Send from all stations; kill the server once so many more runs were answered."""
        with self._lock:
            goal = len(self.answered) + after
        stations = [threading.Thread(target=self._send_until_it_breaks) for _ in range(CLIENTS)]
        for station in stations:
            station.start()
        with self._lock:
            reached = self._lock.wait_for(lambda: len(self.answered) >= goal or self.surprises, DEADLINE_S)
        self._server.kill()
        for station in stations:
            station.join(DEADLINE_S)
        assert reached, self._server.log
        assert not self.surprises, self.surprises

    def _send_until_it_breaks(self) -> None:
        key = self._server.world.acme.fct.api_key
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(urlsplit(self._server.url).netloc, timeout=DEADLINE_S)
        try:
            while True:
                serial = self._new_serial()
                connection.request("POST", "/api/v1/runs", json.dumps(_body(serial)), headers)
                answer = connection.getresponse()
                body = answer.read()
                self._note(serial, answer.status, body)
        except (OSError, http.client.HTTPException):
            return  # the server is gone
        finally:
            connection.close()

    def _new_serial(self) -> str:
        with self._lock:
            self._next += 1
            return f"CRASH-{self._next}"

    def _note(self, serial: str, status: int, body: bytes) -> None:
        with self._lock:
            if status == 200:
                self.answered[serial] = json.loads(body)["id"]
            else:
                self.surprises.append(f"{serial}: {status} {body.decode()}")
            self._lock.notify_all()


@pytest.fixture
def doomed(
    peopled: Template, module_data_dir: Any, postgresql_if_wanted: Postgresql | None
) -> Iterator[Server]:
    """A server of the test's own, to be killed."""
    assert peopled.world is not None
    for url in peopled.copy(module_data_dir, postgresql_if_wanted):
        server = Server(module_data_dir, url, peopled.world)
        try:
            yield server
        finally:
            server.close()


def test_killed_ten_times_while_32_clients_send_runs(doomed: Server):
    chance = random.Random(32)
    floor = Floor(doomed)
    doomed.start()
    with doomed.client(doomed.world.acme.admin.api_key) as admin:
        create_run(admin, run_of(FIRST_SUB_UNIT))
    for _ in range(KILLS):
        floor.until_killed(after=chance.randint(1, 400))
        doomed.start()

    with doomed.client(doomed.world.acme.fct.api_key) as client:
        for serial in random.Random(10).sample(sorted(floor.answered), 200):
            assert floor.answered[serial] in [run["id"] for run in runs_of(client, serial)]
        _check_shown(client, runs_of(client, "CRASH-1"))
    with doomed.database() as database:
        _check_record(database, floor.answered)
    doomed.stop()
    assert doomed.runcard("doctor")["findings"] == []


def _check_shown(client: Any, shown: list[Json]) -> None:
    (run,) = shown
    serial = run["unit"]["serial_number"]
    assert [phase["name"] for phase in run["phases"]] == [phase["name"] for phase in _body(serial)["phases"]]


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
            assert (row.id in linked) == (_number_of(serial) % 10 == 0)
        _check_no_leftovers(connection, {row.id for row in rows})


def _check_whole(connection: Connection, serial: str, row: Any) -> None:
    body = _body(serial)
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
