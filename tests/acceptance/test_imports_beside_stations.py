"""Report files that are imported while stations report runs: nobody waits for them, whatever they hold."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from sqlalchemy import func, select

from runcard.ingest.import_groups import GROUP_LIMITS
from runcard.store.engine.tables import runs
from tests.acceptance.wire import create_run, run_of, runs_of
from tests.conftest import Template
from tests.importers.many_runs import junit_of
from tests.postgresql import Postgresql
from tests.servers import DEADLINE_S, Server

SERIALS = [f"LOT-{number:05}" for number in range(6 * GROUP_LIMITS.reports)]

# Still being read when the process that reads it is looked at.
LONG_LOT = [f"LOT-{number:05}" for number in range(20_000)]


@pytest.fixture
def floor(peopled: Template, tmp_path: Path, postgresql_if_wanted: Postgresql | None) -> Iterator[Server]:
    """A server of the test's own, to be killed."""
    assert peopled.world is not None
    for url in peopled.copy(tmp_path, postgresql_if_wanted):
        server = Server(tmp_path, url, peopled.world)
        try:
            server.start()
            yield server
        finally:
            server.close()


@contextmanager
def v2(server: Server) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    with httpx.Client(base_url=f"{server.url}/api/v2", headers=headers, timeout=DEADLINE_S) as client:
        yield client


def uploaded(client: httpx.Client, content: bytes) -> str:
    slot = client.post("/attachments", json={"name": "a.xml"}).raise_for_status().json()
    httpx.put(slot["upload_url"], content=content, timeout=DEADLINE_S).raise_for_status()
    upload_id: str = slot["id"]
    return upload_id


def imported(client: httpx.Client, upload_id: str) -> dict[str, Any]:
    body = {"items": [{"upload_id": upload_id, "importer": "JUNIT"}]}
    result: dict[str, Any]
    [result] = client.post("/imports/structured", json=body).raise_for_status().json()["results"]
    return result


def reading_process(server: Server, sent: "Future[Any]") -> psutil.Process:
    """The one that reads a file for the server, once runs of it are recorded: one that has only begun is replaced."""
    while run_count(server) == 0:
        assert not sent.done()
    [process] = (one for one in server.children() if "runcard.intake.parsing.process" in one.cmdline())
    return process


def run_count(server: Server) -> int:
    with server.database() as database, database.read() as connection:
        return connection.execute(select(func.count()).select_from(runs)).scalar_one()


def test_a_station_is_answered_while_a_file_is_read_that_never_ends(floor: Server) -> None:
    """The process that reads it is stopped, which is as long as any file takes; then it is killed."""
    with (
        v2(floor) as client,
        floor.client(floor.world.acme.fct.api_key) as station,
        ThreadPoolExecutor() as threads,
    ):
        sent = threads.submit(imported, client, uploaded(client, junit_of(LONG_LOT)))
        process = reading_process(floor, sent)
        process.suspend()
        create_run(station, run_of("BESIDE"))
        assert len(runs_of(station, "BESIDE")) == 1
        assert not sent.done()
        process.kill()
        result = sent.result(DEADLINE_S)
        assert (result["success"], "ended with -9" in result["error"]) == (False, True)
        # What was recorded of the file is taken back.
        assert run_count(floor) == 1


def test_a_structured_import_goes_on_after_the_server_was_killed_in_the_middle(floor: Server) -> None:
    with v2(floor) as client, ThreadPoolExecutor() as threads:
        upload_id = uploaded(client, junit_of(SERIALS))
        sent = threads.submit(imported, client, upload_id)
        while run_count(floor) == 0:
            assert not sent.done()
        floor.kill()
        with pytest.raises(httpx.HTTPError):
            sent.result(DEADLINE_S)
    assert 0 < run_count(floor) < len(SERIALS)
    floor.start()
    with v2(floor) as client:
        result = imported(client, upload_id)
        assert (result["success"], result["already_imported"], len(result["ids"])) == (
            True,
            False,
            len(SERIALS),
        )
        assert run_count(floor) == len(SERIALS)
        assert imported(client, upload_id)["already_imported"] is True
