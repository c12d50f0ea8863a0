"""Deployments, as the official client lists and reads them."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import ErrorBADREQUEST, ErrorNOTFOUND, ErrorUNAUTHORIZED

from tests.acceptance.deploying import ARCHIVE, COMMIT, REPOSITORY, SHA256, command_line, deploy
from tests.acceptance.files import initialize, put
from tests.acceptance.v2.conftest import Sdk
from tests.servers import Server
from tests.world import World

Fresh = Callable[[str], str]

NOWHERE = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(scope="module")
def engineer(server: Server) -> Iterator[httpx.Client]:
    """The command line of the engineer."""
    with command_line(server, server.world.acme.engineer.api_key) as client:
        yield client


@pytest.fixture(scope="module")
def globex_line(server: Server) -> Iterator[httpx.Client]:
    """The command line of another organization's admin."""
    with command_line(server, server.world.globex.admin.api_key) as client:
        yield client


@pytest.fixture
def procedure(server: Server, fresh: Fresh) -> str:
    """Id of a procedure that nobody has deployed, which only FCT-1 may run."""
    made: str = server.runcard(
        "procedure", "create", fresh("Deployed"), "--organization", server.world.acme.slug
    )["id"]
    return made


def _commit(**changes: Any) -> dict[str, Any]:
    return COMMIT | changes


def test_a_deployment_is_read_with_all_that_is_known(
    user: TofuPilot, wire: httpx.Client, engineer: httpx.Client, procedure: str, world: World
) -> None:
    made = deploy(
        engineer,
        procedure,
        commit=COMMIT,
        repository=REPOSITORY,
        deployment_mode="standalone",
        platform="linux-arm64",
        language="python",
        runtime_version="3.13",
    )
    shown = user.deployments.get(id=made["id"]).model_dump(by_alias=True, mode="json")
    assert (shown["environment"], shown["trigger"], shown["status"]) == ("production", "cli", "ready")
    assert (shown["artifact_sha256"], shown["artifact_size_bytes"]) == (SHA256, len(ARCHIVE))
    assert httpx.get(shown["artifact_url"]).content == ARCHIVE
    told = ("deployment_mode", "platform", "language", "runtime_version")
    assert [shown[name] for name in told] == ["standalone", "linux-arm64", "python", "3.13"]
    assert shown["procedure"]["id"] == procedure
    eve = {"id": str(world.acme.engineer.actor.user_id), "name": "Eve", "image": None}
    assert shown["created_by_user"] == eve
    raw = wire.get(f"/deployments/{made['id']}").json()
    commit = raw["commit"]
    assert commit == {
        "id": commit["id"],
        "sha": COMMIT["sha"].lower(),
        "message": "Tighten the limits",
        "author_username": "eve",
        "author_avatar_url": "https://example.com/eve.png",
        "committed_at": "2026-01-02T01:04:05Z",
        "branch": {"id": commit["branch"]["id"], "name": "main"},
        "repository": {"full_name": "acme/tests/board", "provider": "gitlab"},
    }
    (fct,) = raw["stations"]
    assert (fct["name"], fct["image_url"]) == ("FCT-1", None)
    assert fct["pushed_at"] == raw["deployed_at"]
    assert [(one["seq"], one["level"]) for one in raw["build_logs"]] == [(1, "INFO"), (2, "INFO")]
    assert SHA256 in raw["build_logs"][0]["message"]
    assert "FCT-1" in raw["build_logs"][1]["message"]


def test_what_is_not_known_is_null(
    user: TofuPilot, wire: httpx.Client, engineer: httpx.Client, procedure: str
) -> None:
    made = deploy(engineer, procedure, environment="preview")
    user.deployments.get(id=made["id"])
    shown = wire.get(f"/deployments/{made['id']}").json()
    assert (shown["commit"], shown["stations"]) == (None, [])
    assert [shown[name] for name in ("platform", "language", "runtime_version")] == [None] * 3
    (listed,) = wire.get("/deployments", params={"procedure_ids": procedure}).json()["data"]
    assert (listed["commit"], listed["repository"], listed["stations"]) == (None, None, [])
    assert listed["skipped"] is False
    assert user.deployments.list(procedure_ids=[procedure]).data[0].id == made["id"]


def test_the_same_commit_has_the_same_id_in_every_deployment(
    wire: httpx.Client, engineer: httpx.Client, procedure: str
) -> None:
    for changes in ({}, {"sha": COMMIT["sha"].lower()}, {"sha": "abcdef0"}):
        deploy(engineer, procedure, commit=_commit(**changes), repository=REPOSITORY)
    listed = wire.get("/deployments", params={"procedure_ids": procedure}).json()["data"]
    other, same, first = [one["commit"]["id"] for one in listed]
    assert first == same != other
    assert wire.get(f"/deployments/{listed[2]['id']}").json()["commit"]["id"] == first
    assert listed[0]["commit"]["branch"] == "main"
    assert listed[0]["repository"] == {"provider": "gitlab"}


def test_deployments_are_listed_newest_first_in_pages_that_stay_true(
    user: TofuPilot, engineer: httpx.Client, procedure: str
) -> None:
    ids = [deploy(engineer, procedure)["id"] for _ in range(4)]
    first = user.deployments.list(procedure_ids=[procedure], limit=2)
    deploy(engineer, procedure)
    second = user.deployments.list(procedure_ids=[procedure], limit=2, cursor=first.meta.next_cursor)
    assert [one.id for one in (*first.data, *second.data)] == ids[::-1]
    assert (second.meta.has_more, second.meta.next_cursor) == (False, None)


def test_filters(user: TofuPilot, engineer: httpx.Client, procedure: str) -> None:
    made = {
        "p": deploy(engineer, procedure, commit=_commit(branch="main", message="100% sure_")),
        "q": deploy(engineer, procedure, environment="preview", commit=_commit(branch="wip", sha="0123abc")),
        "d": deploy(
            engineer,
            procedure,
            environment="development",
            station_ids=[],
            commit=_commit(author_username="ada", branch="a,b"),
        ),
    }
    names = {one["id"]: name for name, one in made.items()}

    def found(**asked: Any) -> str:
        page = user.deployments.list(procedure_ids=[procedure], **asked)
        return "".join(sorted(names[one.id] for one in page.data))

    assert found() == "dpq"
    assert found(environments=["preview", "development"]) == "dq"
    assert found(build_statuses=["ready"]) == "dpq"
    assert found(build_statuses=["failed", "building", "pending"]) == ""
    assert (found(pushed=True), found(pushed=False)) == ("p", "dq")
    assert found(branch_names=["main", "a,b"]) == "dp"
    assert found(author_usernames=["ada"]) == "d"
    assert (found(search_query="100% SURE_"), found(search_query="100_")) == ("p", "")
    assert (found(search_query="0123AB"), found(search_query="123ab")) == ("q", "")
    assert (found(search_query="wip"), found(search_query="ada"), found(search_query="")) == ("q", "d", "dpq")
    now = datetime.now(UTC)
    hour = timedelta(hours=1)
    assert found(deployed_after=now - hour, deployed_before=now + hour) == "dpq"
    assert found(deployed_after=now + hour) == found(deployed_before=now - hour) == ""
    assert found(deployed_after=(now - hour).replace(tzinfo=None)) == "dpq"
    assert user.deployments.list(procedure_ids=[NOWHERE]).data == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "cursor=-1",
        "procedure_ids=FVT1",
        "environments=moon",
        "build_statuses=fine",
        "pushed=perhaps",
        "deployed_after=yesterday",
        "deployed_before=0001-01-01T00:00:00%2B10:00",
    ],
)
def test_a_query_that_cannot_be_kept_is_refused(wire: httpx.Client, query: str) -> None:
    refused = wire.get(f"/deployments?{query}")
    assert (refused.status_code, refused.json()["code"]) == (400, "BAD_REQUEST")
    assert query.partition("=")[0] in refused.json()["issues"][0]["message"]


@pytest.mark.parametrize("name", ["search_query", "branch_names", "author_usernames"])
def test_odd_texts_find_nothing_and_break_nothing(wire: httpx.Client, name: str) -> None:
    for text in ("%00", "%F0%9F%94%A7", "%25", "x" * 2000):
        assert wire.get(f"/deployments?{name}={text}").status_code in (200, 400)


def test_400_is_an_error_class_of_its_own_here(user: TofuPilot) -> None:
    with pytest.raises(ErrorBADREQUEST):
        user.deployments.list(limit=0)


@pytest.mark.parametrize("wanted", [NOWHERE, "FVT1", "0"])
def test_unknown_deployments_are_not_found(user: TofuPilot, station: TofuPilot, wanted: str) -> None:
    for client in (user, station):
        with pytest.raises(ErrorNOTFOUND):
            client.deployments.get(id=wanted)


def test_a_station_sees_what_was_brought_to_it(
    station: TofuPilot, engineer: httpx.Client, procedure: str, world: World
) -> None:
    mine = deploy(engineer, world.acme.board.id)
    foreign = deploy(engineer, procedure)
    ids = [one.id for one in station.deployments.list(limit=1000).data]
    assert mine["id"] in ids
    assert foreign["id"] not in ids
    assert station.deployments.get(id=mine["id"]).id == mine["id"]
    with pytest.raises(ErrorNOTFOUND):
        station.deployments.get(id=foreign["id"])


def test_others_see_none_of_it(
    user: TofuPilot, other: TofuPilot, engineer: httpx.Client, globex_line: httpx.Client, world: World
) -> None:
    ours = deploy(engineer, world.acme.board.id)
    theirs = deploy(globex_line, world.globex.board.id)
    assert [one.id for one in other.deployments.list().data] == [theirs["id"]]
    with pytest.raises(ErrorNOTFOUND):
        other.deployments.get(id=ours["id"])
    with pytest.raises(ErrorNOTFOUND):
        user.deployments.get(id=theirs["id"])


def test_images_of_stations_are_linked(
    user: TofuPilot, admin: httpx.Client, engineer: httpx.Client, world: World, fresh: Fresh
) -> None:
    made = user.stations.create(name=fresh("ICT"), procedure_id=str(world.acme.board.id))
    slot = initialize(admin, "bench.png")
    put(slot, b"an image", "image/png")
    user.stations.update(id=made.id, image_id=slot["id"])
    deployed = deploy(engineer, world.acme.board.id, station_ids=[made.id])
    (shown,) = user.deployments.get(id=deployed["id"]).stations
    assert shown.image_url
    assert httpx.get(str(shown.image_url)).content == b"an image"


def test_a_station_shows_the_newest_deployment_of_each_procedure(
    user: TofuPilot, engineer: httpx.Client, world: World, fresh: Fresh
) -> None:
    made = user.stations.create(name=fresh("ICT"), procedure_id=str(world.acme.board.id))
    for message in ("older", "newer"):
        deploy(
            engineer,
            world.acme.board.id,
            station_ids=[made.id],
            commit=_commit(message=message),
            repository=REPOSITORY,
        )
    deploy(engineer, world.acme.board.id, station_ids=[str(world.acme.fct.actor.station_id)])
    (procedure,) = user.stations.get(id=made.id).model_dump()["procedures"]
    deployment = procedure["deployment"]
    sha = COMMIT["sha"].lower()
    assert deployment["commit"] == {"sha": sha, "message": "newer", "branch": "main"}
    repository = deployment["repository"]
    assert (repository["owner"], repository["name"], repository["provider"]) == (
        "acme/tests",
        "board",
        "gitlab",
    )
    assert repository["gitlab_project_id"] is None
    assert deployment["deployed_at"].endswith("Z")


def test_without_a_key_nothing_is_told(sdk: Sdk) -> None:
    stranger = sdk("rc_wrong")
    with pytest.raises(ErrorUNAUTHORIZED):
        stranger.deployments.list(limit=0)
    with pytest.raises(ErrorUNAUTHORIZED):
        stranger.deployments.get(id=NOWHERE)
