"""Parts of a lot as runs: what the records of STDF and ATDF mean.

A part (from its PIR to its PRR, at one head and site, while others are under way at other sites) is a run of the
program MIR.JOB_NAM on the unit that `Lot.serial_number` names. A part that is tested again is one more run of its unit.

A phase is a section of the program (BPS to EPS; sections inside of sections are joined by `/`) with its results as
measurements, or `Measurements` for results outside of sections: an engineer reads one table for each section, and not
some thousand phases of one value. A section that comes again is another attempt; it ends one of its name that was not
ended. A phase fails where a result in it did, and is skipped where none was executed.

Testers note when a lot and a wafer began, and how long a part took. So a part starts when its lot or wafer did and what
the head tested before it has taken, at least a millisecond each; its phases have its times. Texts (DTR, GDR) are logs
of all parts that are under way, or of the next part where none is, at most 1000 lines. Left out are counts (PCR, WRR,
TSR), groups of pins (PGR, PLR), the audit trail (ATR), retest bins (RDR), and what fills no field of a run.

Nothing is dropped in silence: a part that does not end, results of no part, and a file without its last record (MRR)
raise UnreadableReport, after the runs of the parts that came before.
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

WANTED = (Mir, Mrr, Pmr, Sdr, Wir, Wrr, Wcr, Pir, Prr, Ptr, Mpr, Ftr, Bps, Eps, Dtr, Gdr)
_MAX_LINES_BETWEEN = 1000
_CLEAN_FLAGS = (0, 128)
_TICK = timedelta(milliseconds=1)


def tell_parts(ahead: Ahead, read: ReadRecords) -> Iterator[RunReport]:
    """The runs of a lot in the order in which parts ended, as the records are read. Raises UnreadableReport and
    InvalidInput, and what reading raises.
    """
    teller: _Teller | None = None
    for record in read(WANTED):
        if teller is None:
            if not isinstance(record, Mir):
                raise UnreadableReport("The file has no MIR record before its first data. Upload it whole.")
            teller = _Teller(record, ahead)
        elif isinstance(record, Prr):
            yield teller.end_part(record)
        else:
            teller.note(record)
    if teller is None:
        raise UnreadableReport("The file has no MIR record, and tells of no lot. Upload it whole.")
    teller.finish()


class _Teller:
    def __init__(self, mir: Mir, ahead: Ahead) -> None:
        if not mir.job_nam:
            raise InvalidInput.at(("MIR", "JOB_NAM"), "required: name the program of the tester")
        self._lot = Lot(mir, ahead)
        self._meter = Meter(self._lot)
        self._parts: dict[tuple[int, int], Part] = {}
        self._clocks: dict[int, datetime] = {}
        self._between: deque[Line] = deque(maxlen=_MAX_LINES_BETWEEN)
        self._begun_count = 0
        self._told_count = 0
        self._is_ended = False

    def note(self, record: Record) -> None:
        """Take in what is no end of a part."""
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
        self._told_count += 1
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
            self._fail(f"begins a part at {_place(*key)} before the one there ended (no PRR)")
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
            # The specification lets a record that was not executed say defaults before all parts.
            if record.test_flg & NOT_EXECUTED:
                return
            place = _place(record.head_num, record.site_num)
            self._fail(f"has a result of {meaning.name!r} at {place}, where no part is under way (no PIR)")
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
        """As PART_FLG says; where it does not judge, as the bin does; ERROR where nothing does."""
        flags = record.part_flg or 0
        if flags & ABNORMAL_END:
            return "ABORTED"
        if flags & PART_NOT_JUDGED:
            judged: dict[str, RunOutcome] = {"P": "PASS", "F": "FAIL"}
            return judged.get(self._lot.claimed_by_bin(record), "ERROR")
        return "FAIL" if flags & PART_FAILED else "PASS"

    def _fail(self, what: str) -> NoReturn:
        raise UnreadableReport(f"The file {what}; {self._told_count} parts before that are whole.")


def _place(head: int, site: int) -> str:
    return f"head {head} site {site}"


def _warn(part: Part, record: Ptr | Mpr | Ftr, name: str) -> None:
    text = remark(record, name)
    if text is not None:
        part.lines.append(Line({Ptr: "PTR", Mpr: "MPR", Ftr: "FTR"}[type(record)], text))
