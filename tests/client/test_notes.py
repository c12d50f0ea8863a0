"""Notes from a station's program, against a real server."""

from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from runcard_client import Client, FileReport, Refused, Unavailable
from tests.client.reporting import report_of
from tests.servers import Server


@pytest.fixture
def own(server: Server) -> Iterator[httpx.Client]:
    """HTTP to the APIs of `server` that are its own, as an admin."""
    headers = {"Authorization": f"Bearer {server.world.acme.admin.api_key}"}
    with httpx.Client(base_url=f"{server.url}/api", headers=headers, timeout=60) as requests:
        yield requests


@pytest.fixture
def tag(own: httpx.Client) -> str:
    name = f"Tag {uuid4().hex[:8]}"
    own.post("/tags", json={"name": name}).raise_for_status()
    return name


@pytest.fixture
def run_ids(client: Client) -> list[str]:
    """Three runs that the server has."""
    batch = uuid4().hex
    for number in range(3):
        client.record_run(report_of(f"{batch}-{number}", batch_number=batch))
    assert client.flush().is_empty
    return [run.id for run in client.runs(batch_numbers=[batch])]


def test_a_comment_with_a_file(server: Server, client: Client, own: httpx.Client, run_ids: list[str]) -> None:
    text = f"Look, @{server.world.acme.admin.email}"
    made = client.notes.comment(run_ids[0], text, files=[FileReport("a.txt", b"content", "text/plain")])
    [found] = own.get("/comments", params={"thing_id": run_ids[0]}).json()["data"]
    assert (found["id"], found["text"]) == (made, text)
    assert found["created_by_station"]["name"] == "FCT-1"
    assert [(one["name"], one["size_bytes"]) for one in found["files"]] == [("a.txt", 7)]
    assert len(found["mentions"]) == 1


def test_tags_of_one_and_of_many(client: Client, tag: str, run_ids: list[str]) -> None:
    assert client.notes.tag(run_ids[0], add=[tag]) == run_ids[:1]
    assert sorted(client.notes.tag(run_ids, add=[tag])) == sorted(run_ids[1:])
    assert {run.id for run in client.runs(tags=[tag.upper()])} == set(run_ids)
    assert client.notes.tag(run_ids[:1], remove=[tag]) == run_ids[:1]
    assert {run.id for run in client.runs(tags=[tag])} == set(run_ids[1:])


def test_a_cause_is_set_and_taken_away(client: Client, own: httpx.Client, run_ids: list[str]) -> None:
    top, leaf = (f"C-{uuid4().hex[:8]}" for _ in range(2))
    own.post("/causes", json={"code": top, "name": "Test"}).raise_for_status()
    own.post("/causes", json={"code": leaf, "name": "Contact", "parent": top}).raise_for_status()
    assert client.notes.set_cause(run_ids[0], leaf) == run_ids[:1]
    assert [run.id for run in client.runs(causes=[top])] == run_ids[:1]
    assert client.notes.set_cause(run_ids, None) == run_ids[:1]
    assert list(client.runs(causes=[top])) == []


def test_what_is_refused_says_why(client: Client, tag: str, run_ids: list[str]) -> None:
    unknown = str(uuid4())
    with pytest.raises(Refused, match=f"has the ID {unknown}"):
        client.notes.tag([*run_ids, unknown], add=[tag])
    with pytest.raises(Refused, match="Tag not found: No such tag"):
        client.notes.tag(run_ids, add=["No such tag"])
    with pytest.raises(Refused, match="text has 10001 characters"):
        client.notes.comment(run_ids[0], "x" * 10_001)
    with pytest.raises(Refused, match="Cause not found"):
        client.notes.set_cause(run_ids, "No such cause")
    assert list(client.runs(tags=[tag])) == []


def test_a_server_that_does_not_answer(tmp_path_factory: pytest.TempPathFactory) -> None:
    spool = tmp_path_factory.mktemp("spool") / "spool.sqlite3"
    with Client("http://127.0.0.1:9", "rc_x", spool=spool, sends=False) as lonely, pytest.raises(Unavailable):
        lonely.notes.tag("x", add=["y"])
