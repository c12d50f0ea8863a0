"""Report files that a user imports, besides the runs that stations report: some of them end in quarantine."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid5
from xml.etree.ElementTree import Element, SubElement, tostring

from runcard.cli.demo_line.floor import BOARD, PROCEDURES
from runcard.cli.demo_line.history import DemoRun
from runcard.cli.demo_line.procedures import IN_CIRCUIT
from runcard.domain.runs.report import RunReport

_WSXF = "http://wats.virinco.com/schemas/WATS/Report/wsxf"
_REPAIRS = UUID("6f1c2a52-7d0e-4a53-9a2e-3c1f0f3f7b11")
_REPAIR_TAKES = timedelta(minutes=5)
# How many units a subcontractor supplies, and that one in this many fails.
_SUPPLIED, _FAILS_EVERY = 24, 12
_TABLE_ROWS = 40


class BroughtFile(NamedTuple):
    name: str
    content: bytes


class _Fault(NamedTuple):
    """component: its place on the board."""

    component: str
    code: str
    category: str
    comment: str


# The fault behind each measurement that fails.
_FAULTS = {
    "rail_5v": _Fault("U3", "Shorted", "Component", "Regulator replaced"),
    "rail_3v3": _Fault("U4", "Cold joint", "Soldering", "Regulator soldered anew"),
    "standby_current": _Fault("C17", "Leaking", "Component", "Capacitor replaced"),
    "feedback_resistance": _Fault("R14", "Wrong part", "Assembly", "1 % type replaced by the 0.1 % type"),
    "bias_current": _Fault("R31", "Misadjusted", "Adjustment", "Bias set anew, cover sealed"),
    "dc_offset": _Fault("Q7", "Mismatched", "Component", "Input pair replaced"),
    "insulation_resistance": _Fault("W2", "Pinched wire", "Assembly", "Wire replaced and laid anew"),
}
_ANY_FAULT = _Fault("J1", "Bent pin", "Handling", "Connector straightened")


def brought_files(history: Sequence[DemoRun]) -> Iterator[BroughtFile]:
    """The files in the order in which they are imported. history: at least one run."""
    last = history[-1].report.started_at
    assert last is not None, "the line knows when it starts a run"
    repairs = _repairs(history)
    if len(repairs):
        yield BroughtFile("repairs.wsxf.xml", _bytes_of(repairs))
    supplied = _supplied(last - timedelta(days=2))
    yield BroughtFile("subcontractor-in-circuit.junit.xml", supplied)
    # These go to quarantine: one is cut short, one has no serial numbers, one has no mapping.
    yield BroughtFile("subcontractor-in-circuit (1).junit.xml", supplied[: len(supplied) * 2 // 3])
    yield BroughtFile("firmware-build-417.junit.xml", supplied.replace(b"serial_number", b"build"))
    yield BroughtFile("old-tester-week-12.csv", _table(last))


def _repairs(history: Sequence[DemoRun]) -> Element:
    """Repair reports as WSXF: one for each unit that was tested a third time."""
    runs: dict[str, list[RunReport]] = {}
    for run in history:
        runs.setdefault(run.report.serial_number, []).append(run.report)
    root = Element("Reports", xmlns=_WSXF)
    for reports in runs.values():
        if len(reports) > 2:
            _add_repair(root, reports[-2], reports[-1])
    return root


def _add_repair(root: Element, failed: RunReport, after: RunReport) -> None:
    assert failed.started_at is not None, "the line knows when it starts a run"
    start = failed.started_at + failed.duration + _REPAIR_TAKES
    is_repaired = after.outcome == "PASS"
    names = [
        (phase.name, measurement.name)
        for phase in failed.phases
        for measurement in phase.measurements
        if measurement.outcome == "FAIL"
    ]
    step, measured = names[0] if names else ("fixture_contact", "contact_resistance")
    fault = _FAULTS.get(measured, _ANY_FAULT)
    unit = {
        "PN": failed.part_number or "",
        "SN": failed.serial_number,
        "Rev": failed.revision_number or "",
    }
    head = {
        "type": "UUR",
        "ID": str(uuid5(_REPAIRS, failed.serial_number)),
        "Start_utc": start.isoformat().replace("+00:00", "Z"),
        "Result": "Passed" if is_repaired else "Failed",
        "MachineName": "Repair bench",
        "Location": "Hall 2",
        "Purpose": "Repair",
    }
    report = SubElement(root, "Report", head | unit)
    repair = SubElement(report, "UUR", UserLoginName="freya.holm@northwind.example")
    comment = fault.comment if is_repaired else f"{fault.comment}; the fault stays"
    SubElement(repair, "Comment").text = comment
    SubElement(repair, "Process", Code="10", Name=failed.procedure)
    SubElement(report, "Process", Code="500", Name="Repair")
    main = SubElement(report, "ReportUnitHierarchy", {"Idx": "0", "PartType": "Main"} | unit)
    found = {"Category": fault.category, "Code": fault.code, "ComRef": fault.component, "RefStepName": step}
    SubElement(main, "Failure", found)


def _supplied(moment: datetime) -> bytes:
    """The report of a subcontractor about its boards, as JUnit XML with a suite for each board."""
    root, procedure = Element("testsuites"), PROCEDURES[IN_CIRCUIT.identifier]
    for number in range(1, _SUPPLIED + 1):
        start = moment + timedelta(minutes=3 * number)
        suite = SubElement(root, "testsuite", name=procedure, timestamp=start.isoformat(), time="41.5")
        properties = SubElement(suite, "properties")
        for name, value in (
            ("serial_number", f"{BOARD.serial_prefix}S{moment:%y%W}-{number:04}"),
            ("part_number", BOARD.part_number),
            ("revision_number", BOARD.revisions[-1][1]),
        ):
            SubElement(properties, "property", name=name, value=value)
        for position, step in enumerate(("power rails", "passive components", "program firmware")):
            case = SubElement(suite, "testcase", name=step, classname=procedure, time="13.5")
            if position == 1 and number % _FAILS_EVERY == 0:
                SubElement(case, "failure", message="R14 is 10 140 Ω, more than 10 100 Ω")
    return _bytes_of(root)


def _table(moment: datetime) -> bytes:
    """A table of an old tester, whose columns nobody has mapped yet."""
    rows = ["Seriennummer;Datum;Ergebnis;Verstärkung [dB]"]
    for number in range(1, _TABLE_ROWS + 1):
        day = moment - timedelta(days=90 - number)
        gain = f"{26 + number / 100:.2f}".replace(".", ",")
        rows.append(f"AM-ALT-{number:03};{day:%Y-%m-%d};OK;{gain}")
    return "\n".join([*rows, ""]).encode()


def _bytes_of(root: Element) -> bytes:
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content
