"""Turn the records of STDF and ATDF into runs, one for each part of a lot.

A part lasts from its PIR to its PRR, at one head and site; other parts may be tested at other sites meanwhile. It
becomes a run of the program MIR.JOB_NAM, on the unit that `Lot.serial_number` names. A part that is tested again
becomes another run of its unit.

A section of the program (BPS to EPS) becomes a phase with its results as measurements; the names of nested sections are
joined by `/`. Results outside of sections go to the phase `Measurements`. So an engineer reads one table for each
section, and not some thousand phases of one value. A section that repeats is another attempt, and ends an open section
of the same name. A phase fails if a result in it failed, and is skipped if none was executed.

Testers write when a lot and a wafer began, and how long a part took. So the start of a part is computed: it is the
start of its lot or wafer, plus the durations of all parts that the head tested before it, at least a millisecond each.
The phases of a part have the times of the part. Texts (DTR, GDR) become logs of all parts under test, or of the next
part where there is none, at most 1000 lines. Left out are counts (PCR, WRR, TSR), groups of pins (PGR, PLR), the audit
trail (ATR), retest bins (RDR), and everything else that has no field in a run.

Nothing is dropped silently: a part without an end, results without a part, and a file without its last record (MRR)
raise UnreadableReport, after the runs of the parts before.
"""

from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NoReturn

from runcard.domain.errors import InvalidInput, UnreadableReport
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.report import RunReport
from runcard.importers.stdf.lot import Ahead, Lot, ReadRecords, moment_of
from runcard.importers.stdf.measurements import Meter, remark
from runcard.importers.stdf.records import (
    ABNORMAL_END,
    NOT_EXECUTED,
    PART_FAILED,
    PART_NOT_JUDGED,
    Bps,
    Dtr,
    Eps,
    Ftr,
    Gdr,
    Mir,
    Mpr,
    Mrr,
    Pir,
    Pmr,
    Prr,
    Ptr,
    Record,
    Sdr,
    Wcr,
    Wir,
    Wrr,
)
from runcard.importers.stdf.sections import Line, Part

USED_KINDS = (Mir, Mrr, Pmr, Sdr, Wir, Wrr, Wcr, Pir, Prr, Ptr, Mpr, Ftr, Bps, Eps, Dtr, Gdr)
_MAX_LINES_BETWEEN = 1000
_CLEAN_FLAGS = (0, 128)
_TICK = timedelta(milliseconds=1)


def read_parts(ahead: Ahead, read: ReadRecords) -> Iterator[RunReport]:
    """The runs of a lot, in the order in which its parts ended, while the records are read.

    Raises UnreadableReport and InvalidInput, and what reading raises.
    """
    collector: _PartCollector | None = None
    for record in read(USED_KINDS):
        if collector is None:
            if not isinstance(record, Mir):
                raise UnreadableReport("The file has no MIR record before its first data. Upload it whole.")
            collector = _PartCollector(record, ahead)
        elif isinstance(record, Prr):
            yield collector.end_part(record)
        else:
            collector.note(record)
    if collector is None:
        raise UnreadableReport("The file has no MIR record, so it describes no lot. Upload it whole.")
    collector.finish()


class _PartCollector:
    def __init__(self, mir: Mir, ahead: Ahead) -> None:
        if not mir.job_nam:
            raise InvalidInput.at(("MIR", "JOB_NAM"), "required: name the program of the tester")
        self._lot = Lot(mir, ahead)
        self._meter = Meter(self._lot)
        self._parts: dict[tuple[int, int], Part] = {}
        self._clocks: dict[int, datetime] = {}
        self._between: deque[Line] = deque(maxlen=_MAX_LINES_BETWEEN)
        self._begun_count = 0
        self._part_count = 0
        self._is_ended = False

    def note(self, record: Record) -> None:
        """Take in a record that does not end a part."""
        if self._is_ended:
            self._fail("goes on after its last record (MRR). Split it into its lots")
        match record:
            case Ptr():
                self._note_parametric(record)
            case Mpr() | Ftr():
                self._note_result(record)
            case Pir():
                self._begin_part(record)
            case Dtr():
                self._note_line(Line("DTR", record.text_dat))
            case Gdr():
                self._note_line(Line("GDR", ", ".join(record.values)))
            case Bps():
                for part in self._parts.values():
                    part.enter(record.seq_name or "Section")
            case Eps():
                for part in self._parts.values():
                    part.leave()
            case _:
                self._note_lot(record)

    def end_part(self, record: Prr) -> RunReport:
        key = (record.head_num or 0, record.site_num or 0)
        part = self._parts.pop(key, None)
        if part is None or self._is_ended:
            self._fail(f"ends part {record.part_id!r} at {_place(*key)} that has not begun (no PIR)")
        duration = timedelta(milliseconds=record.test_t or 0)
        try:
            ended_at = part.started_at + duration
            self._clocks[key[0]] = max(self._clocks[key[0]], ended_at, part.started_at + _TICK)
        except OverflowError as error:
            raise InvalidInput.at(("PRR", "TEST_T"), "parts would end after the year 9999") from error
        self._part_count += 1
        mir = self._lot.mir
        return RunReport(
            procedure=mir.job_nam,
            procedure_is_name=True,
            procedure_version=mir.job_rev or None,
            serial_number=self._lot.serial_number(record, part.wafer, part.position),
            outcome=self._outcome(record),
            started_at=part.started_at,
            duration=duration,
            part_number=mir.part_typ or None,
            revision_number=mir.dsgn_rev or None,
            batch_number=mir.lot_id or None,
            operator=mir.oper_nam or None,
            phases=tuple(part.phases(ended_at)),
            logs=tuple(part.logs()),
            metadata=self._lot.metadata(record, part.wafer),
        )

    def finish(self) -> None:
        if self._parts:
            places = ", ".join(_place(*key) for key in list(self._parts)[:8])
            self._fail(f"ends before the part at {places} did (no PRR)")
        if not self._is_ended:
            self._fail("has no last record (MRR), so that parts may be missing")

    def _begin_part(self, record: Pir) -> None:
        head, site = key = (record.head_num or 0, record.site_num or 0)
        if key in self._parts:
            self._fail(f"begins a part at {_place(*key)} before the last part there ended (no PRR)")
        self._begun_count += 1
        wafer = self._lot.wafer_at(head, site)
        started_at = self._clocks.setdefault(head, self._lot.started_at)
        if wafer is not None and wafer.start_t is not None:
            started_at = self._clocks[head] = max(started_at, moment_of(wafer.start_t))
        self._parts[key] = part = Part(started_at, self._begun_count, wafer)
        part.lines.extend(self._between)
        self._between.clear()

    def _note_parametric(self, record: Ptr) -> None:
        part = self._parts.get((record.head_num, record.site_num))
        if part is None:
            self._note_result(record)
            return
        measurement = self._meter.parametric(record)
        section = part.section or part.current()
        section.measurements.append(measurement)
        section.is_executed |= not record.test_flg & NOT_EXECUTED
        if record.test_flg not in _CLEAN_FLAGS or record.parm_flg:
            _warn(part, record, measurement.name)

    def _note_result(self, record: Ptr | Mpr | Ftr) -> None:
        part = self._parts.get((record.head_num, record.site_num))
        meaning = self._meter.note(record)
        if part is None:
            # By the specification, a record that was not executed may give defaults before the first part.
            if record.test_flg & NOT_EXECUTED:
                return
            place = _place(record.head_num, record.site_num)
            self._fail(f"has a result of {meaning.name!r} at {place}, where no part is under test (no PIR)")
        section = part.current()
        if isinstance(record, Mpr):
            section.measurements.extend(self._meter.multiple(record))
        elif isinstance(record, Ftr):
            section.measurements.append(self._meter.functional(record))
        section.is_executed |= not record.test_flg & NOT_EXECUTED
        _warn(part, record, meaning.name)

    def _note_line(self, line: Line) -> None:
        for part in self._parts.values():
            part.lines.append(line)
        if not self._parts:
            self._between.append(line)

    def _note_lot(self, record: Record) -> None:
        match record:
            case Mir():
                self._fail("has a second MIR record. Split it into its lots")
            case Mrr():
                self._is_ended = True
            case Pmr():
                self._meter.add_pin(record)
            case Sdr():
                self._lot.add_equipment(record)
            case Wcr():
                self._lot.set_orientation(record)
            case Wir():
                self._lot.begin_wafer(record)
            case Wrr():
                self._lot.end_wafer(record)
            case _:
                pass

    def _outcome(self, record: Prr) -> RunOutcome:
        """The outcome by PART_FLG, else by the bins; ERROR where neither judges."""
        flags = record.part_flg or 0
        if flags & ABNORMAL_END:
            return "ABORTED"
        if flags & PART_NOT_JUDGED:
            judged: dict[str, RunOutcome] = {"P": "PASS", "F": "FAIL"}
            return judged.get(self._lot.claimed_by_bin(record), "ERROR")
        return "FAIL" if flags & PART_FAILED else "PASS"

    def _fail(self, what: str) -> NoReturn:
        raise UnreadableReport(f"The file {what}; {self._part_count} parts before that are complete.")


def _place(head: int, site: int) -> str:
    return f"head {head} site {site}"


def _warn(part: Part, record: Ptr | Mpr | Ftr, name: str) -> None:
    text = remark(record, name)
    if text is not None:
        part.lines.append(Line({Ptr: "PTR", Mpr: "MPR", Ftr: "FTR"}[type(record)], text))
