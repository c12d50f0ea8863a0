"""The audit trail over REST: what is told, by which filters, page by page, and to whom."""

import csv
import io
import json
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.acceptance.wire import create_run, run_of
from tests.servers import DEADLINE_S, Server
from tests.web.v2 import v2_client


def ask(server: Server, path: str = "", key: str | None = None, **query: Any) -> httpx.Response:
    """The trail as whoever has the key reads it; as Acme's admin, where none is given."""
    headers = {"Authorization": f"Bearer {key or server.world.acme.admin.api_key}"}
    return httpx.get(f"{server.url}/api/trail{path}", params=query, headers=headers, timeout=DEADLINE_S)


def told(server: Server, **query: Any) -> list[dict[str, Any]]:
    answer = ask(server, **query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


def make_batches(server: Server, *numbers: str) -> list[str]:
    """Ids of batches that Acme's engineer has made."""
    with v2_client(server) as client:
        return [client.post("/batches", json={"number": number}).json()["id"] for number in numbers]


def test_an_entry_says_who_what_when_and_from_where(server: Server) -> None:
    engineer = server.world.acme.engineer
    with v2_client(server) as client:
        sent = client.post("/batches", json={"number": "B-TOLD"})
    batch_id = sent.json()["id"]
    [entry] = told(server, thing_id=batch_id)
    at, seq, state, what = (entry.pop(name) for name in ("at", "seq", "state", "what"))
    assert entry == {
        "kind": "batch_created",
        "thing_id": batch_id,
        "by": {"kind": "user", "name": engineer.email, "id": str(engineer.actor.user_id)},
        "door": "v2",
        "address": "127.0.0.1",
        "key": engineer.api_key[:8],
        "request_id": sent.headers["X-Request-ID"],
        "name": "B-TOLD",
        "why": None,
    }
    assert datetime.fromisoformat(at).tzinfo is not None
    assert (type(seq), len(bytes.fromhex(state))) == (int, 32)
    assert what["number"] == [None, "B-TOLD"]


def test_a_recorded_run_is_told_if_reports_are_asked_for(server: Server, ict: httpx.Client, serial: str):
    run_id = create_run(ict, run_of(serial))
    station = server.world.acme.ict
    assert told(server, thing_id=run_id) == []
    [entry] = told(server, thing_id=run_id, with_reports=True)
    assert (entry["kind"], entry["what"], entry["door"]) == ("run_recorded", {}, None)
    assert entry["by"] == {"kind": "station", "name": "ICT-1", "id": str(station.actor.station_id)}
    of_station = told(server, actor_id=station.actor.station_id, with_reports=True, kind="run_recorded")
    assert run_id in {one["thing_id"] for one in of_station}


def test_filters_and_pages(server: Server) -> None:
    made = make_batches(server, *(f"B-PAGE-{number}" for number in range(5)))
    first = told(server, thing_id=made[0])[0]
    query: dict[str, Any] = {
        "actor_id": server.world.acme.engineer.actor.user_id,
        "kind": ["batch_created", "part_deleted"],
    }
    found: list[str] = []
    cursor = 0
    while True:
        answer = ask(server, limit=2, after=first["at"], cursor=cursor, **query)
        body = answer.json()
        found += [one["thing_id"] for one in body["data"] if one["seq"] >= first["seq"]]
        cursor = body["meta"]["next_cursor"]
        assert body["meta"]["has_more"] is (cursor is not None)
        if cursor is None:
            break
    assert found == made[::-1]
    before = (datetime.fromisoformat(first["at"]) - timedelta(microseconds=1)).isoformat()
    assert not {one["thing_id"] for one in told(server, before=before, **query)} & set(made)
    assert told(server, actor_id=made[0]) == []


@pytest.mark.parametrize(
    "query",
    [
        {"actor_id": "x"},
        {"thing": "x"},
        {"kind": "unit_lost"},
        {"after": "soon"},
        {"before": "2026-01-01"},
        {"with_reports": "maybe"},
        {"limit": 0},
        {"limit": 1001},
        {"cursor": -1},
        {"cursor": 2**60},
        {"format": "csv"},
    ],
    ids=str,
)
def test_bad_queries_name_the_parameter(server: Server, query: dict[str, Any]) -> None:
    answer = ask(server, **query)
    assert answer.status_code == 400
    assert next(iter(query)) in answer.text


def test_bad_queries_of_a_file_name_the_parameter(server: Server) -> None:
    for query in ({"format": "xlsx"}, {"limit": 1}, {"kind": "x"}):
        answer = ask(server, "/export", **query)
        assert answer.status_code == 400
        assert next(iter(query)) in answer.text


def test_files_have_everything_oldest_first_and_run_no_formula(server: Server) -> None:
    made = make_batches(server, "-B-FILE", "B-FILE-2")
    query: dict[str, Any] = {"kind": "batch_created"}
    text, lines = (ask(server, "/export", format=one, **query) for one in ("csv", "jsonl"))
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    assert text.headers["content-disposition"] == 'attachment; filename="history.csv"'
    rows = list(csv.DictReader(io.StringIO(text.text)))
    items = [json.loads(line) for line in lines.text.splitlines()]
    assert [row["thing_id"] for row in rows][-2:] == [item["thing_id"] for item in items][-2:] == made
    assert [row["name"] for row in rows][-2:] == ["'-B-FILE", "B-FILE-2"]
    assert items[-2]["name"] == "-B-FILE"
    assert items[-2] == told(server, thing_id=made[0])[0]
    assert json.loads(rows[-1]["what"]) == items[-1]["what"]


def test_only_managers_read_it_and_only_admins_what_is_of_access(server: Server) -> None:
    acme = server.world.acme
    for path in ("", "/export"):
        for key in (acme.viewer.api_key, acme.ict.api_key):
            assert ask(server, path, key).status_code == 403
        refused = ask(server, path, acme.engineer.api_key, kind=["unit_changed", "key_created"])
        assert refused.status_code == 403
        assert "key_created" in refused.text
        assert httpx.get(f"{server.url}/api/trail{path}").status_code == 401
    keys = told(server, kind="key_created")
    assert {one["what"]["digest"][1] for one in keys} == {"(secret)"}
    of_engineer = ask(server, key=acme.engineer.api_key, limit=1000).json()["data"]
    assert of_engineer
    assert not {one["seq"] for one in keys} & {one["seq"] for one in of_engineer}
    exported = ask(server, "/export", acme.engineer.api_key, format="jsonl").text
    assert {json.loads(line)["kind"] for line in exported.splitlines()} == {
        one["kind"] for one in of_engineer
    }


def test_another_organization_reads_none_of_it(server: Server) -> None:
    [batch_id] = make_batches(server, "B-MINE")
    key = server.world.globex.admin.api_key
    assert ask(server, key=key, thing_id=batch_id, with_reports=True).json()["data"] == []
    for path in ("", "/export"):
        assert "B-MINE" not in ask(server, path, key, with_reports=True).text
