"""Tables through a mapping, as the official client imports them."""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import openpyxl
import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import APIError, ErrorBADREQUEST, ErrorNOTFOUND, ErrorUNAUTHORIZED

from tests.acceptance.conftest import Unchanged
from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.v2.floor import fetched
from tests.acceptance.v2.importing import imported, run_ids, uploaded
from tests.conftest import DatabaseKind
from tests.world import World

Fresh = Callable[[str], str]
Rows = Sequence[Sequence[Any]]

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "tabular-import.md"
START, END = datetime(2026, 1, 31, 12, tzinfo=UTC), datetime(2026, 1, 31, 12, 5, tzinfo=UTC)
HEADER = ["Serial", "Result", "Start", "End"]
FIELDS: dict[str, Any] = {
    "serial_number": {"column": "Serial"},
    "outcome": {"column": "Result"},
    "started_at": {"column": "Start"},
    "ended_at": {"column": "End"},
    "part_number": {"value": "PCB01"},
}
PLAIN: dict[str, Any] = {"fields": FIELDS, "measurements": {"layout": "none"}}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def run(serial_number: str, outcome: str = "PASS") -> list[str]:
    return [serial_number, outcome, START.isoformat(), END.isoformat()]


def table(rows: Rows, delimiter: str = ",") -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


def workbook(rows: Rows) -> bytes:
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(content)
    return content.getvalue()


def made(
    client: TofuPilot, world: World, content: bytes, mapping: Mapping[str, Any], name: str = "line.csv"
) -> dict[str, Any]:
    """The run that a table becomes."""
    answer = client.imports.tabular(
        upload_id=uploaded(client, content, name),
        procedure_id=str(world.acme.board.id),
        mapping=mapping,  # type: ignore[arg-type]  # plain data for typed dicts
    )
    assert answer.file_import_id != answer.id
    shown: dict[str, Any] = client.runs.get(id=answer.id).model_dump()
    return shown


def values_of(run: Mapping[str, Any]) -> dict[tuple[str, str], tuple[object, str]]:
    return {
        (phase["name"], one["name"]): (one["measured_value"], one["outcome"])
        for phase in run["phases"]
        for one in phase["measurements"]
    }


def test_a_wide_text(user: TofuPilot, world: World, fresh: Fresh) -> None:
    serial_number, batch = fresh("SN"), fresh("LOT")
    header = [*HEADER, "Revision", "Lot", "Who", "Note", "Supply", "Ripple", "Firmware", "Colour"]
    row = [*run(serial_number, "i.O."), "B", batch, "Ingrid", "Second shift", "3,3", "0,5", "1.10", "red"]
    content = table([header, row], ";")
    fields = FIELDS | {
        "outcome": {"column": "Result", "value_map": {"i.O.": "PASS", "n.i.O.": "FAIL"}},
        "revision_number": {"column": "Revision"},
        "batch_number": {"column": "Lot"},
        "operated_by": {"column": "Who"},
        "docstring": {"column": "Note"},
    }
    columns = [
        {"column": "Supply", "units": "V", "lower_limit": 3.0, "upper_limit": 3.5},
        {"column": "Ripple", "name": "Ripple voltage", "phase": "Noise", "upper_limit": 0.1},
    ]
    shown = made(
        user,
        world,
        content,
        {
            "fields": fields,
            "measurements": {"layout": "wide", "columns": columns},
            "metadata": [{"key": "firmware", "column": "Firmware"}, {"key": "line", "value": "L1"}],
            "unit_metadata": [{"key": "colour", "column": "Colour"}],
        },
    )
    unit = shown["unit"]
    placed = (
        unit["serial_number"],
        unit["part"]["number"],
        unit["part"]["revision"]["number"],
        unit["batch"]["number"],
    )
    assert placed == (serial_number, "PCB01", "B", batch)
    assert (shown["outcome"], shown["started_at"], shown["ended_at"]) == ("PASS", START, END)
    assert (shown["operated_by"]["name"], shown["docstring"]) == ("Ingrid", "Second shift")
    assert shown["metadata"] == {"firmware": "1.10", "line": "L1"}
    assert user.units.get(serial_number=serial_number).metadata == {"colour": "red"}
    assert values_of(shown) == {
        ("Measurements", "Supply"): (3.3, "PASS"),
        ("Noise", "Ripple voltage"): (0.5, "FAIL"),
    }
    supply = shown["phases"][0]["measurements"][0]
    assert supply["units"] == "V"
    assert [(check["operator"], check["expected_value"]) for check in supply["validators"]] == [
        (">=", 3),
        ("<=", 3.5),
    ]
    (attachment,) = shown["attachments"]
    assert (attachment["name"], attachment["is_report"]) == ("line.csv", True)
    assert fetched(attachment["download_url"]) == content


def test_a_long_workbook(user: TofuPilot, world: World, fresh: Fresh) -> None:
    serial_number = fresh("SN")
    times = [moment.replace(tzinfo=None) for moment in (START, END)]
    header = [*HEADER, "Step", "Name", "Value", "Unit", "Low", "High", "Verdict"]
    rows: Rows = [
        header,
        [serial_number, "FAIL", *times, "Power", "Supply", 3.3, "V", 3, 3.5, None],
        [serial_number, "FAIL", *times, "Power", "Drain", 2, "mA", None, 1.5, None],
        [serial_number, "FAIL", *times, "Software", "Version", "v1", None, None, None, "PASS"],
        [serial_number, "FAIL", *times, "Power", "Supply", 3.4, "V", 3, 3.5, None],
        [None, None, None, None, "Software", "Signed", True, None, None, None, None],
    ]
    measurements = {
        "layout": "long",
        "name_column": "Name",
        "value_column": "Value",
        "units_column": "Unit",
        "lower_column": "Low",
        "upper_column": "High",
        "outcome_column": "Verdict",
        "phase_column": "Step",
    }
    shown = made(user, world, workbook(rows), {"fields": FIELDS, "measurements": measurements}, "line.xlsx")
    assert (shown["outcome"], shown["started_at"], shown["ended_at"]) == ("FAIL", START, END)
    attempts = [
        (phase["name"], phase["retry_count"], phase["outcome"], len(phase["measurements"]))
        for phase in shown["phases"]
    ]
    assert attempts == [("Power", 0, "FAIL", 2), ("Software", 0, "PASS", 2), ("Power", 1, "PASS", 1)]
    assert values_of(shown)["Software", "Signed"] == (True, "UNSET")


def test_phases(user: TofuPilot, world: World, fresh: Fresh) -> None:
    serial_number = fresh("SN")
    rows = [
        [*HEADER, "Step", "Verdict", "From", "To"],
        [*run(serial_number), "Flash", "NOK", "2026-01-31 12:00", "2026-01-31 12:01"],
        [*run(serial_number), "Flash", "PASS", "2026-01-31 12:01", "2026-01-31 14:02+02:00"],
    ]
    phases = {
        "name_column": "Step",
        "outcome_column": "Verdict",
        "started_column": "From",
        "ended_column": "To",
        "value_map": {"NOK": "FAIL"},
    }
    shown = made(user, world, table(rows), PLAIN | {"phases": phases})
    told = [(one["name"], one["retry_count"], one["outcome"], one["duration"]) for one in shown["phases"]]
    assert told == [("Flash", 0, "FAIL", "PT1M"), ("Flash", 1, "PASS", "PT1M")]


def test_the_example_of_the_guide(user: TofuPilot, world: World) -> None:
    guide = GUIDE.read_text("utf-8")
    content, mapping = (re.findall(rf"```{kind}\n(.*?)```", guide, re.DOTALL)[0] for kind in ("csv", "json"))
    shown = made(user, world, content.encode(), json.loads(mapping))
    assert (shown["unit"]["serial_number"], shown["outcome"]) == ("PCB01-0001", "PASS")
    assert shown["metadata"] == {"firmware": "1.10"}
    assert values_of(shown) == {
        ("Measurements", "Supply"): (3.31, "PASS"),
        ("Noise", "Ripple voltage"): (0.02, "UNSET"),
    }


def test_the_layout_may_be_left_out_on_the_wire(
    wire: httpx.Client, user: TofuPilot, world: World, fresh: Fresh
) -> None:
    upload_id = uploaded(user, table([[*HEADER, "V"], [*run(fresh("SN")), "1"]]))
    answer = wire.post(
        "/imports/tabular",
        json={
            "upload_id": upload_id,
            "procedure_id": str(world.acme.board.id),
            "mapping": {"fields": FIELDS, "measurements": {"columns": [{"column": "V"}]}},
        },
    )
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"id", "file_import_id"}
    shown = user.runs.get(id=answer.json()["id"]).model_dump()
    assert values_of(shown) == {("Measurements", "V"): (1.0, "UNSET")}


# What is refused

COLUMNS = {"layout": "wide", "columns": [{"column": "V"}]}


@pytest.mark.parametrize(
    ("rows", "mapping", "told"),
    [
        (
            [HEADER, run("SN1"), run("SN2")],
            PLAIN,
            "row 3, column 'Serial': 'SN2' differs from 'SN1' in row 2",
        ),
        ([HEADER, ["SN1", "ok", "now", "then"]], PLAIN, "row 2, column 'Start': 'now' is no date and time"),
        ([HEADER, run("SN1", "ok")], PLAIN, "row 2, column 'Result': 'ok' is none of PASS"),
        (
            [HEADER, run("SN1")],
            PLAIN | {"measurements": COLUMNS},
            "column 'V' is not in the file, which has 'Serial'",
        ),
        ([HEADER, run(" ")], PLAIN, "column 'Serial' is blank, but it has to give serial_number"),
        ([HEADER, run("S" * 256)], PLAIN, "has 256 characters; use at most 255"),
        ([HEADER, run("SN1")], PLAIN | {"metadata": [{"key": "a b", "value": "1"}]}, "'a b' is no key"),
    ],
)
def test_a_table_that_makes_no_run_says_where_and_leaves_nothing(
    user: TofuPilot, world: World, rows: Rows, mapping: dict[str, Any], told: str, unchanged: Unchanged
) -> None:
    upload_id = uploaded(user, table(rows))
    with unchanged(), pytest.raises(ErrorBADREQUEST) as raised:
        user.imports.tabular(upload_id=upload_id, procedure_id=str(world.acme.board.id), mapping=mapping)  # type: ignore[arg-type]  # plain data for typed dicts
    assert told in str(raised.value)


def test_rows_that_cannot_be_read_are_left_out_where_that_is_wanted(
    user: TofuPilot, wire: httpx.Client, world: World, fresh: Fresh, unchanged: Unchanged
) -> None:
    serial = fresh("SN")
    content = table([HEADER, run(serial), [serial, "PASS", "soon", END.isoformat()]])
    body = {
        "upload_id": uploaded(user, content, "line.csv"),
        "procedure_id": str(world.acme.board.id),
        "mapping": PLAIN,
    }
    with unchanged():
        refused = wire.post("/imports/tabular", json=body)
    assert (refused.status_code, refused.json()["issues"][0]["path"]) == (400, ["rows", 3, "Start"])
    told = wire.post("/imports/tabular", json=body | {"skip_bad_rows": True}).json()
    assert told["warnings"] == [
        "Left out: row 3, column 'Start': 'soon' is no date and time; write it as 2026-01-31T12:00:00Z"
    ]
    assert run_ids(user, serial) == [told["id"]]


def test_a_run_that_would_name_no_part_is_refused(
    wire: httpx.Client, user: TofuPilot, world: World, fresh: Fresh, unchanged: Unchanged
) -> None:
    fields = {name: field for name, field in FIELDS.items() if name != "part_number"}
    body = {
        "upload_id": uploaded(user, table([HEADER, run(fresh("SN"))])),
        "procedure_id": str(world.acme.board.id),
        "mapping": PLAIN | {"fields": fields},
    }
    with unchanged():
        answer = wire.post("/imports/tabular", json=body)
    assert (answer.status_code, "Part number is required" in answer.text) == (422, True)


FILES = {
    "picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 400),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 400),
    "cut workbook": (workbook([HEADER, run("SN1")])[:-50], 400),
    "only a header": (table([HEADER]), 400),
    "open quote": (b'Serial,Result,Start,End\n"SN1,PASS', 400),
    "too many cells": (b"Serial,Result,Start,End\n" + (b"," * 200_000 + b"\n") * 6, 413),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_are_no_table(
    user: TofuPilot, wire: httpx.Client, world: World, name: str, unchanged: Unchanged
) -> None:
    content, status = FILES[name]
    body = {
        "upload_id": uploaded(user, content),
        "procedure_id": str(world.acme.board.id),
        "mapping": PLAIN,
    }
    with unchanged():
        answer = wire.post("/imports/tabular", json=body)
    assert (answer.status_code, bool(answer.json()["message"])) == (status, True), answer.text


def test_unknown_uploads_and_procedures(
    user: TofuPilot, other: TofuPilot, world: World, fresh: Fresh
) -> None:
    board, mapping = str(world.acme.board.id), PLAIN
    upload_id = uploaded(user, table([HEADER, run(fresh("SN"))]))
    for wanted, procedure_id, told in (
        (str(uuid4()), board, "Upload not found"),
        (user.attachments.initialize(name="promised.csv").id, board, "Upload not found"),
        (upload_id, str(uuid4()), "Procedure"),
        (upload_id, str(world.globex.board.id), "Procedure"),
    ):
        with pytest.raises(ErrorNOTFOUND, match=told):
            user.imports.tabular(upload_id=wanted, procedure_id=procedure_id, mapping=mapping)  # type: ignore[arg-type]  # plain data for typed dicts
    with pytest.raises(ErrorNOTFOUND, match="Upload not found"):
        other.imports.tabular(
            upload_id=upload_id,
            procedure_id=str(world.globex.board.id),
            mapping=mapping,  # type: ignore[arg-type]  # plain data for typed dicts
        )


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"mapping": None}, "exactly one of them"),
        ({"template_id": str(uuid4())}, "exactly one of them"),
        ({"upload_id": "x"}, "upload_id"),
        ({"procedure_id": "board"}, "procedure_id"),
        ({"mapping": {"fields": FIELDS}}, "measurements"),
        ({"mapping": {"fields": {}, "measurements": {}}}, "serial_number"),
        ({"mapping": PLAIN | {"fields": FIELDS | {"serial_number": {}}}}, "Give column or value"),
        ({"mapping": PLAIN | {"measurements": {"layout": "wide"}}}, "Layout wide needs columns"),
        ({"mapping": PLAIN | {"measurements": {"layout": "tall"}}}, "tall"),
    ],
)
def test_bad_bodies(
    wire: httpx.Client, world: World, changes: dict[str, Any], told: str, unchanged: Unchanged
) -> None:
    body = {"upload_id": str(uuid4()), "procedure_id": str(world.acme.board.id), "mapping": PLAIN} | changes
    with unchanged():
        answer = wire.post("/imports/tabular", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "BAD_REQUEST")
    assert told in answer.json()["issues"][0]["message"]


# Who, and how often


def test_a_station_imports_runs_of_its_procedures(station: TofuPilot, world: World, fresh: Fresh) -> None:
    serial_number = fresh("SN")
    shown = made(station, world, table([HEADER, run(serial_number)]), PLAIN)
    assert shown["created_by_station"]["id"] == str(world.acme.ict.actor.station_id)
    upload_id = uploaded(station, table([HEADER, run(serial_number)]))
    for procedure_id in (world.acme.final.id, uuid4()):
        with pytest.raises(APIError, match="not authorized") as raised:
            station.imports.tabular(upload_id=upload_id, procedure_id=str(procedure_id), mapping=PLAIN)  # type: ignore[arg-type]  # plain data for typed dicts
        assert raised.value.status_code == 403


def test_viewers_import_nothing(sdk: Sdk, world: World) -> None:
    asked: dict[str, Any] = {"upload_id": str(uuid4()), "procedure_id": "x", "mapping": PLAIN}
    with pytest.raises(APIError) as raised:
        sdk(world.acme.viewer.api_key).imports.tabular(**asked)
    assert raised.value.status_code == 403
    with pytest.raises(ErrorUNAUTHORIZED):
        sdk("rc_nobody").imports.tabular(**asked)


def test_an_upload_is_imported_once_and_goes_with_its_run(
    user: TofuPilot, world: World, fresh: Fresh, unchanged: Unchanged
) -> None:
    serial_number = fresh("SN")
    content = table([HEADER, run(serial_number)])
    asked: dict[str, Any] = {
        "upload_id": uploaded(user, content),
        "procedure_id": str(world.acme.board.id),
        "mapping": PLAIN,
    }
    first = user.imports.tabular(**asked)
    with unchanged(), pytest.raises(APIError, match="belongs to run") as raised:
        user.imports.tabular(**asked)
    assert raised.value.status_code == 409
    user.runs.delete(ids=[first.id])
    with pytest.raises(ErrorNOTFOUND, match="Upload not found"):  # it has gone with its run
        user.imports.tabular(**asked)
    second = user.imports.tabular(**asked | {"upload_id": uploaded(user, content)})
    third = user.imports.tabular(**asked | {"upload_id": uploaded(user, content)})
    assert sorted(run_ids(user, serial_number)) == sorted([second.id, third.id])
    assert len({first.file_import_id, second.file_import_id, third.file_import_id}) == 3


def test_a_structured_import_of_a_table_is_known(user: TofuPilot, world: World, fresh: Fresh) -> None:
    content = table([HEADER, run(fresh("SN"))])
    shown = made(user, world, content, PLAIN)
    assert "not JSON" in imported(user, uploaded(user, content))["error"]
    assert user.runs.get(id=shown["id"]).outcome == "PASS"


# Templates


def test_a_template_stands_for_its_mapping(
    user: TofuPilot, station: TofuPilot, wire: httpx.Client, world: World, fresh: Fresh
) -> None:
    name = fresh("Line")
    mapping = {
        "fields": FIELDS,
        "measurements": {"layout": "wide", "columns": [{"column": "V", "lowerLimit": 1.0}]},
    }
    answer = wire.post("/imports/templates", json={"name": f" {name} ", "mapping": mapping})
    assert answer.status_code == 200, answer.text
    template_id = answer.json()["id"]
    shown = wire.get(f"/imports/templates/{template_id}").json()
    assert (shown["name"], shown["mapping"]) == (name, mapping)
    assert shown["created_by_user"] == {"id": str(world.acme.engineer.actor.user_id), "name": "Eve"}
    assert shown["created_by_station"] is None
    for client in (user, station):
        made = client.imports.tabular(
            upload_id=uploaded(client, table([[*HEADER, "V"], [*run(fresh("SN")), "0.5"]])),
            procedure_id=str(world.acme.board.id),
            template_id=template_id,
        )
        shown = client.runs.get(id=made.id).model_dump()
        assert values_of(shown) == {("Measurements", "V"): (0.5, "FAIL")}
    assert wire.delete(f"/imports/templates/{template_id}").json() == {"id": template_id}
    assert wire.get(f"/imports/templates/{template_id}").status_code == 404
    with pytest.raises(ErrorNOTFOUND, match="Import template not found"):
        user.imports.tabular(
            upload_id=str(uuid4()), procedure_id=str(world.acme.board.id), template_id=template_id
        )


def test_templates_come_in_pages(wire: httpx.Client, fresh: Fresh) -> None:
    names = [fresh("Page") for _ in range(3)]
    for name in names:
        assert wire.post("/imports/templates", json={"name": name, "mapping": PLAIN}).status_code == 200
    first = wire.get("/imports/templates", params={"limit": 2}).json()
    assert [one["name"] for one in first["data"]] == [names[2], names[1]]
    assert set(first["data"][0]) == {"id", "name", "created_at"}
    wire.post("/imports/templates", json={"name": fresh("Late"), "mapping": PLAIN})
    cursor = first["meta"]["next_cursor"]
    second = wire.get("/imports/templates", params={"limit": 1, "cursor": cursor}).json()
    assert [one["name"] for one in second["data"]] == [names[0]]


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"mapping": PLAIN}, "name"),
        ({"name": " ", "mapping": PLAIN}, "name"),
        ({"name": "n" * 256, "mapping": PLAIN}, "255"),
        ({"name": "Line"}, "mapping"),
        ({"name": "Line", "mapping": {"fields": FIELDS, "measurements": {"layout": "long"}}}, "nameColumn"),
    ],
)
def test_templates_that_are_none(
    wire: httpx.Client, body: dict[str, Any], told: str, unchanged: Unchanged
) -> None:
    with unchanged():
        answer = wire.post("/imports/templates", json=body)
    assert (answer.status_code, told in answer.json()["issues"][0]["message"]) == (400, True), answer.text


def test_the_name_of_a_template_is_taken_whatever_its_case(wire: httpx.Client, fresh: Fresh) -> None:
    name = fresh("Line")
    assert wire.post("/imports/templates", json={"name": name, "mapping": PLAIN}).status_code == 200
    answer = wire.post("/imports/templates", json={"name": name.lower(), "mapping": PLAIN})
    assert (answer.status_code, answer.json()["code"]) == (409, "CONFLICT")


def test_templates_are_for_their_organization_and_its_engineers(
    wire: httpx.Client, world: World, fresh: Fresh, unchanged: Unchanged
) -> None:
    template_id = wire.post("/imports/templates", json={"name": fresh("Line"), "mapping": PLAIN}).json()["id"]

    def asked(api_key: str, method: str, path: str, **given: Any) -> int:
        headers = {"Authorization": f"Bearer {api_key}"}
        return wire.request(method, f"/imports/templates{path}", headers=headers, **given).status_code

    new = {"json": {"name": fresh("Line"), "mapping": PLAIN}}
    with unchanged():
        for member in (world.acme.ict, world.acme.viewer):
            assert asked(member.api_key, "POST", "", **new) == 403
            assert asked(member.api_key, "DELETE", f"/{template_id}") == 403
            assert asked(member.api_key, "GET", f"/{template_id}") == 200
        assert asked(world.globex.admin.api_key, "DELETE", f"/{template_id}") == 404
        assert asked(world.globex.admin.api_key, "GET", f"/{template_id}") == 404
        assert asked("nobody", "GET", "") == 401
        assert wire.get("/imports/templates/x").status_code == 404
        assert wire.delete(f"/imports/templates/{uuid4()}").status_code == 404
    assert asked(world.globex.admin.api_key, "POST", "", **new) == 200
