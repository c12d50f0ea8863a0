"""Stations that are killed while they report to a server that is away: in the end every run is there once, in order."""

import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select

from runcard.store.engine.database import Database
from runcard.store.engine.tables import attachments, changes, runs, stations, units
from runcard_client import Client
from tests.client import stationed
from tests.conftest import DatabaseKind, Template
from tests.examples import examples
from tests.servers import DEADLINE_S, Server

RUNS = 16 * examples()
PROCESSES = 4
KILLS = 5
PER_PROCESS = RUNS // PROCESSES


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """What the server keeps its record in makes no difference to a client."""
    return "sqlite"


@pytest.fixture
def away(peopled: Template, module_data_dir: Path) -> Iterator[Server]:
    """A server of the test's own, which comes and goes."""
    assert peopled.world is not None
    for url in peopled.copy(module_data_dir, None):
        server = Server(module_data_dir, url, peopled.world)
        try:
            yield server
        finally:
            server.close()


class Station(NamedTuple):
    """name: of a process of it, of which there are two with one spool. recorded_as: as the server knows the station."""

    name: str
    recorded_as: str
    api_key: str
    spool: Path


class Floor:
    """Processes that record PER_PROCESS runs each: killed after some and started again, KILLS times."""

    def __init__(self, server: Server, stations: list[Station]) -> None:
        self._server = server
        self._said = threading.Condition()
        self._said_count = 0
        self.problems: list[str] = []
        self._lives = [
            threading.Thread(target=self._live, args=(station, seed)) for seed, station in enumerate(stations)
        ]
        for life in self._lives:
            life.start()

    def wait_until_recorded(self, count: int) -> None:
        with self._said:
            assert self._said.wait_for(lambda: self._said_count >= count or self.problems, DEADLINE_S)

    def join(self) -> None:
        for life in self._lives:
            life.join(DEADLINE_S)
            assert not life.is_alive()
        assert self.problems == []

    def _live(self, station: Station, seed: int) -> None:
        kills = sorted(random.Random(seed).sample(range(1, PER_PROCESS), KILLS))
        said = 0
        for kill_after in [*kills, None]:
            said = self._run(station, said + 1, kill_after)

    def _run(self, station: Station, first: int, kill_after: int | None) -> int:
        """The last run that the process said it had recorded."""
        given = [
            self._server.url,
            station.api_key,
            str(station.spool),
            station.name,
            str(first),
            str(PER_PROCESS),
        ]
        said = first - 1
        with subprocess.Popen(
            [sys.executable, stationed.__file__, *given],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            for line in process.stdout:
                said = int(line)
                if kill_after is not None and said >= kill_after:
                    process.kill()
                with self._said:
                    self._said_count += 1
                    self._said.notify_all()
            trouble = process.stderr.read()
        if "Traceback" in trouble or (kill_after is None and process.returncode != 0):
            with self._said:
                self.problems.append(f"{station.name} ended with {process.returncode}: {trouble}")
                self._said.notify_all()
        return said


def test_every_run_of_killed_stations_is_there_once_and_in_order(away: Server, tmp_path: Path):
    away.start()
    acme = away.world.acme
    keys = {"FCT-1": acme.fct.api_key, "ICT-1": acme.ict.api_key}
    stations = [
        Station(f"{recorded_as}-{letter}", recorded_as, api_key, tmp_path / f"{recorded_as}.sqlite3")
        for recorded_as, api_key in keys.items()
        for letter in "AB"
    ]
    floor = Floor(away, stations)
    floor.wait_until_recorded(RUNS // 5)
    away.kill()
    floor.wait_until_recorded(RUNS * 3 // 5)
    away.start()  # elsewhere, as it has another port: processes that are started from now on know
    floor.join()
    for station in stations:
        with Client(away.url, station.api_key, spool=station.spool, sends=False) as client:
            assert client.flush(timeout_s=DEADLINE_S).is_empty
    with away.database() as database:
        _check_record(database, stations)
    away.stop()


def _check_record(database: Database, floor: list[Station]) -> None:
    query = (
        select(units.c.serial_number, runs.c.client_run_ref, stations.c.name, runs.c.started_at, runs.c.id)
        .join_from(runs, units, units.c.id == runs.c.unit_id)
        .join(stations, stations.c.id == runs.c.created_by_station_id)
        .join(changes, changes.c.entity_id == runs.c.id)
        .where(changes.c.kind == "run_recorded")
        .order_by(changes.c.seq)
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
        files = connection.execute(
            select(attachments.c.run_id).where(attachments.c.run_id.is_not(None))
        ).scalars()
        with_file = sorted(files)
    assert len(rows) == RUNS
    for station in floor:
        of_station = [row[:4] for row in rows if row.serial_number.startswith(f"{station.name}-")]
        _check_station(station, of_station)
    numbers = {row.id: int(row.serial_number[-4:]) for row in rows}
    assert with_file == sorted(run_id for run_id, number in numbers.items() if number % 25 == 0)


def _check_station(station: Station, recorded: list[tuple[str, str | None, str, datetime]]) -> None:
    reports = [stationed.report_of(station.name, number) for number in range(1, PER_PROCESS + 1)]
    assert recorded == [
        (report.serial_number, report.client_run_ref, station.recorded_as, report.started_at)
        for report in reports
    ]
