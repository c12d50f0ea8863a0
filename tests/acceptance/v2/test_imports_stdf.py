"""A lot of a semiconductor tester becomes runs: a real wafer, through the official client."""

from pathlib import Path
from typing import Any

import pytest
from tofupilot.v2 import TofuPilot

from tests.acceptance.v2.importing import imported, reports_of, run_ids, uploaded
from tests.conftest import DatabaseKind
from tests.importers.stdf.lots import lot, part, ptr
from tests.importers.stdf.writers import write_atdf, write_stdf

WAFER = Path(__file__).parents[2] / "importers" / "cases" / "stdf" / "lot2.stdf.gz"


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


@pytest.fixture(scope="module")
def wafer(user: TofuPilot) -> dict[str, Any]:
    """What became of the file."""
    return imported(user, uploaded(user, WAFER.read_bytes(), WAFER.name), importer="STDF")


def test_each_part_is_a_run(user: TofuPilot, wafer: dict[str, Any]) -> None:
    assert (wafer["success"], wafer["already_imported"]) == (True, False), wafer
    assert len(set(wafer["ids"])) == 1569
    assert wafer["id"] == wafer["ids"][0]
    assert reports_of(user, wafer["id"]) == ["lot2.stdf.gz"]


def test_a_part_reads_back(user: TofuPilot, wafer: dict[str, Any]) -> None:
    run = user.runs.get(id=wafer["ids"][1]).model_dump()
    assert (run["procedure"]["name"], run["procedure"]["version"]["tag"]) == ("mobile-05", "16")
    assert (run["outcome"], run["unit"]["serial_number"]) == ("PASS", "GAL-LOT-02-X20Y-3")
    assert run["unit"]["part"]["number"] == "GOLD8BAR"
    assert run["metadata"].items() >= {"hard_bin": 1, "wafer_id": "GAL-LOT-02", "x": 20, "y": -3}.items()
    (phase,) = run["phases"]
    assert (phase["name"], len(phase["measurements"])) == ("seqU738", 74)
    first = phase["measurements"][0]
    assert (first["name"], first["measured_value"], first["units"]) == (
        "1000 glxy_SS_IH <> glxy_pin2",
        -0.66164064,
        "v",
    )


def test_a_die_that_was_tested_again_has_two_runs(user: TofuPilot, wafer: dict[str, Any]) -> None:
    assert set(run_ids(user, "GAL-LOT-02-X17Y-4")) == {wafer["ids"][28], wafer["ids"][1460]}


def test_the_same_wafer_is_known(user: TofuPilot, wafer: dict[str, Any]) -> None:
    again = imported(user, uploaded(user, WAFER.read_bytes(), "copy.stdf.gz"), importer="STDF")
    assert (again["already_imported"], again["ids"]) == (True, wafer["ids"])


def test_a_lot_as_text(user: TofuPilot) -> None:
    content = write_atdf(lot(*part(ptr(), part_id="text")))
    result = imported(user, uploaded(user, content, "lot.atdf"), importer="ATDF")
    run = user.runs.get(id=result["id"]).model_dump()
    assert (run["procedure"]["name"], run["unit"]["serial_number"]) == ("job", "LOT-9-text")
    assert run["phases"][0]["measurements"][0]["measured_value"] == 1.5


def test_a_lot_that_is_cut_short_leaves_no_part(user: TofuPilot) -> None:
    content = write_stdf(lot(*part(part_id="cut"), *part(part_id="short"))[:-2])
    result = imported(user, uploaded(user, content, "lot.stdf"), importer="STDF")
    assert not result["success"]
    assert (
        "ends before the part at head 1 site 0 did (no PRR); 1 parts before that are complete"
        in result["error"]
    )
    assert run_ids(user, "LOT-9-cut") == []
