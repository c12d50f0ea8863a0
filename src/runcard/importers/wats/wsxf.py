"""WSXF: reports of Virinco WATS in XML.

`runs` and `repairs` say how they are read. `xml_repairs` says on what the reading of repairs is based.
"""

from collections.abc import Iterator
from typing import BinaryIO

from msgspec.structs import replace

from runcard.domain.floor.repair import RepairReport
from runcard.domain.runs.report import RunReport
from runcard.importers.content.xml_stream import read_records, root_of
from runcard.importers.wats.header import is_repair
from runcard.importers.wats.nodes import Node
from runcard.importers.wats.repairs import repair_of
from runcard.importers.wats.report import (
    BooleanMeasurement,
    CallExecutable,
    ChartSeries,
    Loop,
    MessagePopup,
    MiscInfo,
    NumericMeasurement,
    Report,
    ReportedChart,
    ReportedFile,
    SequenceCall,
    Step,
    StringMeasurement,
    SubUnit,
    Uut,
)
from runcard.importers.wats.runs import run_of
from runcard.importers.wats.xml_repairs import check_known, repaired_units_of, uur_of

_NAMESPACE = "wats.virinco.com"


def is_it(head: bytes) -> bool:
    """Whether a file with these first bytes has the root of a WSXF file, in the namespace of WATS."""
    namespace, name = root_of(head) or ("", "")
    return name in ("Reports", "Report") and _NAMESPACE in namespace


def parse(file: BinaryIO) -> Iterator[RunReport | RepairReport]:
    """The runs and repairs of a file, in the order of the file, with one report in memory at a time.

    Raises UnreadableReport or InvalidInput.
    """
    for element in read_records(file, ("Reports", "Report"), ("Report",)):
        node = Node(element)
        report = _report(node)
        if is_repair(report):
            check_known(node)
            yield repair_of(replace(report, sub_units=repaired_units_of(node)))
        else:
            yield run_of(report)


def _report(node: Node) -> Report:
    process, uut, uur = node.first("process"), node.first("uut"), node.first("uur")
    return Report(
        type=node.get("type"),
        id=node.get("id"),
        pn=node.get("pn"),
        sn=node.get("sn"),
        rev=node.get("rev"),
        product_name=node.get("productname"),
        process_code=None if process is None else process.get("code"),
        process_name=None if process is None else process.get("name"),
        result=node.get("result"),
        machine_name=node.get("machinename"),
        location=node.get("location"),
        purpose=node.get("purpose"),
        origin=node.get("origin"),
        start=node.get("start"),
        start_utc=node.get("start_utc"),
        uut=None if uut is None else _uut(uut),
        uur=None if uur is None else uur_of(uur),
        misc_infos=[
            MiscInfo(info.get("description"), info.text, info.get("numeric")) for info in node.all("miscinfo")
        ],
        sub_units=[
            SubUnit(unit.get("parttype"), unit.get("pn"), unit.get("rev"), unit.get("sn"))
            for unit in node.all("reportunithierarchy")
        ],
        binary_data=[_attachment(attachment) for attachment in node.all("attachment")],
        steps=[_step(step) for step in node.all("step")],
    )


def _uut(node: Node) -> Uut:
    return Uut(
        user=node.get("userloginname"),
        comment=node.text_in("comment"),
        exec_time=node.get("executiontime"),
        batch_sn=node.get("batchsn"),
        fixture_id=node.get("fixtureid"),
        test_socket_index=node.get("testsocketindex"),
        error_code=node.get("errorcode"),
        error_message=node.get("errormessage"),
        batch_fail_count=node.get("batchfailcount"),
        batch_loop_index=node.get("batchloopindex"),
        failed_step_id=node.get("stepidcauseduutfailure"),
    )


def _step(node: Node) -> Step:
    call, popup, exe, attachment = (
        node.first(name) for name in ("sequencecall", "messagepopup", "callexe", "attachment")
    )
    loop, chart = node.first("loop"), node.first("chart")
    return Step(
        name=node.get("name") or "",
        id=node.get("id"),
        group=node.get("group"),
        step_type=node.get("steptype"),
        status=node.get("status"),
        start=node.get("start"),
        tot_time=node.get("total_time"),
        error_code=node.get("steperrorcode"),
        error_message=node.get("steperrormessage"),
        report_text=node.text_in("reporttext"),
        loop=None if loop is None else _loop(loop),
        seq_call=None if call is None else _sequence_call(call),
        numeric_meas=[_numeric(numeric) for numeric in node.all("numericlimit")],
        boolean_meas=[
            BooleanMeasurement(boolean.get("name"), boolean.get("status")) for boolean in node.all("passfail")
        ],
        string_meas=[_string(string) for string in node.all("stringvalue")],
        chart=None if chart is None else _chart(chart),
        message_popup=None if popup is None else MessagePopup(popup.get("response"), popup.get("button")),
        call_exe=None if exe is None else CallExecutable(exe.get("exitcode")),
        attachment=None if attachment is None else _attachment(attachment),
        steps=[_step(step) for step in node.all("step")],
    )


def _loop(node: Node) -> Loop:
    return Loop(
        idx=node.get("index"),
        num=node.get("num"),
        passed=node.get("passed"),
        failed=node.get("failed"),
        ending_index=node.get("ending_index"),
    )


def _sequence_call(node: Node) -> SequenceCall:
    return SequenceCall(node.get("filepath"), node.get("name"), node.get("version"))


def _numeric(node: Node) -> NumericMeasurement:
    return NumericMeasurement(
        name=node.get("name"),
        status=node.get("status"),
        value=node.get("numericvalue"),
        unit=node.get("units"),
        comp_op=node.get("compoperator"),
        low_limit=node.get("lowlimit"),
        high_limit=node.get("highlimit"),
    )


def _string(node: Node) -> StringMeasurement:
    return StringMeasurement(
        name=node.get("name"),
        status=node.get("status"),
        value=node.get("stringvalue"),
        comp_op=node.get("compoperator"),
        limit=node.get("stringlimit"),
    )


def _chart(node: Node) -> ReportedChart:
    return ReportedChart(
        label=node.get("label"),
        x_label=node.get("xlabel"),
        x_unit=node.get("xunit"),
        y_label=node.get("ylabel"),
        y_unit=node.get("yunit"),
        series=[
            ChartSeries(series.get("name"), series.text_in("xdata"), series.text_in("ydata"))
            for series in node.all("series")
        ],
    )


def _attachment(node: Node) -> ReportedFile:
    return ReportedFile(node.get("name"), node.get("contenttype"))
