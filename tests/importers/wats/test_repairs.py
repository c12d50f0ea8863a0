"""Repair reports of WATS."""

import json
from datetime import UTC, datetime

import pytest

from runcard.domain.errors import InvalidInput, UnreadableReport
from runcard.domain.floor.repair import RepairedPart, RepairFailure, RepairReport
from tests.importers.wats.files import (
    CASES,
    NAMESPACE,
    as_golden,
    as_wsjf,
    as_wsxf,
    case,
    read_json,
    read_xml,
    tree,
)

SAMPLE = json.loads(case("uur.wsjf.json"))


def repaired(**changes):
    (report,) = read_json(as_wsjf(SAMPLE | changes))
    return report


def test_the_sample():
    assert repaired() == RepairReport(
        serial_number="MODULE-20251221230142-5519",
        operation="Repair",
        outcome="PASS",
        started_at=datetime(2025, 12, 21, 22, 1, 45, 472254, UTC),
        part_number="PRODUCTION-TEST-MODULE",
        revision_number="A",
        operator="RepairOperator",
        comment="Thermal failure repaired",
        of_report="873d67f8-7669-4f4b-a627-e598e444d323",
        of_operation="Burn In test",
        failures=(
            RepairFailure(
                code="Burned Component",
                category="Component",
                comment="Thermal failure during burn-in - Reworked thermal interface",
                component="U1",
                step_id=0,
                step_name="MainSequence Callback",
            ),
        ),
        metadata={
            "report_id": "83ac0b8e-b575-4004-94de-f905774c3ed8",
            "station_name": "RepairStation",
            "location": "TestLab",
            "purpose": "Repair",
            "origin": "8033657d-c2c1-40f8-832b-a48113cf869a",
            "product_name": "Production Test Module",
            "process_code": 500,
            "confirmed_at": "2025-12-21T22:01:45.472138+00:00",
            "finalized_at": "2025-12-21T22:01:45.472138+00:00",
        },
    )


def test_sub_units_that_were_replaced():
    units = [
        {"sn": SAMPLE["sn"], "idx": 0},
        {"sn": "OLD", "pn": "P1", "rev": "A", "partType": "PCBA", "idx": 1},
        {"sn": "NEW", "pn": "P1", "idx": 2, "replacedIdx": 1},
    ]
    failure = {
        "code": "Cold joint",
        "comRef": "R1",
        "funcBlock": "supply",
        "artNumber": 17,
        "artRev": "B",
        "artVendor": "Acme",
        "artDescription": "resistor",
        "refStepId": "x7",
    }
    units[1]["failures"] = [failure]
    report = repaired(subUnits=units, miscInfos=[{"description": "RMA number", "text": "4711"}])
    assert report.parts == (
        RepairedPart("OLD", "P1", "A", "PCBA"),
        RepairedPart("NEW", "P1", replaced="OLD"),
    )
    assert report.failures == (
        RepairFailure(
            code="Cold joint",
            component="R1",
            function_block="supply",
            component_number="17",
            component_revision="B",
            component_vendor="Acme",
            component_description="resistor",
            step_id="x7",
            serial_number="OLD",
        ),
    )
    assert report.metadata["RMA_number"] == "4711"


def test_little_is_enough():
    bare = {"type": "R", "sn": "S", "processCode": 500, "result": "Passed", "start": "2026-01-02", "uur": {}}
    started_at = datetime(2026, 1, 2, tzinfo=UTC)
    (report,) = read_json(as_wsjf(bare))
    assert report == RepairReport("S", "500", "PASS", started_at, metadata={"process_code": 500})


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"sn": None}, InvalidInput),
        ({"processName": None, "processCode": None}, InvalidInput),
        ({"result": "X"}, UnreadableReport),
        ({"result": None}, UnreadableReport),
        ({"startUTC": None, "start": None}, UnreadableReport),
        ({"uur": None}, UnreadableReport),
        ({"type": "T"}, UnreadableReport),
        ({"subUnits": [{"failures": 1}]}, UnreadableReport),
    ],
)
def test_what_cannot_be_read(changes, error):
    with pytest.raises(error):
        repaired(**changes)


def test_repairs_beside_runs():
    content = b"[" + as_wsjf(tree()) + b"," + as_wsjf(SAMPLE) + b"]"
    run, repair = read_json(content)
    assert (run.serial_number, repair) == ("SN1", repaired())


def test_golden():
    """Whatever the importer changes about the case has to be meant; the file is made by `as_golden`."""
    made = [as_golden(one) for one in read_xml(case("uur.wsxf.xml"))]
    assert made == json.loads((CASES / "uur.golden.json").read_text("utf-8"))


def test_both_files_tell_the_same():
    first, _ = read_xml(case("uur.wsxf.xml"))
    assert first == repaired()


EVERYTHING = {
    "uur": SAMPLE["uur"] | {"execTime": 12.5},
    "miscInfos": [{"description": "Symptom", "text": "dead"}, {"description": "RMA", "numeric": 4711}],
    "subUnits": [
        {"sn": SAMPLE["sn"], "idx": 0, "failures": [{"code": "Cold joint", "comment": "hot air"}]},
        {
            "sn": "OLD",
            "pn": "P1",
            "rev": "A",
            "partType": "PCBA",
            "idx": 1,
            "failures": [
                {"category": "Component", "code": "Shorted", "comRef": "R1", "funcBlock": "supply"},
                {"artNumber": "17", "artRev": "B", "artVendor": "Acme", "artDescription": "resistor"},
                {"refStepId": 7, "refStepName": "Rail 3.3 V", "comment": "<&>"},
            ],
        },
        {"sn": "NEW", "pn": "P1", "idx": 2, "replacedIdx": 1},
    ],
}


@pytest.mark.parametrize(
    "changes", [{}, EVERYTHING, {"uur": {}, "subUnits": []}, {"uur": {"processCode": 9}, "subUnits": None}]
)
def test_wsxf_says_the_same_as_wsjf(changes):
    assert read_xml(as_wsxf(SAMPLE | changes)) == read_json(as_wsjf(SAMPLE | changes))


def in_xml(inside, uur="<UUR/>"):
    """What a repair report in XML of unit S is read as."""
    header = 'type="UUR" SN="S" Result="Passed" Start_utc="2026-01-02T00:00:00Z"'
    (report,) = read_xml(
        f'<Report xmlns="{NAMESPACE}" {header}>{uur}<Process Code="500"/>{inside}</Report>'.encode()
    )
    return report


UNIT = '<ReportUnitHierarchy SN="S"/>'


@pytest.mark.parametrize(
    ("inside", "uur"),
    [
        ('<Failure ComponentReference="R1" Comment="x"/>', "<UUR/>"),
        ('<Failures compref="-" COMREF="R1"><Comment>x</Comment></Failures>', "<UUR/>"),
        (f'{UNIT}<Failures><Failure ComRef="R1" Comment="x"/></Failures>', "<UUR/>"),
        (UNIT, '<UUR><Failure ComRef="R1" Comment="x"/></UUR>'),
        (
            UNIT.replace(
                "/>", '><Failures><Failure ComRef="R1" Comment="x"/></Failures></ReportUnitHierarchy>'
            ),
            "<UUR/>",
        ),
    ],
)
def test_where_failures_may_lie(inside, uur):
    report = in_xml(inside, uur)
    assert report.failures == (RepairFailure(component="R1", comment="x"),)
    assert report.parts == ()


@pytest.mark.parametrize(
    ("inside", "uur", "told"),
    [
        ("<Repairs/>", "<UUR/>", "Report of the repair report holds <repairs>, which is not read"),
        ("", "<UUR><Action/></UUR>", "UUR .* holds <action>"),
        ('<ReportUnitHierarchy SN="S"><Fault/></ReportUnitHierarchy>', "<UUR/>", "holds <fault>"),
        ("<Failures><Failure Code='1'/><Fault/></Failures>", "<UUR/>", "Failures .* holds <fault>"),
        ("<Failure Code='1'><Part/></Failure>", "<UUR/>", "Failure .* holds <part>"),
        ("<Failure Reason='1'/>", "<UUR/>", "none of the known attributes"),
        (
            f"{UNIT}<ReportUnitHierarchy SN='T'/><Failure Code='1'/>",
            "<UUR/>",
            "outside its units, such as 'T'",
        ),
        ("<Step Name='x' Status='Passed'/>", "<UUR/>", "holds <step>"),
    ],
)
def test_what_nobody_knows_how_to_read_in_xml(inside, uur, told):
    with pytest.raises(UnreadableReport, match=told):
        in_xml(inside, uur)
