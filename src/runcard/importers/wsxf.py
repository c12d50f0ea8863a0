"""WSXF: reports of Virinco WATS in XML. What becomes of them is told in `wats_runs`.

Names of attributes, and of what lies inside a report, are compared without case and without their namespace.
"""

from collections.abc import Iterator
from typing import BinaryIO

from runcard.domain.errors import UnreadableReport
from runcard.domain.report import RunReport
from runcard.importers.wats_header import is_repair
from runcard.importers.wats_report import (
    Attachment,
    BooleanMeasurement,
    CallExecutable,
    Chart,
    ChartSeries,
    Loop,
    MessagePopup,
    MiscInfo,
    NumericMeasurement,
    Report,
    SequenceCall,
    Step,
    StringMeasurement,
    SubUnit,
    Uur,
    Uut,
)
from runcard.importers.wats_runs import run_of
from runcard.importers.xml_stream import Element, name_of, read_records, root_of

_NAMESPACE = "wats.virinco.com"


def is_it(head: bytes) -> bool:
    """Whether a file that begins so has the root of a WSXF file, in the namespace of WATS."""
    namespace, name = root_of(head) or ("", "")
    return name in ("Reports", "Report") and _NAMESPACE in namespace


def parse(file: BinaryIO) -> Iterator[RunReport]:
    """The runs of a file, in its order, one report in memory at a time. Raises UnreadableReport or InvalidInput."""
    for element in read_records(file, ("Reports", "Report"), ("Report",)):
        report = _report(element)
        if is_repair(report):
            raise UnreadableReport("Repair reports (UUR) are read as WSJF only. Export this one as WSJF.")
        yield run_of(report)


class _Node:
    """An element by the names of what it holds, in lower case."""

    def __init__(self, element: Element) -> None:
        self.text = None if element.text is None else str(element.text)
        self._attributes = {
            str(name).rpartition("}")[2].lower(): str(value) for name, value in element.items()
        }
        self._children: dict[str, list[Element]] = {}
        for child in element:
            self._children.setdefault(_name(child), []).append(child)

    def get(self, attribute: str) -> str | None:
        return self._attributes.get(attribute)

    def all(self, name: str) -> list["_Node"]:
        return [_Node(child) for child in self._children.get(name, ())]

    def first(self, name: str) -> "_Node | None":
        return next(iter(self.all(name)), None)

    def text_in(self, name: str) -> str | None:
        child = self.first(name)
        return None if child is None else child.text


def _name(element: Element) -> str:
    return name_of(element).lower()


def _report(element: Element) -> Report:
    said = _Node(element)
    process = said.first("process")
    uut = said.first("uut")
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
        uur=None if said.first("uur") is None else Uur(),
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


def _uut(said: _Node) -> Uut:
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


def _step(said: _Node) -> Step:
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


def _loop(said: _Node) -> Loop:
    return Loop(
        idx=said.get("index"),
        num=said.get("num"),
        passed=said.get("passed"),
        failed=said.get("failed"),
        ending_index=said.get("ending_index"),
    )


def _sequence_call(said: _Node) -> SequenceCall:
    return SequenceCall(said.get("filepath"), said.get("name"), said.get("version"))


def _numeric(said: _Node) -> NumericMeasurement:
    return NumericMeasurement(
        name=said.get("name"),
        status=said.get("status"),
        value=said.get("numericvalue"),
        unit=said.get("units"),
        comp_op=said.get("compoperator"),
        low_limit=said.get("lowlimit"),
        high_limit=said.get("highlimit"),
    )


def _string(said: _Node) -> StringMeasurement:
    return StringMeasurement(
        name=said.get("name"),
        status=said.get("status"),
        value=said.get("stringvalue"),
        comp_op=said.get("compoperator"),
        limit=said.get("stringlimit"),
    )


def _chart(said: _Node) -> Chart:
    return Chart(
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


def _attachment(said: _Node) -> Attachment:
    return Attachment(said.get("name"), said.get("contenttype"))
