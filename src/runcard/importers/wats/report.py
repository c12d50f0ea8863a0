"""What a report of Virinco WATS says, in the shape of WSJF; WSXF says the same in XML.

Names are those of WSJF. Numbers may come as texts: XML knows nothing else, and JSON has no NaN. How each part is read
is told in `wats_runs`, `wats_steps` and `wats_measurements`. Of a report these are left out: how numbers were formatted
and charts drawn, assets and their statistics, additional data, and the bytes of attachments.
"""

from msgspec import Struct, field

Number = float | str | None
# A code, an index or a count, which some writers quote.
Code = int | str | None


class NumericMeasurement(Struct, rename="camel"):
    """The limit of a comparison with one limit stands in `low_limit`, also that of LE and LT."""

    name: str | None = None
    status: str | None = None
    value: Number = None
    unit: str | None = None
    comp_op: str | None = None
    low_limit: Number = None
    high_limit: Number = None


class BooleanMeasurement(Struct):
    """Its value is its status."""

    name: str | None = None
    status: str | None = None


class StringMeasurement(Struct, rename="camel"):
    name: str | None = None
    status: str | None = None
    value: str | None = None
    comp_op: str | None = None
    limit: str | None = None


class ChartSeries(Struct):
    """xdata, ydata: numbers with semicolons between them."""

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
    """An iteration has an index; the step that sums a loop up has none, but counts.

    i, n: what some writers call idx and num.
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
    """What only a report of a unit under test says. exec_time: seconds."""

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
    """What only a report of a repair says. process: the operation that sent the unit to repair. ref_uut: its report."""

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
    """com_ref: where the component sits. art: the article that the component is."""

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
    """idx, replaced_idx, failures: in reports of repairs, where the unit itself is number 0."""

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
