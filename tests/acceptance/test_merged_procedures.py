"""Procedures that were merged: whatever names one leads on to the other, at every door."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from runcard.domain.actor import SystemActor
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.creator import Creator
from runcard.store.merging.merges import list_open_merges, move_records
from runcard.store.merging.splits import bring_back, list_splitting_organizations, split
from runcard.store.procedures.merges import PROCEDURES, merge_procedures
from runcard.store.procedures.records import count_runs_of
from runcard.store.procedures.rows import get_procedure
from runcard.store.products.mergeable_parts import PARTS
from tests.acceptance.conftest import Unchanged
from tests.acceptance.deploying import command_line, deploy
from tests.acceptance.environments import current_environment, run_script
from tests.servers import DEADLINE_S, Server


@pytest.fixture(scope="module")
def v2(server: Server) -> Iterator[httpx.Client]:
    """Plain HTTP to v2, as the admin."""
    with door(server, server.world.acme.admin.api_key) as client:
        yield client


def door(server: Server, api_key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {api_key}"}
    return httpx.Client(base_url=f"{server.url}/api/v2", headers=headers, timeout=DEADLINE_S)


class Named:
    """A procedure of the test's own."""

    def __init__(self, v2: httpx.Client, name: str) -> None:
        mark = uuid4().hex[:8]
        self.name, self.identifier = f"{name} {mark}", f"{name}-{mark}".upper()
        body = {"name": self.name, "identifier": self.identifier}
        self.id: str = v2.post("/procedures", json=body).raise_for_status().json()["id"]


def merge(server: Server, source: str, target: str) -> None:
    """As another process than the server does."""
    acme = server.world.acme

    def apply(tx: SharedTransaction) -> None:
        a, b = (get_procedure(tx.of(SystemActor(acme.id, "test")).scope, one) for one in (source, target))
        merge_procedures(tx.of(SystemActor(acme.id, "test")), a, b, Creator.of(acme.admin.actor))

    server.change(apply)


def until(is_so: Callable[[], bool]) -> None:
    ends = time.monotonic() + DEADLINE_S
    while not is_so():
        assert time.monotonic() < ends


def until_nothing_moves(server: Server) -> None:
    """Wait until nothing is left to follow a merge or a split, also of other tests."""
    with server.database() as database:

        def is_still() -> bool:
            with database.read() as connection:
                return not any(
                    lists(connection, mergeable)
                    for lists in (list_open_merges, list_splitting_organizations)
                    for mergeable in (PROCEDURES, PARTS)
                )

        until(is_still)


def run_of(procedure_id: str, serial: str, **fields: Any) -> dict[str, Any]:
    return {
        "outcome": "PASS",
        "procedure_id": procedure_id,
        "serial_number": serial,
        "part_number": "PCB-01",
        "started_at": "2026-01-01T00:00:00Z",
        "ended_at": "2026-01-01T00:01:00Z",
        **fields,
    }


def procedures_of(v2: httpx.Client, serial: str) -> set[str]:
    """Of the runs of a unit."""
    runs = v2.get("/runs", params={"serial_numbers": serial}).raise_for_status().json()["data"]
    return {run["procedure"]["id"] for run in runs}


def test_whatever_named_it_leads_on(
    server: Server, v2: httpx.Client, admin: httpx.Client, serial: str, tmp_path: Path
):
    source, target = Named(v2, "Source"), Named(v2, "Target")
    former = f"FORMER-{uuid4().hex[:8]}"
    for identifier in (former, source.identifier):
        v2.patch(f"/procedures/{source.id}", json={"identifier": identifier}).raise_for_status()
    times = {"started_at": "2026-01-01T00:00:00Z", "ended_at": "2026-01-01T00:01:00Z"}
    measured = {"name": "vcc", "outcome": "PASS", "measured_value": 3.3}
    inside = {
        "phases": [{"name": "power", "outcome": "PASS", **times, "measurements": [measured]}],
        "logs": [
            {
                "level": "INFO",
                "timestamp": times["started_at"],
                "message": "on",
                "source_file": "a.py",
                "line_number": 1,
            }
        ],
    }
    run = run_of(source.id, serial, procedure_version="7", **inside)
    v2.post("/runs", json=run).raise_for_status()
    merge(server, source.id, target.id)

    # The official client and v1, by id and identifiers; v2 by the id.
    references = [source.id, source.identifier, former.lower(), target.identifier]
    told = run_script(
        current_environment(), "by_identifier.py", tmp_path, server, serial=serial, references=references
    )
    assert [one["success"] for one in told.found["answers"]] == [True] * 4, told.output
    v2.post("/runs", json=run_of(source.id, serial)).raise_for_status()
    until(lambda: procedures_of(v2, serial) == {target.id})

    shown = v2.get(f"/procedures/{source.id}").json()
    assert (shown["id"], shown["runs_count"]) == (target.id, 6)
    assert {source.identifier, former} <= {*shown["former_identifiers"]}
    assert v2.get(f"/procedures/{source.id}/versions/7").status_code == 200
    listed = [one["id"] for one in v2.get("/procedures", params={"limit": "1000"}).json()["data"]]
    assert target.id in listed
    assert source.id not in listed
    for path in ("/runs", "/units", "/parts", "/stations", "/logs", "/phases", "/measurements"):
        by = "procedure_id" if path in ("/phases", "/measurements") else "procedure_ids"
        rows, same = (
            v2.get(path, params={by: one}).raise_for_status().json()["data"] for one in (source.id, target.id)
        )
        assert rows == same != []
    yields = f"{server.url}/api/analytics/yield"
    answers = [
        httpx.get(yields, params={"procedure_ids": one}, headers=v2.headers).raise_for_status().json()
        for one in (source.id, target.id)
    ]
    assert answers[0]["total"] == answers[1]["total"]
    assert answers[0]["n"] == 1


def test_a_station_that_may_report_one_may_report_the_other(server: Server, v2: httpx.Client, serial: str):
    source, target = Named(v2, "Linked"), Named(v2, "Goal")
    name = f"Station {uuid4().hex}"
    made = server.runcard(
        "station", "create", name, "--procedure", source.identifier, "--organization", server.world.acme.slug
    )
    with door(server, made["api_key"]) as station:
        assert station.post("/runs", json=run_of(target.id, serial)).status_code == 403
        merge(server, source.id, target.id)
        for procedure in (source, target):
            assert station.post("/runs", json=run_of(procedure.id, serial)).status_code == 200
    assert procedures_of(v2, serial) == {target.id}
    linked = v2.get(f"/stations/{made['id']}").json()["procedures"]
    assert [one["id"] for one in linked] == [target.id]


def test_what_was_merged_is_not_deleted_by_its_old_id(server: Server, v2: httpx.Client, unchanged: Unchanged):
    source, target = Named(v2, "Gone"), Named(v2, "Kept")
    merge(server, source.id, target.id)
    with unchanged():
        refused = v2.delete(f"/procedures/{source.id}")
    assert refused.status_code == 409
    assert f"was merged into '{target.name}'" in refused.json()["message"]
    assert v2.delete(f"/procedures/{target.id}").status_code == 200
    assert v2.get(f"/procedures/{source.id}").status_code == 404
    taken = v2.post("/procedures", json={"name": "New", "identifier": source.identifier})
    assert taken.status_code == 409


def test_a_merge_goes_on_where_a_killed_process_left_it(doomed: Server):
    acme = doomed.world.acme
    actor, home = acme.admin.actor, acme.id

    def record_many(tx: SharedTransaction) -> None:
        for number in range(350):
            report = RunReport(
                procedure=str(acme.final.id),
                serial_number=f"SN-{number % 50}",
                outcome="PASS",
                part_number="P",
            )
            record_run(tx.of(actor), actor, prepare_run(report))

    doomed.change(record_many)
    merge(doomed, str(acme.final.id), str(acme.board.id))

    def begin(tx: SharedTransaction) -> int:
        [left] = list_open_merges(tx.connection, PROCEDURES)
        return move_records(tx.of(SystemActor(left.organization_id, "test")), PROCEDURES, left, 120)

    assert doomed.change(begin) == 120
    until_it_has(doomed, acme.board.id, 350)
    with doomed.database() as database, database.read_in(home) as scope:
        assert list_open_merges(scope.connection, PROCEDURES) == []
        assert get_procedure(scope, str(acme.final.id)).id == acme.board.id

    # It is taken back, and killed on the way.
    def part_them(tx: SharedTransaction) -> int:
        own = tx.of(SystemActor(home, "test"))
        split(own, PROCEDURES, acme.final.id, acme.board.id, "by mistake")
        return bring_back(own, PROCEDURES, 120)

    assert doomed.change(part_them) == 120
    doomed.start()
    doomed.kill()
    until_it_has(doomed, acme.final.id, 350)
    assert doomed.change(lambda tx: bring_back(tx.of(SystemActor(home, "test")), PROCEDURES, 120)) == 0
    with doomed.database() as database, database.read_in(home) as scope:
        assert list_splitting_organizations(scope.connection, PROCEDURES) == []
        assert count_runs_of(scope, acme.board.id) == 0


def until_it_has(server: Server, procedure_id: UUID, runs: int) -> None:
    """Let a server run until a procedure has that many runs, and stop it."""
    server.start()
    with door(server, server.world.acme.admin.api_key) as v2:

        def count() -> int:
            return int(v2.get(f"/procedures/{procedure_id}").raise_for_status().json()["runs_count"])

        until(lambda: count() == runs)
    server.stop()


def test_deployments_go_over_and_come_home(server: Server, v2: httpx.Client):
    source, target = Named(v2, "Deployed"), Named(v2, "Other")
    with command_line(server, server.world.acme.admin.api_key) as client:
        deployed = deploy(client, source.id)["id"]

    def owner() -> list[str]:
        query = [v2.get("/deployments", params={"procedure_ids": one.id}) for one in (source, target)]
        return [
            one["procedure"]["id"] for found in query for one in found.json()["data"] if one["id"] == deployed
        ]

    merge(server, source.id, target.id)
    assert owner() == [target.id] * 2
    acme = server.world.acme

    author = SystemActor(acme.id, "test")
    server.change(lambda tx: split(tx.of(author), PROCEDURES, UUID(source.id), UUID(target.id), "by mistake"))
    assert owner() == [source.id]


def test_a_procedure_is_not_merged_into_itself(server: Server, v2: httpx.Client, unchanged: Unchanged):
    source, target = Named(v2, "First"), Named(v2, "Second")
    merge(server, source.id, target.id)
    until_nothing_moves(server)
    with unchanged():
        for one, other in ((target.id, target.id), (target.id, source.id), (source.id, target.id)):
            with pytest.raises(Exception, match="cannot be merged into itself"):
                merge(server, one, other)
    assert UUID(v2.get(f"/procedures/{source.id}").json()["id"]) == UUID(target.id)
