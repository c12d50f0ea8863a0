"""A disk that is full, a database that only reads, and one that is away: what stations and people are told."""

import http.client
import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from urllib.parse import urlsplit

import httpx
import psutil
import pytest
from sqlalchemy import text

from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from tests.acceptance.wire import Json, create_run, run_of, runs_of
from tests.conftest import DatabaseKind, Template
from tests.postgresql import Postgresql, running_postgresql
from tests.readiness import wait_until
from tests.servers import DEADLINE_S, Server
from tests.web.browser import Browser, logged_in
from tests.world import build_world

# Bytes of a file that a server may write on a disk that counts as full. What it writes of its log is far less.
NO_MORE = 64 * 1024


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """Of the peopled database that `on_disk` copies."""
    return "sqlite"


@pytest.fixture(scope="module")
def on_disk(module_data_dir: Path, peopled: Template) -> Iterator[Server]:
    """A server with a SQLite database."""
    assert peopled.world is not None
    for _ in peopled.copy(module_data_dir, None):
        running = Server(module_data_dir, None, peopled.world)
        running.start()
        yield running
        running.stop()


@pytest.fixture(scope="module")
def own_postgresql() -> Iterator[Postgresql]:
    """A PostgreSQL server that may be stopped."""
    with running_postgresql() as running:
        yield running


@pytest.fixture(scope="module")
def on_postgresql(own_postgresql: Postgresql, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with a database of `own_postgresql`."""
    folder, url = tmp_path_factory.mktemp("away"), own_postgresql.create()
    with closing(Database.open(url, folder)) as database:
        migrate(database)
        with closing(Writer(database)) as writer:
            world = build_world(writer)
    running = Server(folder, url, world)
    running.start()
    yield running
    running.stop()


@contextmanager
def full_disk(server: Server) -> Iterator[None]:
    """A block in which the processes of a server write no file beyond its first bytes, as on a disk that is full."""
    processes = server.processes()
    before = {one: one.rlimit(psutil.RLIMIT_FSIZE) for one in processes}
    for one, (_, hard) in before.items():
        one.rlimit(psutil.RLIMIT_FSIZE, (NO_MORE, hard))
    try:
        yield
    finally:
        for one, limits in before.items():
            one.rlimit(psutil.RLIMIT_FSIZE, limits)


def fill(client: httpx.Client, serial: str) -> httpx.Response:
    """Record runs until one is not, which is what comes back."""
    for _ in range(100):
        answer = client.post("/runs", json=run_of(serial))
        if answer.status_code != 200:
            return answer
    raise AssertionError("the disk took a hundred runs")


def outage(answer: httpx.Response, status: int, code: str, told: str) -> None:
    """Check that it is told in the one body of errors, with when to come back."""
    assert answer.status_code == status, answer.text
    body: Json = answer.json()
    assert (body["code"], body["issues"]) == (code, [])
    assert told in body["message"]
    assert body["error"]["message"] == body["message"]
    assert int(answer.headers["retry-after"]) > 0


def v2_run(server: Server, serial: str) -> dict[str, Any]:
    times = {"started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:00:00Z"}
    procedure = str(server.world.acme.board.id)
    return {
        "outcome": "PASS",
        "procedure_id": procedure,
        "serial_number": serial,
        "part_number": "P",
        **times,
    }


def test_a_full_disk_is_told_and_nothing_is_lost(on_disk: Server) -> None:
    key, full = on_disk.world.acme.admin.api_key, (507, "INSUFFICIENT_STORAGE", "disk of the server is full")
    with on_disk.client(key) as client, closing(Browser(on_disk.url)) as browser:
        before = create_run(client, run_of("FULL"))
        slot = client.post("/uploads/initialize", json={"name": "a.bin"}).json()
        with full_disk(on_disk):
            outage(fill(client, "FILL"), *full)
            recorded = len(runs_of(client, "FILL"))
            # What a station, a program and a person write, through the process that records and through the server.
            outage(client.post("/runs", json=run_of("FULL")), *full)
            outage(client.post(f"{on_disk.url}/api/v2/runs", json=v2_run(on_disk, "FULL")), *full)
            outage(client.post(f"{on_disk.url}/api/v2/parts", json={"number": "FULL"}), *full)
            outage(httpx.put(slot["uploadUrl"], content=b"x" * 200_000, timeout=DEADLINE_S), *full)
            outage(httpx.put(slot["uploadUrl"], content=b"x" * 2_000_000, timeout=DEADLINE_S), *full)
            page = browser.log_in(on_disk.world.acme.admin.email)
            assert page.status == 507
            assert page.answer.headers["retry-after"] == "60"
            assert "The disk is full" in page.text
            # Reading goes on.
            assert [run["id"] for run in runs_of(client, "FULL")] == [before]
            assert len(runs_of(client, "FILL")) == recorded
        again = create_run(client, run_of("FULL"))
        assert [run["id"] for run in runs_of(client, "FULL")] == [again, before]
    assert on_disk.log.count("request failed: The disk of the server is full") == 1


def test_a_connection_outlives_an_error(on_disk: Server) -> None:
    headers = {
        "Authorization": f"Bearer {on_disk.world.acme.admin.api_key}",
        "Content-Type": "application/json",
    }
    with full_disk(on_disk), on_disk.client(on_disk.world.acme.admin.api_key) as client:
        fill(client, "FILL")
        with closing(
            http.client.HTTPConnection(urlsplit(on_disk.url).netloc, timeout=DEADLINE_S)
        ) as connection:
            connection.connect()
            socket = connection.sock
            for path, body in [("/api/v1/runs", run_of("FULL")), ("/api/v2/parts", {"number": "FULL"})] * 2:
                connection.request("POST", path, json.dumps(body), headers)
                answer = connection.getresponse()
                assert (answer.status, answer.getheader("connection")) == (507, None)
                answer.read()
                assert connection.sock is socket


def test_a_database_that_is_away_is_told_and_comes_back(
    on_postgresql: Server, own_postgresql: Postgresql
) -> None:
    server, key = on_postgresql, on_postgresql.world.acme.admin.api_key
    away = (503, "SERVICE_UNAVAILABLE", "database of the server does not answer")
    with server.client(key) as client, closing(logged_in(server.url, server.world.acme.admin)) as ada:
        before = create_run(client, run_of("AWAY"))
        with own_postgresql.stopped():
            for _ in range(20):
                outage(client.post("/runs", json=run_of("AWAY")), *away)
            outage(client.post(f"{server.url}/api/v2/runs", json=v2_run(server, "AWAY")), *away)
            outage(client.post(f"{server.url}/api/v2/parts", json={"number": "AWAY"}), *away)
            outage(client.get("/runs", params={"serial_number": "AWAY"}), *away)
            outage(client.get(f"{server.url}/api/analytics/throughput"), *away)
            page = ada.open("/runs")
            assert page.status == 503
            assert page.answer.headers["retry-after"] == "5"
            assert "The database does not answer" in page.text
        again = create_run(client, run_of("AWAY"))
        assert [run["id"] for run in runs_of(client, "AWAY")] == [again, before]
    assert server.log.count("request failed: The database of the server does not answer") == 1


def test_a_server_without_its_database_lives_and_is_not_ready(
    on_postgresql: Server, own_postgresql: Postgresql
) -> None:
    wait_until(on_postgresql, 200)
    with own_postgresql.stopped():
        told = wait_until(on_postgresql, 503)
        away = {check["name"]: check["why"] for check in told["checks"] if not check["holds"]}
        assert away["database"] == "The database does not answer."
        assert {"database", "schema", "columnar_copy"} <= away.keys()
        assert httpx.get(f"{on_postgresql.url}/healthz", timeout=DEADLINE_S).status_code == 200
    wait_until(on_postgresql, 200)


def test_probes_of_a_silent_database_are_answered_and_do_not_pile_up(
    on_postgresql: Server, own_postgresql: Postgresql
) -> None:
    wait_until(on_postgresql, 200)
    server = on_postgresql.processes()[0]

    def probe(_number: int) -> httpx.Response:
        return httpx.get(f"{on_postgresql.url}/readyz", timeout=DEADLINE_S)

    with ThreadPoolExecutor(16) as probes:
        with own_postgresql.silent():
            wait_until(on_postgresql, 503)
            before = server.num_threads()
            answers = list(probes.map(probe, range(64)))
            assert {answer.status_code for answer in answers} == {503}
            # Far more than the time-out of the server, and far less than that of the network.
            assert max(answer.elapsed.total_seconds() for answer in answers) < 10
            assert server.num_threads() <= before + 4
            assert httpx.get(f"{on_postgresql.url}/healthz", timeout=DEADLINE_S).status_code == 200
        wait_until(on_postgresql, 200)


def test_whoever_waits_while_the_database_goes_away_is_answered(
    on_postgresql: Server, own_postgresql: Postgresql
) -> None:
    answers: SimpleQueue[int] = SimpleQueue()
    is_over = threading.Event()

    def send(number: int) -> None:
        with on_postgresql.client(on_postgresql.world.acme.fct.api_key) as client:
            while not is_over.is_set():
                answers.put(client.post("/runs", json=run_of(f"WAIT-{number}")).status_code)

    def wait_for(status: int, times: int) -> None:
        while times:
            answer = answers.get(timeout=DEADLINE_S)
            assert answer in (200, 503)
            times -= answer == status

    stations = [threading.Thread(target=send, args=(number,)) for number in range(8)]
    for station in stations:
        station.start()
    try:
        wait_for(200, 20)
        with own_postgresql.stopped():
            wait_for(503, 50)
        wait_for(200, 20)
    finally:
        is_over.set()
        for station in stations:
            station.join(DEADLINE_S)


@contextmanager
def read_only_database(database: Database) -> Iterator[None]:
    """A block in which nobody can write to a PostgreSQL database; connections that there are have ended."""
    others = (
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
        connection.execute(text(others))
        try:
            yield
        finally:
            connection.execute(text(f"ALTER DATABASE {name} RESET default_transaction_read_only"))
            connection.execute(text(others))


def test_a_database_that_only_reads_is_told(on_postgresql: Server, own_postgresql: Postgresql) -> None:
    server, key = on_postgresql, on_postgresql.world.acme.admin.api_key
    read_only = (503, "SERVICE_UNAVAILABLE", "can read its record now but not write to it")
    with server.client(key) as client, server.database() as database:
        before = create_run(client, run_of("READ"))
        with read_only_database(database):
            outage(client.post("/runs", json=run_of("READ")), *read_only)
            outage(client.post(f"{server.url}/api/v2/parts", json={"number": "READ"}), *read_only)
            assert [run["id"] for run in runs_of(client, "READ")] == [before]
        create_run(client, run_of("READ"))
