"""Servers on PostgreSQL that share a columnar copy in ClickHouse, which they reach over HTTP."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from runcard.store.engine.locks import Lock
from tests.acceptance.wire import Json, create_run, run_of
from tests.cli.commands import environment, serving_as
from tests.clickhouse_server import ClickHouseServer, running_clickhouse
from tests.conftest import DatabaseKind, Template
from tests.postgresql import Postgresql
from tests.servers import DEADLINE_S, RUNCARD, Server


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """A SQLite file is served by one process only."""
    return "postgresql"


@pytest.fixture(scope="module")
def clickhouse() -> Iterator[ClickHouseServer]:
    """One that answers at the beginning of each test; a test may kill it if it starts it again."""
    with running_clickhouse() as server:
        yield server


class Site:
    """A database with the cast, an empty copy in ClickHouse, and the processes that a test starts on them."""

    def __init__(self, template: Template, postgresql: Postgresql, columns_url: str, folder: Path) -> None:
        assert template.world is not None
        self.world = template.world
        self.database_url = postgresql.create(template.installation.database_url)
        self.columns_url = columns_url
        self._folder = folder

    @property
    def settings(self) -> dict[str, str]:
        return {
            "RUNCARD_COLUMNS_URL": self.columns_url,
            "RUNCARD_SECRET_KEY": "a key of all servers of this test",
        }

    def reached_at(self, url: str) -> Server:
        """A server that somebody else has started."""
        server = Server(self._folder, self.database_url, self.world)
        server.url = url
        return server

    @contextmanager
    def server(self, name: str = "first") -> Iterator[Server]:
        """A server, which has to end by itself unless it was killed."""
        (self._folder / name).mkdir()
        server = Server(self._folder / name, self.database_url, self.world, self.settings)
        server.start()
        try:
            yield server
            server.stop()
        finally:
            server.close()

    @contextmanager
    def worker(self) -> Iterator[tuple["subprocess.Popen[str]", str]]:
        """A worker, and the line that it prints when it is ready."""
        command: list[str | Path] = [RUNCARD, "worker", "--data-dir", self._folder]
        command += ["--database-url", self.database_url]
        variables = environment() | self.settings
        with subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, text=True) as running:
            assert running.stdout is not None
            try:
                yield running, running.stdout.readline()
            finally:
                running.kill()


@pytest.fixture
def site(
    peopled: Template, postgresql: Postgresql, clickhouse: ClickHouseServer, tmp_path: Path
) -> Iterator[Site]:
    made = Site(peopled, postgresql, clickhouse.create(), tmp_path)
    yield made
    postgresql.drop(made.database_url)


def record(server: Server, serial: str) -> None:
    """Record a run, which is acknowledged."""
    with server.client(server.world.acme.admin.api_key) as client:
        create_run(client, run_of(serial))


def asked(server: Server) -> httpx.Response:
    with server.client(server.world.acme.admin.api_key) as client:
        return client.get(f"{server.url}/api/analytics/throughput")


def counted(server: Server) -> int:
    """How many runs a question finds when the copy has seen all of them. It may be away or behind until then."""
    until = time.monotonic() + DEADLINE_S
    while time.monotonic() < until:
        answer = asked(server)
        if answer.status_code == 200:
            body: Json = answer.json()
            if body["freshness"]["is_current"]:
                return int(body["n"])
        assert answer.status_code in (200, 503), answer.text
    raise AssertionError(answer.text)


def test_two_servers_answer_the_same(site: Site):
    with site.server("first") as first, site.server("second") as second:
        for number in range(6):
            record((first, second)[number % 2], f"SN-{number}")
        assert counted(first) == counted(second) == 6
        with second.client(site.world.acme.admin.api_key) as client:
            listed = client.get(f"{second.url}/api/v2/runs", params={"sort_by": "duration", "limit": "50"})
        assert len(listed.json()["data"]) == 6


def test_while_clickhouse_is_away_stations_notice_nothing(site: Site, clickhouse: ClickHouseServer):
    with site.server() as server:
        record(server, "SN-1")
        assert counted(server) == 1
        clickhouse.kill()
        try:
            record(server, "SN-2")
            answer = asked(server)
            assert answer.status_code == 503, answer.text
            assert int(answer.headers["retry-after"]) > 0
            assert "cannot be reached" in answer.text
            assert _listed(server).status_code == 200
            record(server, "SN-3")
        finally:
            clickhouse.start()
        assert counted(server) == 3
        assert "cannot be reached: " in server.log
        assert "Http Driver" not in server.log


def _listed(server: Server) -> httpx.Response:
    """A list that an engine answers faster, but the database answers, too."""
    with server.client(server.world.acme.admin.api_key) as client:
        return client.get(f"{server.url}/api/v2/logs", params={"limit": "10"})


@pytest.mark.parametrize(
    ("wrong", "told"),
    [("guess@127.0.0.1:{port}", "AUTHENTICATION_FAILED"), ("guess@127.0.0.1:9", "127.0.0.1:9/")],
    ids=["password", "port"],
)
def test_a_wrong_address_stops_no_station(site: Site, clickhouse: ClickHouseServer, wrong: str, told: str):
    site.columns_url = f"clickhouse://runcard:{wrong.format(port=clickhouse.port)}/copy_1"
    with site.server() as server:
        record(server, "SN-1")
        assert asked(server).status_code == 503
        assert told in server.log
        assert "guess" not in server.log


def writer(site: Site) -> int | None:
    """The connection whose process writes the copy, as PostgreSQL numbers it; None: nobody does now."""
    asking = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND granted"
    with psycopg.connect(site.database_url) as connection:
        found = connection.execute(asking, [int(Lock.COLUMNS)]).fetchall()
    assert len(found) < 2
    return found[0][0] if found else None


def test_a_worker_writes_and_a_server_takes_over(site: Site):
    with site.worker() as (worker, said):
        assert said.startswith("Runcard keeps the columnar copy in clickhouse://runcard@127.0.0.1:")
        with site.server() as server:
            record(server, "SN-1")
            assert counted(server) == 1
            before = writer(site)
            worker.kill()
            record(server, "SN-2")
            assert counted(server) == 2
            assert None not in {before, writer(site)}
            assert writer(site) != before


def test_a_worker_ends_when_it_is_told_to(site: Site):
    with site.worker() as (worker, _):
        worker.terminate()
        assert worker.wait(DEADLINE_S) == 0


def both_alive(master: psutil.Process) -> list[psutil.Process]:
    """The two processes that serve, once the master has replaced one that was killed."""
    ends = time.monotonic() + DEADLINE_S
    while time.monotonic() < ends:
        alive = [one for one in master.children() if is_serving(one)]
        if len(alive) == 2:
            return alive
    raise AssertionError("two processes were to serve")


def is_serving(process: psutil.Process) -> bool:
    try:
        return "spawn_main" in " ".join(process.cmdline())
    except psutil.Error:  # killed, and the master has not looked for it yet
        return False


def test_server_processes_of_one_host_share_the_copy(site: Site, tmp_path: Path):
    options = ("--data-dir", tmp_path, "--database-url", site.database_url, "--workers", "2")
    with serving_as([RUNCARD, "serve", *options], environment() | site.settings) as serving:
        both, master = site.reached_at(serving.first["url"]), psutil.Process(serving.process.pid)
        for recorded in range(1, 4):
            record(both, f"SN-{recorded}")
            # A connection each, so that both processes come to answer.
            assert {counted(both) for _ in range(6)} == {recorded}
            both_alive(master)[0].kill()
        assert serving.stop().code == 0
