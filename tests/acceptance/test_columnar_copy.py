"""The columnar copy of a server: it survives what the server does not, and a server goes without where it must."""

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from runcard.domain.actor import SystemActor
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.report import RunReport
from runcard.store.bin.deleting import Deletion
from runcard.store.runs.rows import delete_run
from tests.acceptance.wire import Json
from tests.analytics.copies import OwnCopy, own_copy
from tests.analytics.truth import read_runs, yields_of
from tests.conftest import Template
from tests.examples import examples
from tests.histories import START, Floor, opened_floor
from tests.servers import Server

COPY_FILE = "analytics.duckdb"
KILLS = max(4, examples() // 25)


def report(serial: str, outcome: RunOutcome = "PASS") -> RunReport:
    """Several measurements with limits of their own, so that every table gets rows."""
    limits = [Measurement(f"m{n}", "PASS", n, "V", 0.0, float(n)) for n in range(8)]
    phases = tuple(Phase(f"p{n}", "PASS", START, START, tuple(limits)) for n in range(5))
    logs = (Log("INFO", START, serial, "a.py", 1),) * 10
    return RunReport(
        procedure="later", serial_number=serial, part_number="P", outcome=outcome, phases=phases, logs=logs
    )


@pytest.fixture
def floor(peopled: Template, peopled_database_url: str | None, module_data_dir: Path) -> Iterator[Floor]:
    with opened_floor(peopled, peopled_database_url, module_data_dir) as floor:
        yield floor


@pytest.fixture
def doomed(peopled: Template, peopled_database_url: str | None, module_data_dir: Path) -> Iterator[Server]:
    """A server of the test's own beside the floor, to be killed."""
    assert peopled.world is not None
    server = Server(module_data_dir, peopled_database_url, peopled.world)
    try:
        yield server
    finally:
        server.close()


def logged(server: Server, procedure_id: object) -> list[str]:
    """The texts that runs of a procedure logged, newest first, as the server lists them."""
    with server.client(server.world.acme.admin.api_key) as client:
        query = {"procedure_ids": str(procedure_id), "limit": "1000", "sort_by": "run_id"}
        answer = client.get(f"{server.url}/api/v2/logs", params=query)
    assert answer.status_code == 200, answer.text
    rows: list[Json] = answer.json()["data"]
    return [row["message"] for row in rows]


def yields(server: Server, procedure_id: object) -> tuple[int, ...]:
    """Units, and how many of them passed at first, by the second run and in the end, once the server knows all."""
    with server.client(server.world.acme.admin.api_key) as client:
        query = {"procedure_ids": str(procedure_id)}
        for _ in range(100):  # each waits for a while itself
            answer = client.get(f"{server.url}/api/analytics/yield", params=query)
            assert answer.status_code == 200, answer.text
            body: Json = answer.json()
            if body["freshness"]["is_current"]:
                total = body["total"]
                names = ("first_pass", "second_pass", "final")
                return total["units"], *(total[name]["count"] for name in names)
    raise AssertionError(body["freshness"])


def recorded_yields(floor: Floor, procedure_id: object) -> tuple[int, ...]:
    """The same from the record."""
    with floor.database.read() as connection:
        runs = read_runs(connection, floor.home)
    return yields_of(runs[runs["procedure_id"] == procedure_id])


def test_killed_in_the_middle_of_copying(doomed: Server, floor: Floor, module_data_dir: Path) -> None:
    chance = random.Random(9)
    procedure_id = floor.procedure()
    seen = []
    for _ in range(KILLS):
        doomed.start()
        # The server copies them meanwhile, and is at any point of it when it is killed.
        for part in range(chance.randint(1, 6)):
            reports = [report(f"SN-{part}-{n}", chance.choice(["PASS", "FAIL"])) for n in range(60)]
            made = floor.record(procedure_id, reports)
            floor.writer.write(
                SystemActor(floor.home, "test"),
                partial(delete_run, run_id=next(iter(made)), deletion=Deletion()),
            )
        doomed.kill()
        survived = OwnCopy.in_file(floor.database, module_data_dir / COPY_FILE)
        seen.append(survived.seen())
        survived.close()
    assert seen == sorted(seen)
    assert seen[-1] > 0
    doomed.start()
    last = floor.record(procedure_id, [report("LAST")])
    assert logged(doomed, procedure_id)[:10] == ["LAST"] * 10
    assert len(last) == 1
    assert yields(doomed, procedure_id) == recorded_yields(floor, procedure_id)
    doomed.stop()
    survived = OwnCopy.in_file(floor.database, module_data_dir / COPY_FILE)
    survived.follow()
    with own_copy(floor.database) as rebuilt:
        rebuilt.follow()
        assert survived.content() == rebuilt.content()
    survived.close()


def test_a_damaged_file_is_begun_anew(doomed: Server, floor: Floor, module_data_dir: Path) -> None:
    procedure_id = floor.procedure()
    floor.record(procedure_id, [report("A")])
    (module_data_dir / COPY_FILE).write_bytes(b"no columns at all" * 1000)
    doomed.start()
    assert logged(doomed, procedure_id) == ["A"] * 10
    doomed.stop()
    assert "is begun anew" in doomed.log
    mended = OwnCopy.in_file(floor.database, module_data_dir / COPY_FILE)
    assert mended.seen() >= 0
    mended.close()


def test_a_server_that_shall_not_keep_one_keeps_none(
    doomed: Server, floor: Floor, module_data_dir: Path
) -> None:
    (module_data_dir / COPY_FILE).unlink(missing_ok=True)
    procedure_id = floor.procedure()
    floor.record(procedure_id, [report("A")])
    doomed.settings["RUNCARD_COLUMNAR_COPY"] = "false"
    doomed.start()
    assert logged(doomed, procedure_id) == ["A"] * 10
    doomed.stop()
    assert not (module_data_dir / COPY_FILE).exists()
