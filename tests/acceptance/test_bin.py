"""The bin over REST: what is deleted waits in it, comes back whole, or goes for good and leaves a tombstone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.acceptance.own import Own
from tests.acceptance.test_voids import unit_yield
from tests.acceptance.wire import assert_error, create_run, run_of
from tests.servers import DEADLINE_S, Server

UNTIL = "Runcard-Restorable-Until"


@pytest.fixture(scope="module")
def ada(server: Server) -> Iterator[Own]:
    """Acme's admin."""
    with Own(server, server.world.acme.admin.api_key) as client:
        yield client


@pytest.fixture
def run_id(ict: httpx.Client, serial: str) -> str:
    return create_run(ict, run_of(serial, run_passed=False, started_at="2026-05-04T05:06:00Z"))


def deleted(ada: Own, path: str, **query: Any) -> httpx.Response:
    answer = ada.delete(path, params=query)
    assert answer.status_code == 200, answer.text
    left = datetime.fromisoformat(answer.headers[UNTIL]) - datetime.now(UTC)
    assert timedelta(days=29) < left < timedelta(days=31)
    return answer


def test_a_deleted_run_waits_and_comes_back_as_it_was(ada: Own, run_id: str, serial: str) -> None:
    before = ada.found(f"/v2/runs/{run_id}")
    deleted(ada, "/v2/runs", ids=run_id)
    assert ada.get(f"/v2/runs/{run_id}").status_code == 404
    waiting = ada.found(f"/bin/{run_id}")
    assert (waiting["noun"], waiting["name"], waiting["gone_at"]) == ("run", serial, None)
    [listed] = ada.found("/bin", search_query=serial)["data"]
    assert listed == {**waiting, "along": {}}
    [entry] = ada.found("/trail", thing_id=run_id)["data"]
    assert entry["kind"] == "run_deleted"
    assert waiting["digest"] == ada.found("/trail", thing_id=run_id, with_reports="true")["data"][1]["state"]

    answer = ada.post(f"/bin/{run_id}/restore", json={"reason": "It was the right one"})
    assert (answer.status_code, answer.json()) == (200, {"id": run_id, "things": 1})
    assert ada.found(f"/v2/runs/{run_id}") == before
    entries = ada.found("/trail", thing_id=run_id)["data"]
    assert [(one["kind"], one["why"]) for one in entries] == [
        ("run_restored", "It was the right one"),
        ("run_deleted", None),
    ]
    assert entries[0]["state"] == waiting["digest"], "not a byte of it is another"
    assert_error(ada.post(f"/bin/{run_id}/restore", json={}), 404, "NOT_FOUND")


def test_a_deleted_first_run_makes_no_retest_a_first_pass(
    ada: Own, ict: httpx.Client, run_id: str, serial: str
) -> None:
    create_run(ict, run_of(serial, started_at="2026-05-04T05:07:00Z"))
    assert unit_yield(ada, serial) == (1, 0, 1, 0)
    deleted(ada, f"/v1/runs/{run_id}")
    assert unit_yield(ada, serial) == (0, 0, 0, 0)
    ada.post(f"/bin/{run_id}/restore", json={})
    assert unit_yield(ada, serial) == (1, 0, 1, 0)


def test_what_is_purged_leaves_who_when_and_why(ada: Own, run_id: str) -> None:
    deleted(ada, "/v2/runs", ids=run_id)
    gone = ada.delete(f"/bin/{run_id}", params={"reason": "The customer asked for it"})
    assert (gone.status_code, gone.json()) == (200, {"id": run_id, "things": 1})
    left = ada.found(f"/bin/{run_id}")
    assert left["restorable_until"] is None
    assert left["gone_at"] is not None
    assert len(bytes.fromhex(left["digest"])) == 32
    assert run_id not in {one["id"] for one in ada.found("/bin", limit=1000)["data"]}
    assert_error(ada.post(f"/bin/{run_id}/restore", json={}), 409, "CONFLICT")
    assert_error(ada.delete(f"/bin/{run_id}"), 409, "CONFLICT")
    kinds = [(one["kind"], one["why"]) for one in ada.found("/trail", thing_id=run_id)["data"]]
    assert kinds == [("run_purged", "The customer asked for it"), ("run_deleted", None)]


def test_a_unit_takes_its_runs_and_files_along(server: Server, ada: Own, run_id: str, serial: str) -> None:
    slot = ada.post(f"/v2/units/{serial}/attachments", json={"name": "a.txt"}).json()
    httpx.put(slot["upload_url"], content=b"precious", timeout=DEADLINE_S).raise_for_status()
    link = ada.found(f"/v2/units/{serial}")["attachments"][0]["download_url"]
    deleted(ada, "/v2/units", serial_numbers=serial, cascade="true")
    assert httpx.get(link, timeout=DEADLINE_S).status_code == 404
    [listed] = ada.found("/bin", search_query=serial)["data"]
    assert (listed["noun"], listed["along"]) == ("unit", {"run": 1, "attachment": 1})
    refused = ada.post(f"/bin/{run_id}/restore", json={})
    assert_error(refused, 409, "CONFLICT")
    assert f"together with the unit {serial}" in refused.json()["message"]
    answer = ada.post(f"/bin/{listed['id']}/restore", json={})
    assert answer.json() == {"id": listed["id"], "things": 3}
    assert httpx.get(link, timeout=DEADLINE_S).content == b"precious"

    deleted(ada, "/v2/units", serial_numbers=serial, cascade="true")
    ada.delete(f"/bin/{listed['id']}").raise_for_status()
    files = server.data_dir / "attachments"
    assert [path for path in files.rglob(f"*{slot['id']}*") if path.is_file()] == []


def test_a_serial_number_that_is_taken_again_is_said(
    ada: Own, ict: httpx.Client, run_id: str, serial: str
) -> None:
    deleted(ada, "/v2/units", serial_numbers=serial, cascade="true")
    [listed] = ada.found("/bin", search_query=serial)["data"]
    create_run(ict, run_of(serial))
    answer = ada.post(f"/bin/{listed['id']}/restore", json={})
    assert_error(answer, 409, "CONFLICT")
    assert f"unit {serial} cannot be restored" in answer.json()["message"]


def test_managers_delete_and_restore_and_only_admins_purge(server: Server, ada: Own, run_id: str) -> None:
    acme = server.world.acme
    with Own(server, acme.engineer.api_key) as engineer:
        deleted(engineer, "/v2/runs", ids=run_id)
        assert_error(engineer.delete(f"/bin/{run_id}"), 403, "FORBIDDEN")
        assert engineer.found(f"/bin/{run_id}")["id"] == run_id
        assert engineer.post(f"/bin/{run_id}/restore", json={}).status_code == 200
    deleted(ada, "/v2/runs", ids=run_id)
    for key in (acme.viewer.api_key, acme.ict.api_key):
        with Own(server, key) as client:
            assert client.get("/bin").status_code == 403
            assert client.get(f"/bin/{run_id}").status_code == 403
            assert client.post(f"/bin/{run_id}/restore", json={}).status_code == 403
    with Own(server, server.world.globex.admin.api_key) as gus:
        assert run_id not in {one["id"] for one in gus.found("/bin", limit=1000)["data"]}
        for answer in (
            gus.get(f"/bin/{run_id}"),
            gus.post(f"/bin/{run_id}/restore", json={}),
            gus.delete(f"/bin/{run_id}"),
        ):
            assert_error(answer, 404, "NOT_FOUND")


@pytest.mark.parametrize("thing_id", ["00000000-0000-4000-8000-000000000000", "x", "%00"])
def test_what_was_never_deleted_is_not_found(ada: Own, thing_id: str) -> None:
    assert ada.get(f"/bin/{thing_id}").status_code == 404
    assert ada.post(f"/bin/{thing_id}/restore", json={}).status_code == 404
    assert ada.delete(f"/bin/{thing_id}").status_code == 404


def test_pages_of_the_bin(ada: Own, ict: httpx.Client, serial: str) -> None:
    made = [create_run(ict, run_of(f"{serial}-{number}")) for number in range(3)]
    for one in made:
        deleted(ada, "/v2/runs", ids=one)
    found: list[str] = []
    cursor: int | None = 0
    while cursor is not None:
        page = ada.found("/bin", search_query=serial, limit=2, cursor=cursor)
        found += [one["id"] for one in page["data"]]
        cursor = page["meta"]["next_cursor"]
    assert found == made[::-1]
    assert ada.get("/bin", params={"search": "x"}).status_code == 400
