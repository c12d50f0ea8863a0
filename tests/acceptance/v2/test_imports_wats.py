"""Reports of WATS, as the official client imports them."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tofupilot.v2 import TofuPilot

from tests.acceptance.conftest import Unchanged
from tests.acceptance.v2.importing import QUARANTINE, imported, reports_of, run_ids, uploaded
from tests.conftest import DatabaseKind
from tests.importers.wats.files import case
from tests.world import World

Fresh = Callable[[str], str]

SAMPLES = {"WATS": "uut.wsjf.json", "WSXF": "uut.wsxf.xml"}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


def sample(importer: str, fresh: Fresh, operation: str = "SW Debug") -> tuple[bytes, dict[str, str]]:
    """The sample of an operation, with units, parts and an id of its own; and what these are called instead."""
    prefixes = {
        "FATTest-325": "SN",
        "FATPartNo": "PN",
        "SubPartSN1": "SN",
        "SubPartSN2": "SN",
        "SubPartNo1": "PN",
    }
    names = {name: fresh(prefix) for name, prefix in prefixes.items()}
    content = case(SAMPLES[importer]).decode()
    for given, name in (names | {"SW Debug": operation}).items():
        content = content.replace(f'"{given}"', f'"{name}"')
    report_id = "33a2d408-3fc8-480b-b554-6866c77fd91c"
    for known in (report_id, report_id.upper()):
        content = content.replace(known, str(uuid4()))
    return content.encode(), names


@pytest.mark.parametrize("importer", SAMPLES)
def test_a_report_becomes_a_run(user: TofuPilot, fresh: Fresh, importer: str) -> None:
    content, names = sample(importer, fresh)
    result = imported(user, uploaded(user, content, SAMPLES[importer]), importer=importer)
    assert (result["success"], result["already_imported"]) == (True, False), result
    run: dict[str, Any] = user.runs.get(id=result["id"]).model_dump()
    assert (run["outcome"], run["procedure"]["name"], run["procedure"]["version"]["tag"]) == (
        "FAIL",
        "SW Debug",
        "1.0.0",
    )
    assert (run["unit"]["serial_number"], run["unit"]["part"]["number"]) == (
        names["FATTest-325"],
        names["FATPartNo"],
    )
    assert run["unit"]["batch"]["number"] == "BatchSN"
    assert run["operated_by"]["name"] == "FATOperator"
    assert (len(run["phases"]), len(run["sequences"]), len(run["logs"])) == (159, 39, 24)
    assert sum(len(phase["measurements"]) for phase in run["phases"]) == 152
    assert (run["metadata"]["station_name"], run["metadata"]["MiscInfoNumeric"]) == ("OLALAPTOP", 100)
    assert [unit["serial_number"] for unit in run["sub_units"]] == [names["SubPartSN1"], names["SubPartSN2"]]
    assert reports_of(user, result["id"]) == [SAMPLES[importer]]
    sub_unit = user.units.get(serial_number=names["SubPartSN1"]).model_dump()
    assert (sub_unit["part"]["number"], sub_unit["part"]["revision"]["number"]) == (
        names["SubPartNo1"],
        "Rev2",
    )
    assert sub_unit["parent"]["serial_number"] == names["FATTest-325"]


def test_a_report_that_comes_again_in_other_bytes(
    user: TofuPilot, wire: httpx.Client, world: World, fresh: Fresh, unchanged: Unchanged
) -> None:
    content, names = sample("WATS", fresh)
    first = imported(user, uploaded(user, content), importer="WATS")["id"]
    again = uploaded(user, content + b"\n")
    with unchanged(but=QUARANTINE):
        assert first in imported(user, again, importer="WATS")["error"]
    body = {"items": [{"upload_id": again, "importer": "WATS"}], "replace": True}
    key = {"Authorization": f"Bearer {world.acme.ict.api_key}"}
    assert wire.post("/imports/structured", json=body, headers=key).status_code == 403
    assert wire.post("/imports/structured", json=body | {"allow_duplicate": True}).status_code == 400
    (result,) = wire.post("/imports/structured", json=body).json()["results"]
    assert result["warnings"] == [f"Run {result['id']} replaced run {first}, which has the same report."]
    assert run_ids(user, names["FATTest-325"]) == [result["id"]]
    assert (user.runs.get(id=result["id"]).metadata or {})["replaced_run"] == first


def test_measurements_read_back(user: TofuPilot, fresh: Fresh) -> None:
    content, _ = sample("WATS", fresh)
    run = user.runs.get(id=imported(user, uploaded(user, content), importer="WATS")["id"]).model_dump()
    made = {one["name"]: one for phase in run["phases"] for one in phase["measurements"]}
    checks = {
        name: [(one["operator"], one["expected_value"], one["outcome"]) for one in made[name]["validators"]]
        for name in ("SingleLEPass", "SingleGELTFail", "SingleLTGTPass", "SingleLog", "MultiInsiensFail")
    }
    assert checks == {
        "SingleLEPass": [("<=", 500.0, "PASS")],
        "SingleGELTFail": [(">=", 499.0, "PASS"), ("<", 500.0, "FAIL")],
        "SingleLTGTPass": [("LTGT", [499.0, 501.0], "PASS")],
        "SingleLog": [],
        "MultiInsiensFail": [("IGNORECASE", "CaseSensitive2", "FAIL")],
    }
    chart = made["Current: Current"]["data_series"]
    assert [(one["name"], one["units"], one["data"]) for one in chart] == [
        ("Minutes", "min", [0, 1, 2, 3]),
        ("Current", "A", [60.72, 61.886, 62.6, 0]),
    ]


def test_a_station_imports_reports_of_its_procedures(
    station: TofuPilot, world: World, fresh: Fresh, unchanged: Unchanged
) -> None:
    content, names = sample("WSXF", fresh, world.acme.board.name)
    result = imported(station, uploaded(station, content), importer="WSXF")
    assert result["success"], result
    assert station.units.get(serial_number=names["SubPartSN1"]).serial_number == names["SubPartSN1"]
    other, _ = sample("WSXF", fresh, world.acme.final.name)
    upload_id = uploaded(station, other)
    with unchanged(but=QUARANTINE):
        assert "not authorized" in imported(station, upload_id, importer="WSXF")["error"]


@pytest.mark.parametrize("importer", SAMPLES)
def test_a_truncated_report_leaves_nothing(
    user: TofuPilot, fresh: Fresh, importer: str, unchanged: Unchanged
) -> None:
    content, _ = sample(importer, fresh)
    upload_id = uploaded(user, content[:-20])
    with unchanged(but=QUARANTINE):
        result = imported(user, upload_id, importer=importer)
    told = {"WATS": "Upload a report that WATS exported", "WSXF": "cannot be read as XML"}
    assert (result["success"], told[importer] in result["error"]) == (False, True)


def repair_report(fresh: Fresh) -> tuple[bytes, str]:
    """The sample repair of a new unit, and its serial number."""
    serial_number, content = fresh("SN"), case("uur.wsjf.json").decode()
    return content.replace("MODULE-20251221230142-5519", serial_number).encode(), serial_number


def test_a_repair_report_is_kept_with_its_unit(user: TofuPilot, fresh: Fresh, unchanged: Unchanged) -> None:
    content, serial_number = repair_report(fresh)
    upload_id, again = (uploaded(user, content, name) for name in ("repair.json", "again.json"))
    result = imported(user, upload_id, importer="WATS")
    told = {
        "success": True,
        "warnings": ["1 repair report was kept as a repair of its unit and made no run."],
    }
    assert result == told | {"upload_id": upload_id, "already_imported": False}
    unit = user.units.get(serial_number=serial_number).model_dump()
    assert unit["part"]["number"] == "PRODUCTION-TEST-MODULE"
    assert [one["name"] for one in unit["attachments"]] == ["repair.json"]
    assert run_ids(user, serial_number) == []
    with unchanged():
        known = imported(user, again, importer="WATS")
    assert known == told | {"upload_id": again, "already_imported": True}
    user.units.delete(serial_numbers=[serial_number])
    assert imported(user, again, importer="WATS")["already_imported"] is False


def test_repairs_in_xml(user: TofuPilot, fresh: Fresh) -> None:
    first, second = fresh("SN"), fresh("SN")
    content = case("uur.wsxf.xml").decode().replace("MODULE-20251221230142-5519", first)
    upload_id = uploaded(user, content.replace("MODULE-0042", second).encode(), "repairs.xml")
    result = imported(user, upload_id, importer="WSXF")
    assert result["warnings"] == ["2 repair reports were kept as repairs of their units and made no run."]
    unit = user.units.get(serial_number=first).model_dump()
    assert [one["name"] for one in unit["attachments"]] == ["repairs.xml"]
    assert user.units.get(serial_number=second).part.number == "PRODUCTION-TEST-MODULE"


def test_repairs_and_runs_in_one_file(user: TofuPilot, fresh: Fresh) -> None:
    run, names = sample("WATS", fresh)
    repair, serial_number = repair_report(fresh)
    content = b"[" + repair + b"," + run.removeprefix(b"\xef\xbb\xbf") + b"]"
    result = imported(user, uploaded(user, content, "both.json"), importer="WATS")
    assert [result["id"]] == run_ids(user, names["FATTest-325"])
    assert result["warnings"] == ["1 repair report was kept as a repair of its unit and made no run."]
    assert reports_of(user, result["id"]) == ["both.json"]
    assert user.units.get(serial_number=serial_number).attachments == []
