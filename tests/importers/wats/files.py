"""Files of WATS to read: the samples, and others written from a tree of plain values in the shape of WSJF.

`as_wsxf` is written against the sample files, independently of the importers.
"""

import json
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import msgspec

from runcard.domain.floor.repair import RepairReport
from runcard.domain.runs.report import RunReport
from runcard.importers.wats import wsjf, wsxf

CASES = Path(__file__).parents[1] / "cases" / "wats"
NAMESPACE = "http://wats.virinco.com/schemas/WATS/Report/wsxf"
WORDS = {"P": "Passed", "F": "Failed", "E": "Error", "T": "Terminated", "D": "Done", "S": "Skipped"}
GROUPS = {"S": "Setup", "M": "Main", "C": "Cleanup"}


def case(name):
    return (CASES / name).read_bytes()


def read_json(content):
    return list(wsjf.parse(BytesIO(content)))


def read_xml(content):
    return list(wsxf.parse(BytesIO(content)))


def read(tree):
    """The run that a tree becomes, which is the same whichever way it was written."""
    (from_json,), (from_xml,) = read_json(as_wsjf(tree)), read_xml(as_wsxf(tree))
    # As bytes, because NaN is not equal to itself.
    assert msgspec.msgpack.encode(from_json) == msgspec.msgpack.encode(from_xml)
    return from_json


def measured(kind, **fields):
    """The measurement that comes of one of a step with these fields."""
    (phase,) = read(tree(root=step(**{kind: [fields]}))).phases
    (measurement,) = phase.measurements
    return measurement


def tree(**changes):
    return {
        "type": "T",
        "sn": "SN1",
        "pn": "P",
        "processCode": 10,
        "processName": "FCT",
        "result": "P",
        "startUTC": "2026-01-30T21:00:00Z",
    } | changes


def step(name="step", **changes):
    return {"name": name, "id": 1, "status": "P", "stepType": "ET_A", "group": "M"} | changes


def sequence(name, *steps, **changes):
    return step(name, **{"stepType": "SequenceCall", "seqCall": {}, "steps": list(steps)} | changes)


def as_wsjf(tree):
    return json.dumps(tree).encode()


def as_wsxf(tree):
    root = ElementTree.Element("Reports", {"xmlns": NAMESPACE})
    report = _add(
        root,
        "Report",
        tree,
        type=lambda given: {"T": "UUT", "R": "UUR"}.get(given["type"], given["type"]),
        ID="id",
        Start="start",
        Start_utc="startUTC",
        Result=lambda given: WORDS.get(given.get("result"), given.get("result")),
        SN="sn",
        PN="pn",
        Rev="rev",
        origin="origin",
        MachineName="machineName",
        Location="location",
        Purpose="purpose",
        ProductName="productName",
    )
    if tree.get("uur") is not None:
        _add_uur(report, tree["uur"])
    if tree.get("uut") is not None or tree.get("uur") is None:
        _add_uut(report, tree.get("uut") or {})
    _add(report, "Process", tree, Code="processCode", Name="processName")
    for info in tree.get("miscInfos") or ():
        _add(report, "MiscInfo", info, Description="description", Numeric="numeric").text = info.get("text")
    for unit in tree.get("subUnits") or ():
        _add_unit(report, unit)
    for attachment in tree.get("binaryData") or ():
        _add(report, "Attachment", attachment, Name="name")
    if tree.get("root") is not None:
        _add_step(report, tree["root"])
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)


def _add_uut(report, uut):
    element = _add(
        report,
        "UUT",
        uut,
        UserLoginName="user",
        BatchSN="batchSN",
        TestSocketIndex="testSocketIndex",
        ExecutionTime="execTime",
        FixtureId="fixtureId",
        ErrorCode="errorCode",
        ErrorMessage="errorMessage",
        BatchFailCount="batchFailCount",
        BatchLoopIndex="batchLoopIndex",
        StepIdCausedUUTFailure="stepIdCausedUUTFailure",
    )
    if uut.get("comment") is not None:
        ElementTree.SubElement(element, "Comment").text = uut["comment"]


def _add_uur(report, given):
    names = {"RefUUT": "refUUT", "ConfirmDate": "confirmDate", "FinalizeDate": "finalizeDate"}
    uur = _add(report, "UUR", given, UserLoginName="user", ExecutionTime="execTime", **names)
    if given.get("comment") is not None:
        ElementTree.SubElement(uur, "Comment").text = given["comment"]
    _add(uur, "Process", given, Code="processCode", Name="processName")


def _add_unit(report, given):
    names = {"PartType": "partType", "PN": "pn", "SN": "sn", "Rev": "rev"}
    unit = _add(report, "ReportUnitHierarchy", given, Idx="idx", ReplacedIdx="replacedIdx", **names)
    for one in given.get("failures") or ():
        failure = _add(
            unit,
            "Failure",
            one,
            Category="category",
            Code="code",
            ComRef="comRef",
            FuncBlock="funcBlock",
            ArtNumber="artNumber",
            ArtRev="artRev",
            ArtVendor="artVendor",
            ArtDescription="artDescription",
            RefStepId="refStepId",
            RefStepName="refStepName",
        )
        if one.get("comment") is not None:
            ElementTree.SubElement(failure, "Comment").text = one["comment"]


def _add_step(parent, given):
    element = _add(
        parent,
        "Step",
        given,
        Id="id",
        Group=lambda given: GROUPS.get(given.get("group")),
        Name="name",
        StepType="stepType",
        Status=_status,
        Start="start",
        total_time="totTime",
        StepErrorCode="errorCode",
        StepErrorMessage="errorMessage",
    )
    if given.get("reportText") is not None:
        ElementTree.SubElement(element, "ReportText").text = given["reportText"]
    loop = given.get("loop")
    if loop is not None:
        counts = {"index": "idx", "num": "num", "passed": "passed", "failed": "failed"}
        _add(element, "Loop", loop, **counts, ending_index="endingIndex")
    if given.get("seqCall") is not None:
        _add(element, "SequenceCall", given["seqCall"], Name="name", Version="version", Filepath="path")
    for one in given.get("numericMeas") or ():
        _add(
            element,
            "NumericLimit",
            one,
            Name="name",
            NumericValue="value",
            Units="unit",
            CompOperator="compOp",
            LowLimit="lowLimit",
            HighLimit="highLimit",
            Status=_status,
        )
    for one in given.get("booleanMeas") or ():
        _add(element, "PassFail", one, Name="name", Status=_status)
    for one in given.get("stringMeas") or ():
        limits = {"StringLimit": "limit", "StringValue": "value"}
        _add(element, "StringValue", one, Name="name", CompOperator="compOp", **limits, Status=_status)
    if given.get("chart") is not None:
        _add_chart(element, given["chart"])
    if given.get("messagePopup") is not None:
        _add(element, "MessagePopup", given["messagePopup"], Button="button", Response="response")
    if given.get("callExe") is not None:
        _add(element, "Callexe", given["callExe"], ExitCode="exitCode")
    if given.get("attachment") is not None:
        _add(element, "Attachment", given["attachment"], Name="name").text = given["attachment"].get("data")
    for child in given.get("steps") or ():
        _add_step(element, child)


def _add_chart(parent, given):
    labels = {"XLabel": "xLabel", "XUnit": "xUnit", "YLabel": "yLabel", "YUnit": "yUnit"}
    chart = _add(parent, "Chart", given, Label="label", **labels)
    for one in given.get("series") or ():
        series = _add(chart, "Series", one, Name="name")
        for axis in ("ydata", "xdata"):
            if one.get(axis) is not None:
                ElementTree.SubElement(series, axis).text = one[axis]


def _status(given):
    return WORDS.get(given.get("status"), given.get("status"))


def _add(parent, tag, given, **attributes):
    """An element with the attributes that the tree has values for."""
    element = ElementTree.SubElement(parent, tag)
    for name, source in attributes.items():
        value = source(given) if callable(source) else given.get(source)
        if value is not None:
            element.set(name, value if isinstance(value, str) else repr(value))
    return element


def as_golden(report: RunReport | RepairReport) -> object:
    """A report as JSON can tell it, for a file to compare with."""
    return json.loads(msgspec.json.encode(report))
