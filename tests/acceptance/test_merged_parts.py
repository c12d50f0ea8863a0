"""Parts that were merged: whatever names one leads on to the other, at every door, and back again after a split."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from runcard.domain.actor import SystemActor
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.creator import Creator
from runcard.store.merging.merges import count_records, list_open_merges, move_records
from runcard.store.merging.splits import bring_back, list_splitting_organizations, split
from runcard.store.products.mergeable_parts import PARTS
from runcard.store.products.part_merges import merge_parts
from runcard.store.products.parts import get_part
from tests.acceptance.conftest import Unchanged
from tests.acceptance.own import Own
from tests.acceptance.test_merged_procedures import door, run_of, until, until_nothing_moves
from tests.servers import Server


@pytest.fixture(scope="module")
def v2(server: Server) -> Iterator[httpx.Client]:
    """Plain HTTP to v2, as the admin."""
    with door(server, server.world.acme.admin.api_key) as client:
        yield client


def merge(server: Server, source: str, target: str) -> UUID:
    """As another process than the server does; the id of the source."""
    acme = server.world.acme

    def apply(tx: SharedTransaction) -> UUID:
        own = tx.of(SystemActor(acme.id, "test"))
        a, b = (get_part(own.scope, one) for one in (source, target))
        merge_parts(own, a, b, Creator.of(acme.admin.actor), "two spellings")
        return a.id

    return server.change(apply)


def report(v2: httpx.Client, server: Server, part: str, serial: str, **more: str) -> httpx.Response:
    board = str(server.world.acme.board.id)
    return v2.post("/runs", json=run_of(board, serial, part_number=part, **more)).raise_for_status()


def parts_of(v2: httpx.Client, path: str, **query: str) -> list[str]:
    """The numbers of the parts of the runs or units that a filter finds."""
    rows = v2.get(path, params=query).raise_for_status().json()["data"]
    return [(row["unit"] if path == "/runs" else row)["part"]["number"] for row in rows]


def test_whatever_named_it_leads_on(server: Server, v2: httpx.Client, admin: httpx.Client):
    mark = uuid4().hex[:8]
    old, new, former = (f"{name}-{mark}" for name in ("PCB1", "PCB-1", "PCB"))
    for part, serial in ((former, f"A-{mark}"), (new, f"B-{mark}")):
        report(v2, server, part, serial, revision_number="r1")
    v2.patch(f"/parts/{former}", json={"new_number": old}).raise_for_status()
    source_id = merge(server, old, new)

    for number, part in enumerate((former, old.lower(), new)):
        report(v2, server, part, f"C{number}-{mark}")
        report(v2, server, part, f"A-{mark}", revision_number="r1")
    until_nothing_moves(server)  # a run that moves between two of the requests is in one answer only
    assert parts_of(v2, "/units", part_numbers=old) == [new] * 5
    for path in ("/units", "/runs", "/batches"):
        answers = [
            [
                row["id"]
                for row in v2.get(path, params={"part_numbers": one}).raise_for_status().json()["data"]
            ]
            for one in (new, old, former)
        ]
        assert answers[0] == answers[1] == answers[2]
    shown = v2.get(f"/parts/{old}").raise_for_status().json()
    assert shown["number"] == new
    assert sorted(one["number"] for one in shown["revisions"]) == ["A", "r1"]
    assert v2.get(f"/parts/{former}/revisions/r1").json()["part"]["number"] == new
    found = v2.get("/parts", params={"search_query": mark}).json()["data"]
    assert [one["number"] for one in found] == [new]

    def yield_of(number: str) -> dict[str, Any]:
        query, url = {"part_numbers": number}, f"{server.url}/api/analytics/yield"
        found: dict[str, Any] = httpx.get(url, params=query, headers=v2.headers).json()
        return found

    # Runs follow after the units.
    until(lambda: yield_of(new)["n"] == 5)
    assert yield_of(old)["total"] == yield_of(new)["total"]
    moved = v2.get(f"/units/A-{mark}").raise_for_status().json()
    assert moved["part"]["revision"]["number"] == "r1"
    # The target cannot be deleted by another name, nor that name be given to another part.
    for name in (old, former):
        refused = v2.delete(f"/parts/{name}")
        assert (refused.status_code, f"leads on to part {new}" in refused.json()["message"]) == (409, True)
        assert v2.post("/parts", json={"number": name}).status_code == 409

    author = SystemActor(server.world.acme.id, "test")
    target_id = UUID(shown["id"])
    server.change(lambda tx: split(tx.of(author), PARTS, source_id, target_id, "two parts after all"))
    until(lambda: parts_of(v2, "/units", part_numbers=former) == [old])
    # What came since stays, even what named the old number; but all that the first unit did goes back.
    until(lambda: len(parts_of(v2, "/units", part_numbers=new)) == 4)
    assert v2.get(f"/parts/{old}").json()["number"] == old


def test_a_merged_part_is_deleted_with_its_target(server: Server, v2: httpx.Client):
    mark = uuid4().hex[:8]
    old, new = (v2.post("/parts", json={"number": f"{name}-{mark}"}).json()["id"] for name in ("OLD", "NEW"))
    assert old != new
    merge(server, f"OLD-{mark}", f"NEW-{mark}")
    assert len(v2.delete(f"/parts/NEW-{mark}").raise_for_status().json()["deletedRevisionIds"]) == 2
    assert v2.get(f"/parts/OLD-{mark}").status_code == 404
    assert v2.post("/parts", json={"number": f"OLD-{mark}"}).status_code == 200


def test_a_part_is_not_merged_into_itself(server: Server, v2: httpx.Client, unchanged: Unchanged):
    mark = uuid4().hex[:8]
    for name in ("ONE", "TWO"):
        v2.post("/parts", json={"number": f"{name}-{mark}"}).raise_for_status()
    merge(server, f"ONE-{mark}", f"TWO-{mark}")
    until_nothing_moves(server)
    with unchanged():
        for source, target in (("TWO", "TWO"), ("TWO", "ONE"), ("ONE", "TWO")):
            with pytest.raises(Exception, match="cannot be merged into itself"):
                merge(server, f"{source}-{mark}", f"{target}-{mark}")


def test_it_goes_on_where_a_killed_process_left_it(doomed: Server):
    acme = doomed.world.acme
    actor, home = acme.admin.actor, acme.id
    author = SystemActor(home, "test")

    def record_many(tx: SharedTransaction) -> None:
        for number in range(120):
            part = "OLD" if number % 3 else "NEW"
            report = RunReport(
                procedure=str(acme.board.id),
                serial_number=f"{part}-{number // 2}",
                outcome="PASS",
                part_number=part,
                revision_number="AB"[number % 2],
            )
            record_run(tx.of(actor), actor, prepare_run(report))

    def counts(number: str) -> dict[str, int]:
        with doomed.database() as database, database.read_in(home) as scope:
            return dict(count_records(scope, PARTS, get_part(scope, number).id))

    def until_it_has(number: str, there: dict[str, int]) -> None:
        doomed.start()
        until(lambda: counts(number) == there)
        doomed.stop()

    doomed.change(record_many)
    old, new = counts("OLD"), counts("NEW")
    both = {noun: count + new[noun] for noun, count in old.items()}
    source_id = merge(doomed, "OLD", "NEW")

    def begin(tx: SharedTransaction) -> int:
        [left] = list_open_merges(tx.connection, PARTS)
        return move_records(tx.of(author), PARTS, left, old["unit"] + 7)

    assert doomed.change(begin) == old["unit"] + 7
    doomed.start()
    doomed.kill()
    until_it_has("NEW", both)
    with doomed.database() as database, database.read_in(home) as scope:
        assert list_open_merges(scope.connection, PARTS) == []
        target_id = get_part(scope, "OLD").id

    def part_them(tx: SharedTransaction) -> int:
        split(tx.of(author), PARTS, source_id, target_id, "by mistake")
        return bring_back(tx.of(author), PARTS, 9)

    assert doomed.change(part_them) == 9
    doomed.start()
    doomed.kill()
    until_it_has("OLD", old)
    assert counts("NEW") == new
    assert doomed.change(lambda tx: bring_back(tx.of(author), PARTS, 9)) == 0
    with doomed.database() as database, database.read_in(home) as scope:
        assert list_splitting_organizations(scope.connection, PARTS) == []


def test_a_part_is_merged_and_split_over_rest(server: Server, v2: httpx.Client):
    mark, acme = uuid4().hex[:8], server.world.acme
    numbers = {name: f"{name}-{mark}" for name in ("OLD", "NEW", "THIRD")}
    ids = {name: v2.post("/parts", json={"number": number}).json()["id"] for name, number in numbers.items()}
    report(v2, server, numbers["OLD"], f"REST-{mark}")

    def found(name: str) -> str:
        return str(v2.get(f"/parts/{numbers[name]}").raise_for_status().json()["number"])

    with Own(server, acme.engineer.api_key) as engineer:

        def ask(name: str, deed: str, **body: object) -> httpx.Response:
            return engineer.post(f"/parts/{ids[name]}/{deed}", json=body)

        assert ask("OLD", "split", reason="why").status_code == 409
        assert ask("OLD", "merge", into=ids["OLD"], reason="why").status_code == 409
        for body in (
            {"into": ids["NEW"]},
            {"into": ids["NEW"], "reason": " "},
            {"into": "x", "reason": "why"},
        ):
            assert ask("OLD", "merge", **body).status_code in (400, 422), body
        assert ask("OLD", "merge", into=str(uuid4()), reason="why").status_code == 404
        assert found("OLD") == numbers["OLD"]

        assert ask("OLD", "merge", into=ids["NEW"], reason="why").json() == {"id": ids["NEW"]}
        assert found("OLD") == numbers["NEW"]
        until(lambda: parts_of(v2, "/runs", part_numbers=numbers["NEW"]) == [numbers["NEW"]])
        again = ask("OLD", "merge", into=ids["THIRD"], reason="why")
        assert (again.status_code, f"was merged into {numbers['NEW']}" in again.json()["message"]) == (
            409,
            True,
        )
        for key, status in ((server.world.globex.admin.api_key, 404), (acme.viewer.api_key, 403)):
            with Own(server, key) as other:
                for deed, more in (("merge", {"into": ids["THIRD"]}), ("split", {})):
                    sent = other.post(f"/parts/{ids['OLD']}/{deed}", json={"reason": "why", **more})
                    assert sent.status_code == status
        assert ask("OLD", "split", reason="why").json() == {"id": ids["NEW"]}
        until(lambda: parts_of(v2, "/runs", part_numbers=numbers["OLD"]) == [numbers["OLD"]])
        assert found("OLD") == numbers["OLD"]
