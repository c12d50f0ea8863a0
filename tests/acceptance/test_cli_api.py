"""What command lines ask: who they are, and, of deployers and stations, to bring and to fetch code."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from runcard.domain.actor import SystemActor
from runcard.store.stations.rows import link_procedures
from tests.acceptance.deploying import ARCHIVE, COMMIT, SHA256, command_line, deploy, upload_archive
from tests.acceptance.wire import Json, assert_error, create_run, run_of
from tests.servers import DEADLINE_S, Server
from tests.world import World

Unchanged = Callable[[], AbstractContextManager[None]]

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def engineer(server: Server) -> Iterator[httpx.Client]:
    with command_line(server, server.world.acme.engineer.api_key) as client:
        yield client


@pytest.fixture(scope="module")
def station(server: Server) -> Iterator[httpx.Client]:
    """ICT-1, which is linked to the procedure `board` only."""
    with command_line(server, server.world.acme.ict.api_key) as client:
        yield client


@pytest.fixture(scope="module")
def foreigner(server: Server) -> Iterator[httpx.Client]:
    """The admin of another organization."""
    with command_line(server, server.world.globex.admin.api_key) as client:
        yield client


@pytest.fixture
def procedure(server: Server) -> Json:
    """One that nobody has deployed, and only FCT-1 may run."""
    made: Json = server.runcard(
        "procedure", "create", f"P {uuid4().hex}", "--organization", server.world.acme.slug
    )
    return made


def test_whoami_of_a_user(engineer: httpx.Client, world: World):
    assert engineer.get("/whoami").json() == {
        "auth_type": "user",
        "user_id": str(world.acme.engineer.actor.user_id),
        "user_name": "Eve",
        "user_email": world.acme.engineer.email,
        "station_id": None,
        "station_name": None,
        "organization_id": str(world.acme.id),
        "organization_name": "Acme",
        "organization_slug": world.acme.slug,
    }


def test_whoami_of_a_station(station: httpx.Client, world: World):
    told = station.get("/whoami").json()
    assert (told["auth_type"], told["station_name"]) == ("station", "ICT-1")
    assert told["station_id"] == str(world.acme.ict.actor.station_id)
    assert (told["user_id"], told["user_name"], told["user_email"]) == (None, None, None)
    assert told["organization_slug"] == world.acme.slug


def test_config_is_a_flat_map_of_texts(server: Server, engineer: httpx.Client, station: httpx.Client):
    told = engineer.get("/config").json()
    assert station.get("/config").json() == told
    assert all(isinstance(value, str) for value in told.values())
    assert (told["api_url"], told["organization_slug"]) == (f"{server.url}/api", server.world.acme.slug)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/whoami"),
        ("GET", "/config"),
        ("GET", "/pull"),
        ("GET", "/pull/FVT1"),
        ("POST", "/deployments/upload"),
        ("POST", "/deployments"),
        ("GET", f"/deployments/{NOWHERE}/logs"),
    ],
)
def test_a_revoked_or_missing_key_is_told_nothing(server: Server, world: World, method: str, path: str):
    for key in (None, "rc_wrong", world.acme.suspended.api_key):
        with command_line(server, key) as client:
            assert_error(client.request(method, path, content=b"{"), 401, "UNAUTHORIZED")


def test_an_archive_is_deployed_pulled_and_named_by_a_run(
    server: Server,
    engineer: httpx.Client,
    station: httpx.Client,
    ict: httpx.Client,
    admin: httpx.Client,
    world: World,
):
    ict_id = str(world.acme.ict.actor.station_id)
    deployed = deploy(engineer, "fvt1", commit=COMMIT, sha256=SHA256.upper(), station_ids=[ict_id, ict_id])
    assert deployed == {
        "id": deployed["id"],
        "status": "ready",
        "environment": "production",
        "artifact_sha256": SHA256,
        "artifact_size_bytes": len(ARCHIVE),
        "stations": [{"id": ict_id, "name": "ICT-1"}],
    }

    listed = station.get("/pull").json()
    assert listed["station"] == {"id": ict_id, "name": "ICT-1"}
    (board,) = listed["procedures"]
    assert (board["id"], board["identifier"], board["name"]) == (str(world.acme.board.id), "FVT1", "Board")
    sha = COMMIT["sha"].lower()
    told = board["deployment"]
    assert (told["id"], told["sha"], told["message"]) == (deployed["id"], sha, "Tighten the limits")

    for named in ("FVT1", str(world.acme.board.id)):
        pulled = station.get(f"/pull/{named}").json()
        assert (pulled["deploymentId"], pulled["sha"]) == (deployed["id"], sha)
        code = httpx.get(pulled["artifactUrl"], timeout=DEADLINE_S).content
        assert hashlib.sha256(code).hexdigest() == pulled["artifactSha256"]
        assert pulled["artifactSizeBytes"] == len(code)

    run = {
        "outcome": "PASS",
        "procedure_id": str(world.acme.board.id),
        "serial_number": f"SN-{uuid4().hex[:8]}",
        "part_number": "PCB-100",
        "started_at": "2026-01-01T00:00:00Z",
        "ended_at": "2026-01-01T00:00:01Z",
        "deployment_id": pulled["deploymentId"],
    }
    headers = {"Authorization": f"Bearer {world.acme.ict.api_key}"}
    recorded = httpx.post(f"{server.url}/api/v2/runs", json=run, headers=headers, timeout=DEADLINE_S)
    assert recorded.status_code == 200, recorded.text
    found = httpx.get(
        f"{server.url}/api/v2/runs",
        params={"deployment_ids": deployed["id"]},
        headers=headers,
        timeout=DEADLINE_S,
    )
    assert [one["id"] for one in found.json()["data"]] == [recorded.json()["id"]]


def test_the_newest_deployment_wins(engineer: httpx.Client, station: httpx.Client):
    contents = [b"one", b"two"]
    for content in contents:
        last = deploy(engineer, "FVT1", upload_id=upload_archive(engineer, content))
    assert station.get("/pull").json()["procedures"][0]["deployment"]["id"] == last["id"]
    pulled = station.get("/pull/FVT1").json()
    # Where no commit was named, the archive itself tells one deployment from another.
    assert pulled["sha"] == pulled["artifactSha256"] == hashlib.sha256(b"two").hexdigest()


def test_production_goes_to_all_that_may_run_it_and_nothing_else_does(
    server: Server, engineer: httpx.Client, world: World, procedure: Json
):
    lonely = world.acme.lonely
    home, lonely_id = world.acme.id, lonely.actor.station_id
    assert [one["name"] for one in deploy(engineer, procedure["id"])["stations"]] == ["FCT-1"]
    server.change(
        lambda tx: link_procedures(tx.of(SystemActor(home, "test")), lonely_id, [UUID(procedure["id"])])
    )
    assert [one["name"] for one in deploy(engineer, procedure["id"])["stations"]] == ["FCT-1", "Lonely"]
    assert deploy(engineer, procedure["id"], environment="preview")["stations"] == []
    named = deploy(engineer, procedure["id"], environment="development", station_ids=[str(lonely_id)])
    with command_line(server, lonely.api_key) as client:
        assert client.get(f"/pull/{procedure['id']}").json()["deploymentId"] == named["id"]


def test_an_archived_station_is_brought_nothing(server: Server, engineer: httpx.Client, procedure: Json):
    options = ("--organization", server.world.acme.slug, "--procedure", procedure["identifier"])
    made = server.runcard("station", "create", f"S {uuid4().hex}", *options)
    with server.client(made["api_key"]) as client:
        create_run(client, run_of(f"SN-{uuid4().hex[:8]}", procedure_id=procedure["identifier"]))
    assert made["id"] in [one["id"] for one in deploy(engineer, procedure["id"])["stations"]]
    key = {"Authorization": engineer.headers["Authorization"]}
    httpx.delete(f"{server.url}/api/v2/stations/{made['id']}", headers=key).raise_for_status()
    assert made["id"] not in [one["id"] for one in deploy(engineer, procedure["id"])["stations"]]
    body = {
        "procedure_id": procedure["id"],
        "upload_id": upload_archive(engineer),
        "station_ids": [made["id"]],
    }
    assert_error(engineer.post("/deployments", json=body), 404, "NOT_FOUND")


def test_one_archive_serves_several_procedures(engineer: httpx.Client, procedure: Json):
    upload_id = upload_archive(engineer)
    first = deploy(engineer, procedure["identifier"], upload_id=upload_id)
    second = deploy(engineer, "FVT1", upload_id=upload_id)
    assert first["artifact_sha256"] == second["artifact_sha256"] == SHA256
    assert first["id"] != second["id"]


def test_nothing_is_there_to_pull_until_something_is_deployed(
    server: Server, engineer: httpx.Client, world: World, procedure: Json
):
    with command_line(server, world.acme.fct.api_key) as fct:
        waiting = fct.get(f"/pull/{procedure['id']}")
        assert_error(waiting, 409, "CONFLICT")
        assert procedure["identifier"] in waiting.json()["message"]
        listed = {one["id"]: one for one in fct.get("/pull").json()["procedures"]}
        assert listed[procedure["id"]]["deployment"] is None
        deploy(engineer, procedure["id"], environment="preview")
        assert_error(fct.get(f"/pull/{procedure['id']}"), 409, "CONFLICT")


def test_an_archive_that_was_deleted_is_not_pulled(
    server: Server, engineer: httpx.Client, station: httpx.Client
):
    upload_id = upload_archive(engineer)
    made = deploy(engineer, "FVT1", upload_id=upload_id)
    with httpx.Client(base_url=f"{server.url}/api/v2", headers=engineer.headers, timeout=DEADLINE_S) as v2:
        v2.delete("/attachments", params={"ids": upload_id}).raise_for_status()
        shown = v2.get(f"/deployments/{made['id']}").json()
    assert (shown["artifact_url"], shown["artifact_size_bytes"]) == (None, None)
    assert shown["artifact_sha256"] == SHA256
    missing = station.get("/pull/FVT1")
    assert_error(missing, 409, "CONFLICT")
    assert made["id"] in missing.json()["message"]
    deploy(engineer, "FVT1")
    assert station.get("/pull/FVT1").status_code == 200


def test_a_station_pulls_only_what_it_may_run(
    server: Server, engineer: httpx.Client, station: httpx.Client, world: World
):
    deploy(engineer, world.acme.final.id)
    for named in ("FVT2", str(world.acme.final.id), NOWHERE, "nothing", str(world.globex.board.id)):
        assert_error(station.get(f"/pull/{named}"), 403, "FORBIDDEN")
    with command_line(server, world.acme.lonely.api_key) as client:
        assert client.get("/pull").json()["station"]["name"] == "Lonely"


def test_users_do_not_pull(engineer: httpx.Client):
    for path in ("/pull", "/pull/FVT1"):
        assert_error(engineer.get(path), 403, "FORBIDDEN")


def test_logs_are_polled(engineer: httpx.Client, station: httpx.Client, procedure: Json):
    made = deploy(engineer, "FVT1")
    path = f"/deployments/{made['id']}/logs"
    whole = engineer.get(path).json()
    assert whole["status"] == "ready"
    assert [one["seq"] for one in whole["entries"]] == list(range(1, len(whole["entries"]) + 1))
    assert SHA256 in whole["entries"][0]["text"]
    assert engineer.get(path, params={"after_seq": ""}).json() == whole
    assert engineer.get(path, params={"after_seq": "1.0"}).json()["entries"] == whole["entries"][1:]
    assert engineer.get(path, params={"after_seq": 2**31 - 1}).json()["entries"] == []
    assert station.get(path).json() == whole
    hidden = deploy(engineer, procedure["id"])
    assert_error(station.get(f"/deployments/{hidden['id']}/logs"), 404, "NOT_FOUND")


@pytest.mark.parametrize("after", ["x", "-2", str(2**31), str(10**30)])
def test_a_place_in_a_log_that_cannot_be_is_refused(engineer: httpx.Client, after: str):
    made = deploy(engineer, "FVT1")
    answer = engineer.get(f"/deployments/{made['id']}/logs", params={"after_seq": after})
    assert_error(answer, 400, "BAD_REQUEST", at=["after_seq"])


@pytest.mark.parametrize("wanted", [NOWHERE, "FVT1", "0"])
def test_logs_of_nothing_are_not_found(engineer: httpx.Client, wanted: str):
    assert_error(engineer.get(f"/deployments/{wanted}/logs"), 404, "NOT_FOUND")


def _deployment(**changes: Any) -> Json:
    """A body, of which members that are `...` are left out."""
    body = {"procedure_id": "FVT1", "upload_id": NOWHERE, **changes}
    return {name: value for name, value in body.items() if value is not ...}


@pytest.mark.parametrize(
    ("changes", "at"),
    [
        ({"procedure_id": ...}, ["procedure_id"]),
        ({"procedure_id": ""}, ["procedure_id"]),
        ({"procedure_id": "F\0"}, ["procedure_id"]),
        ({"upload_id": ...}, ["upload_id"]),
        ({"upload_id": "x"}, ["upload_id"]),
        ({"sha256": "abc"}, ["sha256"]),
        ({"environment": "moon"}, ["environment"]),
        ({"station_ids": ["ICT-1"]}, ["station_ids", 0]),
        ({"deployment_mode": "magic"}, ["deployment_mode"]),
        ({"platform": "x" * 256}, ["platform"]),
        ({"language": "\0"}, ["language"]),
        ({"commit": {}}, ["commit", "sha"]),
        ({"commit": COMMIT | {"sha": "main"}}, ["commit", "sha"]),
        ({"commit": COMMIT | {"message": "\0"}}, ["commit", "message"]),
        ({"commit": COMMIT | {"author_avatar_url": "javascript:1"}}, ["commit", "author_avatar_url"]),
        ({"commit": COMMIT | {"committed_at": "yesterday"}}, ["commit", "committed_at"]),
        ({"repository": {"full_name": "a/b", "provider": "sourceforge"}}, ["repository", "provider"]),
    ],
)
def test_a_deployment_that_cannot_be_is_refused(
    engineer: httpx.Client, changes: Json, at: list[Any], unchanged: Unchanged
):
    with unchanged():
        assert_error(engineer.post("/deployments", json=_deployment(**changes)), 400, "BAD_REQUEST", at=at)


def test_what_a_deployment_names_must_be_there(
    engineer: httpx.Client, foreigner: httpx.Client, world: World, unchanged: Unchanged
):
    mine, theirs = upload_archive(engineer), upload_archive(foreigner)
    with unchanged():
        for changes in (
            {"upload_id": mine, "procedure_id": "nothing"},
            {"upload_id": mine, "procedure_id": str(world.globex.board.id)},
            {"upload_id": NOWHERE},
            {"upload_id": theirs},
            {"upload_id": mine, "station_ids": [NOWHERE]},
        ):
            assert_error(engineer.post("/deployments", json=_deployment(**changes)), 404, "NOT_FOUND")


def test_a_station_that_may_not_run_it_is_told(engineer: httpx.Client, world: World, unchanged: Unchanged):
    lonely = str(world.acme.lonely.actor.station_id)
    body = _deployment(upload_id=upload_archive(engineer), station_ids=[lonely])
    with unchanged():
        refused = engineer.post("/deployments", json=body)
    assert_error(refused, 400, "BAD_REQUEST", at=["station_ids"])
    assert "Lonely" in refused.json()["issues"][0]["message"]


def test_a_moment_beyond_the_calendar_is_refused(engineer: httpx.Client, unchanged: Unchanged):
    commit = COMMIT | {"committed_at": "0001-01-01T00:00:00+10:00"}
    body = _deployment(upload_id=upload_archive(engineer), commit=commit)
    with unchanged():
        refused = engineer.post("/deployments", json=body)
    assert_error(refused, 400, "BAD_REQUEST", at=["commit", "committed_at"])


def test_an_archive_must_have_arrived_whole(engineer: httpx.Client, unchanged: Unchanged):
    slot = engineer.post("/deployments/upload", json={}).json()
    uploaded = upload_archive(engineer)
    with unchanged():
        early = engineer.post("/deployments", json=_deployment(upload_id=slot["id"]))
        assert_error(early, 409, "CONFLICT")
        assert slot["id"] in early.json()["message"]
        other = "0" * 64
        damaged = engineer.post("/deployments", json=_deployment(upload_id=uploaded, sha256=other))
        assert_error(damaged, 400, "BAD_REQUEST", at=["sha256"])


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "  "}, ["name"]),
        ({"name": "x" * 1001}, ["name"]),
        ({"name": "a\0"}, ["name"]),
        ({"size_bytes": -1}, ["size_bytes"]),
        ({"size_bytes": "many"}, ["size_bytes"]),
    ],
)
def test_an_archive_that_cannot_be_is_refused(
    engineer: httpx.Client, body: Json, at: list[Any], unchanged: Unchanged
):
    with unchanged():
        assert_error(engineer.post("/deployments/upload", json=body), 400, "BAD_REQUEST", at=at)


def test_an_archive_that_is_too_large_is_refused(engineer: httpx.Client, unchanged: Unchanged):
    with unchanged():
        for size in (2**40, 10**30):
            answer = engineer.post("/deployments/upload", json={"size_bytes": size})
            assert answer.status_code in (400, 413), answer.text


def test_only_admins_and_engineers_deploy(
    server: Server, station: httpx.Client, world: World, unchanged: Unchanged
):
    with command_line(server, world.acme.viewer.api_key) as viewer, unchanged():
        for client, told in ((station, "Stations cannot deploy"), (viewer, "permission to deploy")):
            for path in ("/deployments/upload", "/deployments"):
                refused = client.post(path, content=b"{")
                assert_error(refused, 403, "FORBIDDEN")
                assert told in refused.json()["message"]


def test_others_read_no_log(engineer: httpx.Client, foreigner: httpx.Client):
    made = deploy(engineer, "FVT1")
    assert_error(foreigner.get(f"/deployments/{made['id']}/logs"), 404, "NOT_FOUND")
