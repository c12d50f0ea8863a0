"""Report files of known formats, as the official client imports them."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import APIError, ErrorBADREQUEST, ErrorUNAUTHORIZED

from runcard.domain.actor import SystemActor
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.retention.old_records import delete_old_runs
from tests.acceptance.conftest import Unchanged
from tests.acceptance.files import SAMPLES, openhtf_report
from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.v2.floor import fetched
from tests.acceptance.v2.importing import QUARANTINE, imported, reports_of, run_ids, structured, uploaded
from tests.servers import Server
from tests.world import World

Fresh = Callable[[str], str]
# FVT1 is the procedure `board` of both organizations, and the one that the sample records name.
RECORDS = sorted(path.stem for path in SAMPLES.glob("*.json") if path.stem != "openhtf_multidim")


def report(serial_number: str, sample: str = "pass", **metadata: Any) -> bytes:
    return openhtf_report(
        serial_number, sample, **({"procedure_id": "FVT1", "part_number": "PCB01"} | metadata)
    )


def test_a_file_becomes_a_run(user: TofuPilot, world: World, fresh: Fresh) -> None:
    serial_number = fresh("SN")
    content = report(serial_number, "full")
    result = imported(user, uploaded(user, content, "record.json"))
    assert result == {
        "upload_id": result["upload_id"],
        "success": True,
        "id": result["id"],
        "already_imported": False,
    }
    run = user.runs.get(id=result["id"]).model_dump()
    assert (run["unit"]["serial_number"], run["outcome"], run["procedure"]["id"]) == (
        serial_number,
        "FAIL",
        str(world.acme.board.id),
    )
    record = json.loads(content)
    assert sorted(phase["name"] for phase in run["phases"]) == sorted(
        phase["name"] for phase in record["phases"]
    )
    assert len(run["logs"]) == len(record["log_records"])
    (attachment,) = run["attachments"]
    assert (attachment["name"], attachment["is_report"], attachment["size"]) == (
        "record.json",
        True,
        len(content),
    )
    assert fetched(attachment["download_url"]) == content


@pytest.mark.parametrize("sample", RECORDS)
def test_every_sample(user: TofuPilot, fresh: Fresh, sample: str) -> None:
    content = report(fresh("SN"), sample)
    result = imported(user, uploaded(user, content))
    assert result["success"], result
    run = user.runs.get(id=result["id"])
    assert (run.outcome, len(run.phases or [])) == (
        json.loads(content)["outcome"],
        len(json.loads(content)["phases"]),
    )


def test_each_file_by_itself(user: TofuPilot, fresh: Fresh) -> None:
    """A bad file keeps no other from its runs, and the answers stand in the order of the files."""
    good, also_good = fresh("SN"), fresh("SN")
    contents = [report(good), b"no report", report(fresh("SN"), procedure_id="FVT99"), report(also_good), b""]
    upload_ids = [*(uploaded(user, content) for content in contents), str(uuid4())]
    items: list[Any] = [{"upload_id": one, "importer": "OPENHTF"} for one in upload_ids]
    results = user.imports.structured(items=items).results
    assert [result.upload_id for result in results] == upload_ids
    assert [result.success for result in results] == [True, False, False, True, False, False]
    assert all((result.id is None) is (result.error is not None) for result in results)
    errors = [result.error or "" for result in results]
    assert "not JSON" in errors[1]
    assert "Procedure with ID FVT99 does not exist" in errors[2]
    assert f"Upload not found: {upload_ids[4]}" in errors[4]
    assert f"Upload not found: {upload_ids[5]}" in errors[5]
    assert [len(run_ids(user, serial_number)) for serial_number in (good, also_good)] == [1, 1]


def test_a_file_that_makes_no_run_leaves_nothing(user: TofuPilot, fresh: Fresh, unchanged: Unchanged) -> None:
    refused = {
        "Part number is required": report(fresh("SN"), part_number=None),
        "Sub-units not found: NEVER": report(fresh("SN"), sub_units=["NEVER"]),
        "metadata.procedure_id": report(fresh("SN"), procedure_id=None),
        "characters": report("S" * 256),
    }
    uploads = {told: uploaded(user, content) for told, content in refused.items()}
    with unchanged(but=QUARANTINE):
        for told, upload_id in uploads.items():
            result = imported(user, upload_id)
            assert (result["success"], told in result["error"]) == (False, True), result


# What is stated


def test_what_a_file_does_not_name_is_stated(
    user: TofuPilot, wire: httpx.Client, fresh: Fresh, unchanged: Unchanged
) -> None:
    serial_number = fresh("SN")
    upload_id = uploaded(user, report("", part_number=None), f"PCB01_{serial_number}.json")
    item = {
        "upload_id": upload_id,
        "importer": "OPENHTF",
        "name_pattern": r"(?P<part_number>[^_]+)_(?P<serial_number>.+)\.json",
    }
    with unchanged():
        tried = structured(wire, {"items": [item], "dry_run": True})
    (first,) = tried.pop("first_runs")
    assert tried == {
        "upload_id": upload_id,
        "success": True,
        "already_imported": False,
        "stated": {"serial_number": 1, "part_number": 1},
    }
    assert (first["serial_number"], first["part_number"], first["stated"]) == (
        serial_number,
        "PCB01",
        ["serial_number", "part_number"],
    )
    told = structured(wire, {"items": [item]})
    assert (told["success"], told["stated"], told["id"]) == (
        True,
        tried["stated"],
        *run_ids(user, serial_number),
    )


@pytest.mark.parametrize(
    ("stated", "told"),
    [
        ({}, "serial_number or name_pattern (REST)"),
        ({"name_pattern": "(?P<unit>.)"}, "groups are serial_number"),
        ({"serial_number_template": "{lot}"}, "which a report does not say; it says file"),
        ({"serial_number": "SN", "procedure_id": "FVT99"}, "FVT99"),
    ],
)
def test_what_cannot_be_stated_is_refused_with_what_can(
    user: TofuPilot, wire: httpx.Client, unchanged: Unchanged, stated: dict[str, Any], told: str
) -> None:
    upload_id = uploaded(user, report(""))
    with unchanged(but=QUARANTINE):
        result = structured(wire, {"items": [{"upload_id": upload_id, "importer": "OPENHTF", **stated}]})
    assert (result["success"], told in result["error"]) == (False, True), result


# The same content again


def test_known_content_is_not_imported_again(
    user: TofuPilot, station: TofuPilot, fresh: Fresh, unchanged: Unchanged
) -> None:
    serial_number = fresh("SN")
    content = report(serial_number)
    upload_id, again, of_station = (
        uploaded(user, content),
        uploaded(user, content, "copy.json"),
        uploaded(station, content),
    )
    first = imported(user, upload_id)
    with unchanged():
        for client, known in ((user, upload_id), (user, again), (station, of_station)):
            result = imported(client, known)
            assert result == first | {"upload_id": known, "already_imported": True}
    assert run_ids(user, serial_number) == [first["id"]]


def test_the_same_content_twice_in_one_call(user: TofuPilot, fresh: Fresh) -> None:
    serial_number = fresh("SN")
    upload_ids = [uploaded(user, report(serial_number)) for _ in range(2)]
    items: list[Any] = [{"upload_id": one, "importer": "OPENHTF"} for one in upload_ids]
    first, second = user.imports.structured(items=items).results
    assert [first.already_imported, second.already_imported] == [False, True]
    assert first.id == second.id
    assert run_ids(user, serial_number) == [first.id]


def test_the_same_content_from_many_at_once(user: TofuPilot, fresh: Fresh) -> None:
    serial_number = fresh("SN")
    upload_ids = [uploaded(user, report(serial_number)) for _ in range(6)]
    with ThreadPoolExecutor(6) as threads:
        results = list(threads.map(lambda one: imported(user, one), upload_ids))
    assert sorted(result["already_imported"] for result in results) == [False] + [True] * 5
    assert {result["id"] for result in results} == set(run_ids(user, serial_number))
    assert len(run_ids(user, serial_number)) == 1


def test_duplicates_where_they_are_asked_for(user: TofuPilot, fresh: Fresh) -> None:
    serial_number = fresh("SN")
    upload_id = uploaded(user, report(serial_number), "one.json")
    other_upload = uploaded(user, report(serial_number), "two.json")
    first = imported(user, upload_id)
    forced = [imported(user, one, allow_duplicate=True) for one in (upload_id, other_upload)]
    assert [result["already_imported"] for result in forced] == [False, False]
    made = [first["id"], *(result["id"] for result in forced)]
    assert sorted(made) == sorted(run_ids(user, serial_number))
    # Each has its report, the second run of one upload too.
    assert [reports_of(user, run_id) for run_id in made] == [["one.json"], ["one.json"], ["two.json"]]
    assert imported(user, other_upload)["id"] == first["id"]


def test_a_report_outlives_the_first_of_its_runs(user: TofuPilot, fresh: Fresh) -> None:
    upload_id = uploaded(user, report(fresh("SN")))
    first, second = imported(user, upload_id)["id"], imported(user, upload_id, allow_duplicate=True)["id"]
    user.runs.delete(ids=[first])
    assert reports_of(user, second) == ["report.json"]
    assert imported(user, upload_id)["id"] == second


def test_content_whose_runs_are_deleted_is_new(user: TofuPilot, fresh: Fresh) -> None:
    content = report(fresh("SN"))
    first = imported(user, uploaded(user, content))
    user.runs.delete(ids=[first["id"]])
    # The file went with its run.
    upload_id = uploaded(user, content)
    second = imported(user, upload_id)
    assert (second["already_imported"], second["id"] == first["id"]) == (False, False)
    assert reports_of(user, second["id"]) == ["report.json"]
    assert imported(user, upload_id)["id"] == second["id"]


def test_content_whose_runs_went_for_their_age_is_known(
    server: Server, user: TofuPilot, world: World, fresh: Fresh
) -> None:
    """Or whoever imports a folder again and again would bring back what retention deletes."""
    serial_number = fresh("SN")
    content = report(serial_number)
    imported(user, uploaded(user, content))

    def grow_old(tx: SharedTransaction) -> None:
        unit = tx.catalog.get_unit(world.acme.id, serial_number)
        delete_old_runs(
            tx.of(SystemActor(world.acme.id, "test")), [unit.id], datetime.now(UTC) + timedelta(days=1), 10
        )

    server.change(grow_old)
    result = imported(user, uploaded(user, content))
    assert (result["success"], result["already_imported"], "id" in result) == (True, True, False)
    assert "deleted by somebody or by the organization's retention" in result["warnings"][0]
    assert run_ids(user, serial_number) == []
    again = imported(user, uploaded(user, content), allow_duplicate=True)
    assert run_ids(user, serial_number) == [again["id"]]


def test_content_is_known_within_one_organization_only(
    user: TofuPilot, other: TofuPilot, fresh: Fresh
) -> None:
    content = report(fresh("SN"))
    mine = imported(user, uploaded(user, content))
    theirs = imported(other, uploaded(other, content))
    assert (theirs["already_imported"], theirs["id"] == mine["id"]) == (False, False)


def test_another_organization_imports_no_upload_of_ours(
    user: TofuPilot, other: TofuPilot, fresh: Fresh, unchanged: Unchanged
) -> None:
    upload_id = uploaded(user, report(fresh("SN")))
    with unchanged():
        assert "Upload not found" in imported(other, upload_id)["error"]


def test_what_v1_imported_is_known(user: TofuPilot, admin: httpx.Client, fresh: Fresh) -> None:
    content = report(fresh("SN"))
    answer = admin.post("/import", json={"upload_id": uploaded(user, content), "importer": "OPENHTF"})
    assert answer.status_code == 200, answer.text
    result = imported(user, uploaded(user, content))
    assert (result["already_imported"], result["id"]) == (True, answer.json()["id"])


def test_v1_goes_on_importing_what_is_known(user: TofuPilot, admin: httpx.Client, fresh: Fresh) -> None:
    serial_number = fresh("SN")
    content = report(serial_number)
    upload_id = uploaded(user, content)
    imported(user, upload_id)
    body = {"upload_id": upload_id, "importer": "OPENHTF"}
    assert admin.post("/import", json=body).status_code == 409
    assert admin.post("/import", json=body | {"upload_id": uploaded(user, content)}).status_code == 200
    assert len(run_ids(user, serial_number)) == 2


# Keys and bodies


def test_a_station_imports_runs_of_its_procedures(station: TofuPilot, fresh: Fresh, world: World) -> None:
    result = imported(station, uploaded(station, report(fresh("SN"))))
    made = station.runs.get(id=result["id"]).model_dump()
    assert made["created_by_station"]["id"] == str(world.acme.ict.actor.station_id)
    # It does not learn which other procedures there are.
    errors = [
        imported(station, uploaded(station, report(fresh("SN"), procedure_id=one)))["error"]
        for one in (world.acme.final.identifier, "FVT99")
    ]
    assert errors == ["Station is not authorized for this procedure."] * 2


def test_viewers_import_nothing(sdk: Sdk, user: TofuPilot, world: World, fresh: Fresh) -> None:
    upload_id = uploaded(user, report(fresh("SN")))
    with pytest.raises(APIError) as raised:
        imported(sdk(world.acme.viewer.api_key), upload_id)
    assert raised.value.status_code == 403
    with pytest.raises(ErrorUNAUTHORIZED):
        imported(sdk("rc_nobody"), upload_id)


ITEM = {"upload_id": str(uuid4()), "importer": "OPENHTF"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({}, "items"),
        ({"items": []}, "length >= 1"),
        ({"items": [ITEM] * 101}, "length <= 100"),
        ({"items": [ITEM | {"upload_id": "upload"}]}, "upload_id"),
        ({"items": [ITEM | {"importer": "CSV"}]}, "importer"),
        ({"items": [{"upload_id": ITEM["upload_id"]}]}, "importer"),
        ({"items": [ITEM], "allow_duplicate": "yes"}, "allow_duplicate"),
    ],
)
def test_bad_bodies(wire: httpx.Client, body: dict[str, Any], told: str, unchanged: Unchanged) -> None:
    with unchanged():
        answer = wire.post("/imports/structured", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert told in answer.json()["issues"][0]["message"]


def test_bad_bodies_are_an_error_class_of_their_own(user: TofuPilot) -> None:
    with pytest.raises(ErrorBADREQUEST, match="validation"):
        user.imports.structured(items=[])


def test_a_hundred_files_and_null_for_no_duplicates(wire: httpx.Client) -> None:
    answer = wire.post("/imports/structured", json={"items": [ITEM] * 100, "allow_duplicate": None})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert len(results) == 100
    assert all(set(result) == {"upload_id", "success", "error"} for result in results)


# Quarantine


def quarantined(server: Server, organization: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = server.runcard("quarantine", "list", "--organization", organization)
    return found


def test_a_refused_file_goes_to_quarantine_and_leaves_it_when_it_is_imported(
    user: TofuPilot, server: Server, fresh: Fresh
) -> None:
    """The same content again is no second file there, whoever uploads it under whatever name."""
    name = f"{fresh('SN')}.json"
    content = report(fresh("SN"), sub_units=["NEVER"])
    told = [imported(user, uploaded(user, content, one))["error"] for one in (name, "copy.json")]
    assert told == ["Sub-units not found: NEVER"] * 2
    (file,) = [one for one in quarantined(server, server.world.acme.slug) if one["name"] == name]
    assert (file["format"], file["reason"], file["attempts"], file["size_bytes"]) == (
        "OPENHTF",
        told[0],
        2,
        len(content),
    )
    assert file["id"] not in [one["id"] for one in quarantined(server, server.world.globex.slug)]

    user.runs.create(
        procedure_id=user.procedures.list().data[0].id,
        serial_number="NEVER",
        part_number="PCB01",
        outcome="PASS",
        started_at=datetime(2026, 1, 2, tzinfo=UTC),
        ended_at=datetime(2026, 1, 2, tzinfo=UTC),
    )
    (retried,) = server.runcard("quarantine", "retry", file["id"], "--organization", server.world.acme.slug)[
        "files"
    ]
    assert (retried["status"], retried["runs"]) == ("recorded", 1)
    assert file["id"] not in [one["id"] for one in quarantined(server, server.world.acme.slug)]
    # It stays with the run as its report.
    again = imported(user, uploaded(user, content))
    assert again["already_imported"]
    assert reports_of(user, again["id"]) == [name]


def test_what_never_arrived_is_not_in_quarantine(
    user: TofuPilot, other: TofuPilot, fresh: Fresh, unchanged: Unchanged
) -> None:
    announced = user.attachments.initialize(name="announced.json").id
    empty, theirs = uploaded(user, b""), uploaded(other, b"no report")
    with unchanged():
        for upload_id in (announced, empty, theirs, str(uuid4())):
            assert f"Upload not found: {upload_id}" in imported(user, upload_id)["error"]
