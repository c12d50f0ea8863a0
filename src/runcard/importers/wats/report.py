"""A report of Virinco WATS, in the shape of WSJF; WSXF has the same content in XML.

Names are those of WSJF. Numbers may be texts, because XML has nothing else and JSON has no NaN. `runs`, `steps` and
`measurements` say how each part is read. Left out are the formats of numbers, the drawing of charts, assets and their
statistics, additional data, and the bytes of attachments.
"""

from msgspec import Struct, field

Number = float | str | None
# A code, an index or a count. Some programs write it as a text.
Code = int | str | None


class NumericMeasurement(Struct, rename="camel"):
    """low_limit: also the only limit of a comparison with one limit, even of LE and LT."""

    name: str | None = None
    status: str | None = None
    value: Number = None
    unit: str | None = None
    comp_op: str | None = None
    low_limit: Number = None
    high_limit: Number = None


class BooleanMeasurement(Struct):
    """A boolean, whose value is its status."""

    name: str | None = None
    status: str | None = None


class StringMeasurement(Struct, rename="camel"):
    name: str | None = None
    status: str | None = None
    value: str | None = None
    comp_op: str | None = None
    limit: str | None = None


class ChartSeries(Struct):
    """xdata, ydata: numbers separated by semicolons."""

    name: str | None = None
    xdata: str | None = None
    ydata: str | None = None


class ReportedChart(Struct, rename="camel"):
    label: str | None = None
    x_label: str | None = None
    x_unit: str | None = None
    y_label: str | None = None
    y_unit: str | None = None
    series: list[ChartSeries] | None = None


class Loop(Struct, rename="camel"):
    """An iteration of a loop has an index. The summary of a loop has counts and no index.

    i, n: the names that some programs use for idx and num.
    """

    idx: Code = None
    num: Code = None
    i: Code = None
    n: Code = None
    passed: Code = None
    failed: Code = None
    ending_index: Code = None


class SequenceCall(Struct):
    path: str | None = None
    name: str | None = None
    version: str | None = None


class MessagePopup(Struct):
    response: str | None = None
    button: Code = None


class CallExecutable(Struct, rename="camel"):
    exit_code: Number = None


class ReportedFile(Struct, rename="camel"):
    name: str | None = None
    content_type: str | None = None


class Step(Struct, rename="camel"):
    """start: a moment. tot_time: seconds."""

    name: str
    id: Code = None
    group: str | None = None
    step_type: str | None = None
    status: str | None = None
    start: str | None = None
    tot_time: Number = None
    error_code: Code = None
    error_message: str | None = None
    report_text: str | None = None
    loop: Loop | None = None
    seq_call: SequenceCall | None = None
    numeric_meas: list[NumericMeasurement] | None = None
    boolean_meas: list[BooleanMeasurement] | None = None
    string_meas: list[StringMeasurement] | None = None
    chart: ReportedChart | None = None
    message_popup: MessagePopup | None = None
    call_exe: CallExecutable | None = None
    attachment: ReportedFile | None = None
    steps: list["Step"] | None = None


class Uut(Struct, rename="camel"):
    """The part of a report that only a unit under test has. exec_time: seconds."""

    user: str | None = None
    comment: str | None = None
    exec_time: Number = None
    batch_sn: str | None = field(default=None, name="batchSN")
    fixture_id: str | None = None
    test_socket_index: Code = None
    error_code: Code = None
    error_message: str | None = None
    batch_fail_count: Code = None
    batch_loop_index: Code = None
    failed_step_id: Code = field(default=None, name="stepIdCausedUUTFailure")


class Uur(Struct, rename="camel"):
    """The part of a report that only a repair has. process_*: the operation that sent the unit to repair. ref_uut: the
    id of that operation's report.
    """

    user: str | None = None
    comment: str | None = None
    process_code: Code = None
    process_name: str | None = None
    ref_uut: str | None = field(default=None, name="refUUT")
    confirm_date: str | None = None
    finalize_date: str | None = None
    exec_time: Number = None


class MiscInfo(Struct):
    description: str | None = None
    text: str | None = None
    numeric: Number = None


class ReportedFailure(Struct, rename="camel"):
    """com_ref: the place of the component on the board. art_*: the article number and so on of the component."""

    code: str | None = None
    category: str | None = None
    comment: str | None = None
    com_ref: str | None = None
    func_block: str | None = None
    art_number: Code = None
    art_rev: Code = None
    art_vendor: str | None = None
    art_description: str | None = None
    ref_step_id: Code = None
    ref_step_name: str | None = None


class SubUnit(Struct, rename="camel"):
    """idx, replaced_idx, failures: only in reports of repairs, where the unit itself is number 0."""

    part_type: str | None = None
    pn: Code = None
    rev: Code = None
    sn: Code = None
    idx: Code = None
    replaced_idx: Code = None
    failures: list[ReportedFailure] | None = None


class Report(Struct, rename="camel"):
    """type: T or UUT, a unit under test; R or UUR, a unit under repair. start: in local time."""

    type: str | None = None
    id: str | None = None
    pn: Code = None
    sn: Code = None
    rev: Code = None
    product_name: str | None = None
    process_code: Code = None
    process_name: str | None = None
    result: str | None = None
    machine_name: str | None = None
    location: str | None = None
    purpose: str | None = None
    origin: str | None = None
    start: str | None = None
    start_utc: str | None = field(default=None, name="startUTC")
    uut: Uut | None = None
    uur: Uur | None = None
    misc_infos: list[MiscInfo] | None = None
    sub_units: list[SubUnit] | None = None
    binary_data: list[ReportedFile] | None = None
    root: Step | None = None
    steps: list[Step] | None = None
