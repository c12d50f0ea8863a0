"""Two servers, each with a writer of its own, on one PostgreSQL database."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from runcard.store.engine.database import Database
from runcard.store.engine.tables import batches, parts, procedure_versions, units
from tests.acceptance.wire import run_of, runs_of
from tests.conftest import DatabaseKind
from tests.servers import DEADLINE_S, Server

STATIONS = 32
ROUNDS = 5


@pytest.fixture(scope="module", params=["postgresql"])
def database_kind(request: pytest.FixtureRequest) -> DatabaseKind:
    """A SQLite file is served by one process only."""
    kind: DatabaseKind = request.param
    return kind


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """The first one, on the database of the module."""
    return own_server


@pytest.fixture(scope="module")
def other(
    server: Server, peopled_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """The second one, on the same database."""
    running = Server(tmp_path_factory.mktemp("other"), peopled_database_url, server.world)
    running.start()
    yield running
    running.stop()


def body_of(serial: str) -> dict[str, Any]:
    """A run whose unit, part, revision, batch and version are all named after the serial number."""
    named = {"part_number": f"P-{serial}", "revision": f"R-{serial}", "batch_number": f"B-{serial}"}
    return run_of(serial, unit=named, procedure_version=f"V-{serial}")


def sent_at_once(servers: list[Server], body: dict[str, Any]) -> list[httpx.Response]:
    """The answers to one run of each station, of which every server has as many."""
    ready = threading.Barrier(STATIONS)
    with ExitStack() as stack:
        key = servers[0].world.acme.fct.api_key
        stations = [stack.enter_context(servers[n % len(servers)].client(key)) for n in range(STATIONS)]

        def send(station: httpx.Client) -> httpx.Response:
            ready.wait(DEADLINE_S)
            return station.post("/runs", json=body)

        with ThreadPoolExecutor(STATIONS) as pool:
            return list(pool.map(send, stations))


def test_many_report_one_new_unit_at_once(server: Server, other: Server, record: Database, new_serial):
    for _ in range(ROUNDS):
        serial = new_serial()
        answers = sent_at_once([server, other], body_of(serial))
        assert [answer.status_code for answer in answers] == [200] * STATIONS, answers[0].text
        run_ids = {answer.json()["id"] for answer in answers}
        assert len(run_ids) == STATIONS
        for one in (server, other):
            with one.client(one.world.acme.admin.api_key) as admin:
                shown = runs_of(admin, serial)
            assert {run["id"] for run in shown} == run_ids
            assert len({run["unit"]["id"] for run in shown}) == 1
        check_made_once(record, serial)


def check_made_once(record: Database, serial: str) -> None:
    """There is one of everything that all these runs were the first to name."""
    made = [
        (units.c.serial_number, serial),
        (parts.c.number, f"P-{serial}"),
        (batches.c.number, f"B-{serial}"),
        (procedure_versions.c.tag, f"V-{serial}"),
    ]
    with record.read() as connection:
        for column, name in made:
            count = select(func.count()).select_from(column.table).where(column == name)
            assert connection.execute(count).scalar_one() == 1, name
