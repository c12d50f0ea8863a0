"""WSXF: reports of Virinco WATS in XML.

What becomes of them is told in `wats_runs` and `wats_repairs`, and on what the reading of repairs rests in
`wsxf_repairs`.
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
    """Whether a file that begins so has the root of a WSXF file, in the namespace of WATS."""
    namespace, name = root_of(head) or ("", "")
    return name in ("Reports", "Report") and _NAMESPACE in namespace


def parse(file: BinaryIO) -> Iterator[RunReport | RepairReport]:
    """The runs and repairs of a file, in its order, one report in memory at a time.

    Raises UnreadableReport or InvalidInput.
    """
    for element in read_records(file, ("Reports", "Report"), ("Report",)):
        said = Node(element)
        report = _report(said)
        if is_repair(report):
            check_known(said)
            yield repair_of(replace(report, sub_units=repaired_units_of(said)))
        else:
            yield run_of(report)


def _report(said: Node) -> Report:
    process, uut, uur = said.first("process"), said.first("uut"), said.first("uur")
    return Report(
        type=said.get("type"),
        id=said.get("id"),
        pn=said.get("pn"),
        sn=said.get("sn"),
        rev=said.get("rev"),
        product_name=said.get("productname"),
        process_code=None if process is None else process.get("code"),
        process_name=None if process is None else process.get("name"),
        result=said.get("result"),
        machine_name=said.get("machinename"),
        location=said.get("location"),
        purpose=said.get("purpose"),
        origin=said.get("origin"),
        start=said.get("start"),
        start_utc=said.get("start_utc"),
        uut=None if uut is None else _uut(uut),
        uur=None if uur is None else uur_of(uur),
        misc_infos=[
            MiscInfo(one.get("description"), one.text, one.get("numeric")) for one in said.all("miscinfo")
        ],
        sub_units=[
            SubUnit(one.get("parttype"), one.get("pn"), one.get("rev"), one.get("sn"))
            for one in said.all("reportunithierarchy")
        ],
        binary_data=[_attachment(one) for one in said.all("attachment")],
        steps=[_step(one) for one in said.all("step")],
    )


def _uut(said: Node) -> Uut:
    return Uut(
        user=said.get("userloginname"),
        comment=said.text_in("comment"),
        exec_time=said.get("executiontime"),
        batch_sn=said.get("batchsn"),
        fixture_id=said.get("fixtureid"),
        test_socket_index=said.get("testsocketindex"),
        error_code=said.get("errorcode"),
        error_message=said.get("errormessage"),
        batch_fail_count=said.get("batchfailcount"),
        batch_loop_index=said.get("batchloopindex"),
        failed_step_id=said.get("stepidcauseduutfailure"),
    )


def _step(said: Node) -> Step:
    call, popup, exe, attachment = (
        said.first(name) for name in ("sequencecall", "messagepopup", "callexe", "attachment")
    )
    loop, chart = said.first("loop"), said.first("chart")
    return Step(
        name=said.get("name") or "",
        id=said.get("id"),
        group=said.get("group"),
        step_type=said.get("steptype"),
        status=said.get("status"),
        start=said.get("start"),
        tot_time=said.get("total_time"),
        error_code=said.get("steperrorcode"),
        error_message=said.get("steperrormessage"),
        report_text=said.text_in("reporttext"),
        loop=None if loop is None else _loop(loop),
        seq_call=None if call is None else _sequence_call(call),
        numeric_meas=[_numeric(one) for one in said.all("numericlimit")],
        boolean_meas=[BooleanMeasurement(one.get("name"), one.get("status")) for one in said.all("passfail")],
        string_meas=[_string(one) for one in said.all("stringvalue")],
        chart=None if chart is None else _chart(chart),
        message_popup=None if popup is None else MessagePopup(popup.get("response"), popup.get("button")),
        call_exe=None if exe is None else CallExecutable(exe.get("exitcode")),
        attachment=None if attachment is None else _attachment(attachment),
        steps=[_step(one) for one in said.all("step")],
    )


def _loop(said: Node) -> Loop:
    return Loop(
        idx=said.get("index"),
        num=said.get("num"),
        passed=said.get("passed"),
        failed=said.get("failed"),
        ending_index=said.get("ending_index"),
    )


def _sequence_call(said: Node) -> SequenceCall:
    return SequenceCall(said.get("filepath"), said.get("name"), said.get("version"))


def _numeric(said: Node) -> NumericMeasurement:
    return NumericMeasurement(
        name=said.get("name"),
        status=said.get("status"),
        value=said.get("numericvalue"),
        unit=said.get("units"),
        comp_op=said.get("compoperator"),
        low_limit=said.get("lowlimit"),
        high_limit=said.get("highlimit"),
    )


def _string(said: Node) -> StringMeasurement:
    return StringMeasurement(
        name=said.get("name"),
        status=said.get("status"),
        value=said.get("stringvalue"),
        comp_op=said.get("compoperator"),
        limit=said.get("stringlimit"),
    )


def _chart(said: Node) -> ReportedChart:
    return ReportedChart(
        label=said.get("label"),
        x_label=said.get("xlabel"),
        x_unit=said.get("xunit"),
        y_label=said.get("ylabel"),
        y_unit=said.get("yunit"),
        series=[
            ChartSeries(one.get("name"), one.text_in("xdata"), one.text_in("ydata"))
            for one in said.all("series")
        ],
    )


def _attachment(said: Node) -> ReportedFile:
    return ReportedFile(said.get("name"), said.get("contenttype"))
