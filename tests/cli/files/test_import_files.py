"""`runcard import` and `runcard quarantine`, as a script and as a person use them."""

import gzip
import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner

from runcard.cli.main import app
from runcard.store.files.blobs import Blobs
from tests.importers.golden import CASES
from tests.importers.many_runs import doubtful_lot, junit_of
from tests.importers.stdf.lots import MIR, START, changed, lot, part, ptr
from tests.importers.stdf.writers import write_stdf
from tests.importers.wats.files import as_wsjf, tree
from tests.servers import Installation

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with one organization and its procedure FVT1."""
    folder = tmp_path_factory.mktemp("made")
    installation = Installation(folder / "data", None)
    installation.runcard(
        "init", "--organization", "Acme", "--email", "ada@acme.test", "--password", "correct horse"
    )
    installation.runcard("procedure", "create", "Board")
    return installation


@pytest.fixture
def acme(template: Installation, tmp_path: Path) -> Installation:
    """The same for one test."""
    shutil.copytree(template.data_dir, tmp_path / "data", dirs_exist_ok=True)
    return Installation(tmp_path / "data", None)


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    folder.mkdir()
    return folder


def run(installation: Installation, *arguments: str | Path) -> tuple[int, Any]:
    """Exit code of a command, and what it printed as JSON."""
    options = ["--data-dir", str(installation.data_dir), "--json"]
    done = CliRunner().invoke(app, [*map(str, arguments), *options])
    return done.exit_code, json.loads(done.stdout or done.stderr)


def said(installation: Installation, *arguments: str | Path) -> str:
    """What a command prints for a person."""
    return CliRunner().invoke(app, [*map(str, arguments), "--data-dir", str(installation.data_dir)]).output


def statuses(done: Any) -> dict[str, str]:
    return {Path(one["file"]).name: one["status"] for one in done["files"]}


def test_a_folder_of_everything(acme: Installation, reports: Path) -> None:
    (reports / "a.log").write_bytes(junit_of(["A", "B"]))
    (reports / "b.gz").write_bytes(gzip.compress(junit_of(["C"])))
    (reports / "again.xml").write_bytes(junit_of(["C"]))
    (reports / "bad.xml").write_bytes(junit_of(["D"])[:-20])
    (reports / "notes.txt").write_bytes(b"notes")
    with zipfile.ZipFile(reports / "more.zip", "w") as archive:
        archive.writestr("inside.xml", junit_of(["E"]))
        archive.writestr("readme", b"readme")
    code, done = run(acme, "import", reports)
    assert code == 1
    assert statuses(done) == {
        "a.log": "recorded",
        "again.xml": "recorded",
        "b.gz": "known",
        "bad.xml": "refused",
        "more.zip: inside.xml": "recorded",
        "more.zip: readme": "strange",
        "notes.txt": "strange",
    }
    assert (done["recorded"], done["known"], done["refused"], done["strange"], done["runs"]) == (
        3,
        1,
        1,
        2,
        4,
    )
    assert [one["name"] for one in run(acme, "quarantine", "list")[1]] == ["bad.xml"]

    (reports / "bad.xml").unlink()
    code, done = run(acme, "import", reports)
    assert (code, done["recorded"], done["known"], done["runs"]) == (0, 0, 4, 0)


def test_samples_of_every_format_are_told_by_their_content(acme: Installation, reports: Path) -> None:
    samples = {
        "ATML": "atml/board_6.xml",
        "JUNIT": "junit/board.xml",
        "OPENHTF": "openhtf/pass.json",
        "ROBOT": "robot/board_7.xml",
        "TABLE": "table/line_hl.csv",
        "TESTSTAND": "teststand/board.xml",
        "WATS": "wats/uut.wsjf.json",
        "WSXF": "wats/uut.wsxf.xml",
    }
    for importer, sample in samples.items():
        # WATS has one report in both of its forms, which is recorded once.
        content = (CASES / sample).read_bytes().replace(b"33A2D408", b"33A2D409")
        (reports / importer).write_bytes(content.replace(b'SN="FATTest-325"', b'SN="FATTest-326"'))
    _, done = run(acme, "import", reports, "--procedure", "FVT1", "--part-number", "PCB01")
    assert {Path(one["file"]).name: one["format"] for one in done["files"]} == {one: one for one in samples}
    assert done["refused"] == 0, done


def test_a_dry_run_records_nothing(acme: Installation, reports: Path) -> None:
    (reports / "a.xml").write_bytes(junit_of(["A"]))
    (reports / "b.xml").write_bytes(junit_of(["B"], part_number=None))
    code, done = run(acme, "import", "--dry-run", reports)
    assert (code, statuses(done)) == (1, {"a.xml": "recorded", "b.xml": "refused"})
    assert done["dry_run"]
    assert run(acme, "quarantine", "list")[1] == []
    assert run(acme, "import", reports)[1]["runs"] == 1


def test_who_records_and_what_for(acme: Installation, reports: Path) -> None:
    (reports / "a.xml").write_bytes(junit_of(["A"], "Unheard", None))
    acme.runcard("station", "create", "ICT-1", "--procedure", "FVT1")
    code, done = run(acme, "import", reports / "a.xml", "--station", "ICT-1", "--part-number", "PCB01")
    assert (code, done["files"][0]["reason"]) == (1, "Station is not authorized for this procedure.")
    options = ("--station", "ICT-1", "--procedure", "FVT1", "--part-number", "PCB01", "--format", "junit")
    assert run(acme, "import", reports / "a.xml", *options)[0] == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--station", "Nowhere"], "Station not found: Nowhere"),
        (["--user", "nobody@acme.test"], "User not found: nobody@acme.test"),
        (["--user", "ada@acme.test", "--station", "ICT-1"], "name one of them"),
        (["--procedure", "FVT99"], "FVT99"),
        (["--format", "DOC"], "DOC is no known format"),
        (["missing.xml"], "missing.xml: there is no such file"),
    ],
    ids=["station", "user", "both", "procedure", "format", "path"],
)
def test_wrong_options_change_nothing(
    acme: Installation, reports: Path, options: list[str], told: str
) -> None:
    (reports / "a.xml").write_bytes(junit_of(["A"]))
    assert told in said(acme, "import", reports, *options)
    assert run(acme, "import", "--dry-run", reports)[1]["recorded"] == 1


def test_neither_path_nor_folder(acme: Installation) -> None:
    assert "Give either PATH or --watch" in said(acme, "import")


def test_what_people_read(acme: Installation, reports: Path) -> None:
    (reports / "a.xml").write_bytes(junit_of(["A", "B"]))
    (reports / "b.xml").write_bytes(b"rubbish")
    told = said(acme, "import", reports / "a.xml", reports / "b.xml")
    assert "recorded       1 file, 2 runs" in told
    assert "refused        1 file" in told
    assert f"{reports / 'b.xml'}: Its content is of no format that is read" in told
    assert "runcard quarantine list" in told
    assert "Its content is of no format" in said(acme, "quarantine", "list")


def test_a_retry_after_a_fix(acme: Installation, reports: Path) -> None:
    (reports / "a.xml").write_bytes(junit_of(["A"], part_number=None))
    run(acme, "import", reports)
    (kept,) = run(acme, "quarantine", "list")[1]
    code, done = run(acme, "quarantine", "retry", kept["id"])
    assert (code, statuses(done)) == (1, {"a.xml": "refused"})
    assert [one["attempts"] for one in run(acme, "quarantine", "list")[1]] == [2]
    code, done = run(acme, "quarantine", "retry", "--all", "--part-number", "PCB01")
    assert (code, statuses(done)) == (0, {"a.xml": "recorded"})
    assert run(acme, "quarantine", "list")[1] == []
    assert "Nothing is in quarantine" in said(acme, "quarantine", "list")


def test_discarded_files_are_gone(acme: Installation, reports: Path) -> None:
    blobs = Blobs.open(None, None, acme.data_dir / "attachments")
    (reports / "a.xml").write_bytes(junit_of(["A"])[:-9])
    run(acme, "import", reports)
    (kept,) = run(acme, "quarantine", "list")[1]
    assert len(list(blobs.list())) == 1
    assert "is in quarantine" in said(acme, "quarantine", "discard", str(uuid4()))
    assert run(acme, "quarantine", "discard", kept["id"]) == (0, {"discarded": 1})
    assert run(acme, "quarantine", "list")[1] == []
    assert list(blobs.list()) == []


def test_the_doctor_leaves_quarantine_alone(acme: Installation, reports: Path) -> None:
    (reports / "a.xml").write_bytes(junit_of(["A"])[:-9])
    run(acme, "import", reports)
    assert acme.runcard("doctor", "--mend")["removed"] == 0
    assert len(run(acme, "quarantine", "list")[1]) == 1


@pytest.mark.parametrize("options", [["--dry-run"], []])
def test_what_is_doubtful_is_said(acme: Installation, reports: Path, options: list[str]) -> None:
    path = reports / "lot.atdf"
    path.write_bytes(doubtful_lot([10]))
    assert "warning: Test 10: unit 'V' contradicts exponent 3" in said(acme, "import", path, *options)


def test_a_report_takes_the_place_of_the_run_that_is_there(acme: Installation, reports: Path) -> None:
    first, second = (as_wsjf(tree(id="ab-1", sn="SN1", result=one)) for one in "PF")
    for name, content in (("first.json", first), ("second.json", second)):
        (reports / name).write_bytes(content)
    code, done = run(acme, "import", reports)
    assert (code, statuses(done)) == (1, {"first.json": "recorded", "second.json": "refused"})
    code, done = run(acme, "quarantine", "retry", "--all", "--replace")
    assert (code, done["runs"]) == (0, 1)
    assert "replaced run" in done["files"][0]["warnings"][0]
    code, done = run(acme, "import", reports, "--replace")
    assert (code, done["known"]) == (0, 2)


def test_who_may_not_delete_runs_may_not_replace_them(acme: Installation, reports: Path) -> None:
    acme.runcard("user", "create", "olga@acme.test", "--role", "operator")
    told = said(acme, "import", reports, "--replace", "--user", "olga@acme.test")
    assert "no permission to replace runs" in told


UNITS = b"""Serial Number,Status,Test Start,vcc (V) 1 <= x <= 2,Part
SN1,Passed,2026-01-02,1.5,PCB01
SN2,perhaps,2026-01-02,1.5,PCB01
SN3,Failed,2026-01-02,2.5,PCB01
"""


def test_rows_that_cannot_be_read_are_left_out_and_named(acme: Installation, reports: Path) -> None:
    (reports / "units.csv").write_bytes(UNITS)
    given = (reports, "--procedure", "FVT1")
    code, done = run(acme, "import", *given)
    assert (code, done["refused"], done["runs"]) == (1, 1, 0)
    assert "row 3, column 'Status': 'perhaps'" in done["files"][0]["reason"]
    told = said(acme, "import", *given, "--skip-bad-rows", "--dry-run")
    assert "warning: Left out: row 3, column 'Status': 'perhaps'" in told
    code, done = run(acme, "quarantine", "retry", "--all", "--skip-bad-rows")
    assert (code, done["runs"], len(done["files"][0]["warnings"])) == (0, 2, 1)


NAMELESS = b'<testsuite name="Board" timestamp="2026-01-02T03:04:05"><testcase name="a"/></testsuite>'


def test_values_of_runs_are_found_in_the_path_of_a_file(acme: Installation, reports: Path) -> None:
    (reports / "PCB01").mkdir()
    (reports / "PCB01" / "SN1.xml").write_bytes(NAMELESS)
    with zipfile.ZipFile(reports / "more.zip", "w") as archive:
        archive.writestr("PCB02/SN2.xml", NAMELESS.replace(b"Board", b"board"))
    pattern = r"(?P<part_number>PCB\d+)/(?P<serial_number>SN\d+)\.xml"
    assert run(acme, "import", reports)[1]["refused"] == 2
    code, done = run(acme, "import", reports, "--name-pattern", pattern, "--dry-run")
    found = sorted(done["files"], key=lambda one: one["first_runs"][0]["serial_number"])
    assert (code, [one["first_runs"] for one in found]) == (
        0,
        [
            [
                {
                    "serial_number": f"SN{number}",
                    "part_number": f"PCB0{number}",
                    "procedure": "Board",
                    "outcome": "PASS",
                    "started_at": "2026-01-02T03:04:05Z",
                    "stated": ["serial_number", "part_number"],
                }
            ]
            for number in (1, 2)
        ],
    )
    text = said(acme, "import", reports, "--name-pattern", pattern, "--dry-run")
    assert "SN1  PCB01  Board  PASS  2026-01-02 03:04:05 UTC (stated: serial number, part number)" in text
    text = said(acme, "import", reports, "--name-pattern", pattern)
    assert "stated: serial number of 1 run, part number of 1 run" in text
    assert run(acme, "quarantine", "list")[1] == []


def test_what_a_file_lacks_is_told_with_the_option_that_states_it(acme: Installation, reports: Path) -> None:
    (reports / "a.xml").write_bytes(NAMELESS)
    text = said(acme, "import", reports)
    assert "Serial number is required: the report of 'Board' names no unit" in text
    assert "State it for the import: --serial-number or --name-pattern (command line)" in text
    text = said(acme, "import", reports, "--serial-number", "SN1")
    assert "Part number is required: the file names none for a new unit" in text
    assert "State it for the import: --part-number (command line)" in text
    # What was stated before is stated again.
    (file,) = run(acme, "quarantine", "list")[1]
    code, done = run(acme, "quarantine", "retry", file["id"], "--part-number", "PCB01")
    assert (code, done["files"][0]["stated"]) == (0, {"serial_number": 1, "part_number": 1})


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--name-pattern", "(", "name_pattern"),
        ("--content-pattern", "(?P<unit>.)", "groups are serial_number, part_number"),
        ("--serial-number-template", "{", "is no template"),
    ],
)
def test_what_cannot_be_stated_changes_nothing(
    acme: Installation, reports: Path, option: str, value: str, told: str
) -> None:
    (reports / "a.xml").write_bytes(junit_of(["A"]))
    assert told in said(acme, "import", reports, option, value)
    assert run(acme, "import", "--dry-run", reports)[1]["recorded"] == 1


def test_people_are_warned_of_devices_that_are_all_called_alike(acme: Installation, reports: Path) -> None:
    for number in (1, 2):
        mir = changed(MIR, start_t=START + number, lot_id="1")
        content = write_stdf(lot(*part(ptr(), part_id="1"), mir=mir), "<")
        (reports / f"device{number}.stdf").write_bytes(content)
    text = said(acme, "import", reports, "--dry-run")
    assert "1-1  PT1  job  PASS" in text
    assert "warning: 1 run adds to a unit that another file made" in text
    text = said(acme, "import", reports, "--serial-number-template", "{file}-{part_id}")
    assert "warning" not in text
    assert text.count("stated: serial number of 1 run") == 2
