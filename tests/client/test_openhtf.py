"""What an OpenHTF test comes to as a run."""

import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import openhtf
import pytest
from openhtf.util import units

from runcard_client import Client, FileReport, RunReport
from runcard_client.openhtf import RunOutput
from tests.client.test_delivery import runs_of


@openhtf.measures(
    openhtf.Measurement("vcc").in_range(3.1, 3.5).with_units(units.VOLT).doc("Supply of the core"),
    openhtf.Measurement("firmware").equals("1.2.3"),
    openhtf.Measurement("model").matches_regex(r"PCB-\d+"),
    openhtf.Measurement("led").equals(True),
    openhtf.Measurement("marginal").in_range(0, 10, marginal_minimum=2, marginal_maximum=8),
    openhtf.Measurement("share").within_percent(100, 5).with_units(units.PERCENT),
    openhtf.Measurement("settings"),
    openhtf.Measurement("odd").with_validator(lambda value: value % 2 == 1),
    openhtf.Measurement("never"),
)
def measure(test: Any) -> None:
    test.measurements.vcc = 3.3
    test.measurements.firmware = "1.2.3"
    test.measurements.model = "PCB-42"
    test.measurements.led = False
    test.measurements.marginal = 9
    test.measurements.share = 98.5
    test.measurements.settings = {"gain": [1, 2], "mode": "fast"}
    test.measurements.odd = 7
    test.logger.warning("supply is a little high")


@openhtf.measures(
    openhtf.Measurement("sweep").with_dimensions(units.HERTZ).with_units(units.VOLT),
)
def sweep(test: Any) -> None:
    for step in range(3):
        test.measurements.sweep[step * 10] = step / 4
    test.attach("notes.txt", "Prüfling läuft\n", mimetype="text/plain")


@openhtf.measures(openhtf.Measurement("current").in_range(maximum=0.5).with_units(units.AMPERE))
def failing(test: Any) -> None:
    test.measurements.current = 0.75


def breaking(_test: Any) -> None:
    raise ConnectionError("no such port")


def stubborn_of(tries: list[int]) -> Any:
    @openhtf.PhaseOptions(repeat_limit=3)
    def stubborn(_test: Any) -> Any:
        tries.append(1)
        return openhtf.PhaseResult.REPEAT if len(tries) < 3 else openhtf.PhaseResult.CONTINUE

    return stubborn


@pytest.fixture(autouse=True)
def no_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenHTF takes the arguments of the process for its own."""
    monkeypatch.setattr(sys, "argv", sys.argv[:1])


def executed(*phases: Any, **given: Any) -> RunReport:
    """The run that a test of these phases is reported as."""
    recorded: list[RunReport] = []

    def record(report: RunReport) -> str:
        recorded.append(report)
        return "ref"

    test = openhtf.Test(*phases, **({"procedure_id": "Board"} | given))
    test.add_output_callbacks(RunOutput(record))
    test.execute(test_start=lambda: "SN-1")
    [report] = recorded
    return report


def test_it_arrives(client: Client, admin: httpx.Client, serial: str):
    test = openhtf.Test(measure, sweep, failing, part_number="PCB-1", revision="R2")
    test.add_output_callbacks(RunOutput(client.record_run, procedure="Board", metadata={"fixture": "F-7"}))
    before = datetime.now(UTC)
    test.execute(test_start=lambda: serial)
    after = datetime.now(UTC)
    assert client.flush().is_empty

    [run] = runs_of(admin, serial)
    started_at, ended_at = (datetime.fromisoformat(run[name]) for name in ("started_at", "ended_at"))
    assert before - timedelta(milliseconds=1) <= started_at <= ended_at <= after
    assert (run["outcome"], run["metadata"], run["unit"]["part"]["revision"]["number"]) == (
        "FAIL",
        {"fixture": "F-7"},
        "R2",
    )
    # OpenHTF keeps milliseconds, and the server shows phases that began at once in the order of their names.
    phases = {phase["name"]: phase for phase in run["phases"]}
    assert {name: phase["outcome"] for name, phase in phases.items()} == {
        "trigger_phase": "PASS",
        "measure": "FAIL",
        "sweep": "PASS",
        "failing": "FAIL",
    }
    [sweeping] = phases["sweep"]["measurements"]
    assert [axis["data"] for axis in sweeping["data_series"]] == [[0, 10, 20], [0, 0.25, 0.5]]
    assert [axis["units"] for axis in sweeping["data_series"]] == ["Hz", "V"]
    assert [file["name"] for file in run["attachments"]] == ["notes.txt"]


def test_measurements_keep_their_checks():
    report = executed(measure)
    [phase] = [one for one in report.phases if one.name == "measure"]
    assert phase.outcome == "FAIL"  # as OpenHTF has it where a measurement was not made
    by_name = {one.name: one for one in phase.measurements}
    vcc = by_name["vcc"]
    assert (vcc.value, vcc.outcome, vcc.unit, vcc.low, vcc.high) == (3.3, "PASS", "V", 3.1, 3.5)
    assert vcc.docstring == "Supply of the core"
    checks = {
        name: [(one.operator, one.expected, one.outcome, one.is_decisive) for one in measured.validators]
        for name, measured in by_name.items()
    }
    assert checks["vcc"] == checks["settings"] == []
    assert checks["firmware"] == [("matches", r"^1\.2\.3$", "PASS", True)]  # as OpenHTF has it
    assert checks["model"] == [("matches", r"PCB-\d+", "PASS", True)]
    assert checks["led"] == [("==", True, "FAIL", True)]
    assert checks["marginal"] == [(">=", 2, "PASS", False), ("<=", 8, "FAIL", False)]
    assert (by_name["share"].low, by_name["share"].high, checks["share"]) == (95, 105, [])
    assert by_name["settings"].value == {"gain": [1, 2], "mode": "fast"}
    assert by_name["odd"].validators[0].expression is not None
    assert (by_name["never"].value, by_name["never"].outcome) == (None, "UNSET")


def test_attempts_are_numbered():
    report = executed(stubborn_of([]))
    attempts = [(phase.retry_count, phase.outcome) for phase in report.phases if phase.name == "stubborn"]
    assert attempts == [(0, "SKIP"), (1, "SKIP"), (2, "PASS")]


def test_an_error_is_one_and_stands_in_the_log():
    report = executed(breaking)
    assert (report.outcome, report.phases[-1].outcome) == ("ERROR", "ERROR")
    assert any("no such port" in log.message for log in report.logs)


def test_files_and_names_are_those_of_the_test():
    report = executed(sweep, part_number=4711, batch_number="B-1", procedure_version="1.4")
    assert report.files == [FileReport("notes.txt", "Prüfling läuft\n".encode(), "text/plain")]
    assert (report.procedure, report.serial_number, report.part_number) == ("Board", "SN-1", "4711")
    assert (report.batch_number, report.procedure_version) == ("B-1", "1.4")
