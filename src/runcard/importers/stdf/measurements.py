"""Records of results as measurements.

The outcome is that of the tester: FAIL or PASS as TEST_FLG says, UNSET where it did not judge or did not execute. A
result that the specification calls not useful (an alarm, an unreliable or invalid result, a time-out, an abort, an
error of scale or drift, an oscillation) is no value; a log line keeps the number. Of a functional result the value is
whether it passed; where its pattern failed is logged.

Limits, names, units, pins and inputs that a record does not give are those of the first record of its number and text,
else of its number. (Of functional records the specification says so of PATG_NUM and SPIN_MAP alone, which are left
out.) Limits count as inclusive whatever PARM_FLG says of equality, which few testers set: the outcome does not depend
on it, and capability needs them. Limits of the specification (LO_SPEC, HI_SPEC) are checks that decide nothing. What is
only for display is left out: scaling exponents, formats, and states of pins.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Generic, NamedTuple, TypeVar

from msgspec import UNSET

from runcard.domain.runs.measurement import Measurement, Series
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import Validator, expression_of, is_bound
from runcard.importers.stdf.lot import Lot
from runcard.importers.stdf.records import (
    ABORTED,
    ALARM,
    DRIFT,
    FAILED,
    INVALID,
    NOT_EXECUTED,
    NOT_JUDGED,
    OSCILLATION,
    SCALE_ERROR,
    TIMEOUT,
    UNRELIABLE,
    Bound,
    Description,
    Ftr,
    Inputs,
    Mpr,
    Pmr,
    Ptr,
)

_FLAG_WORDS = {
    ALARM: "alarm",
    INVALID: "invalid result",
    UNRELIABLE: "unreliable result",
    TIMEOUT: "time-out",
    ABORTED: "aborted",
}
_PARAMETRIC_WORDS = {SCALE_ERROR: "scale error", DRIFT: "drift", OSCILLATION: "oscillation"}
_USELESS = ALARM | INVALID | UNRELIABLE | TIMEOUT | NOT_EXECUTED | ABORTED
_USELESS_PARAMETRIC = SCALE_ERROR | DRIFT | OSCILLATION
_MAX_KNOWN = 50_000
# Of so many numbers and texts the first record is remembered: more than any program has, except for texts that never
# come again.
_MAX_FIRST = 200_000

T = TypeVar("T")


class Meaning(NamedTuple):
    """What all results of one description have in common."""

    name: str
    uom: str | None
    low: float | None
    high: float | None
    validators: tuple[Validator, ...]
    low_spec: float | None = None
    high_spec: float | None = None


class _Firsts(Generic[T]):
    """What the first record of each number and text said, and the first of each number."""

    def __init__(self) -> None:
        # The first of each number stands under an empty text.
        self._known: dict[tuple[int, str], T] = {}

    def find(self, number: int, text: str) -> T | None:
        return self._known.get((number, text)) or self._known.get((number, ""))

    def keep(self, number: int, text: str, said: T) -> None:
        if len(self._known) < _MAX_FIRST:
            self._known.setdefault((number, ""), said)
            self._known.setdefault((number, text), said)


class Meter:
    """Turns records of results into measurements; knows what the first record of each number said."""

    def __init__(self, lot: Lot) -> None:
        self._lot = lot
        self._first = _Firsts[Meaning]()
        self._first_inputs = _Firsts[Inputs]()
        self._known: dict[Description, Meaning] = {}
        self._pins: dict[int, str] = {}

    def add_pin(self, record: Pmr) -> None:
        name = record.log_nam or record.phy_nam or record.chan_nam
        if record.pmr_indx is not None and name:
            self._pins[record.pmr_indx] = name

    def note(self, record: Mpr | Ftr | Ptr) -> Meaning:
        """What a record says, which others of its number may leave out after it."""
        if isinstance(record, Mpr):
            self._inputs(record)
            return self.meaning(record.number, record.inputs.said)
        return self.meaning(record.number, record.said)

    def meaning(self, number: int, said: Description) -> Meaning:
        known = self._known.get(said)
        if known is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            known = self._known[said] = self._resolved(number, said)
        return known

    def parametric(self, record: Ptr) -> Measurement:
        name, uom, low, high, validators, *_ = self.meaning(record.number, record.said)
        flags, value = record.test_flg, record.result
        if flags & _USELESS or record.parm_flg & _USELESS_PARAMETRIC:
            value = None
        return Measurement(name, _outcome(flags), value, uom, low, high, validators)

    def functional(self, record: Ftr) -> Measurement:
        outcome = _outcome(record.test_flg)
        value = None if outcome == "UNSET" else outcome == "PASS"
        return Measurement(self.meaning(record.number, record.said).name, outcome, value)

    def multiple(self, record: Mpr) -> Iterator[Measurement]:
        """One measurement for each pin, or one with an axis where an input was stepped or no pins are named."""
        inputs = self._inputs(record)
        meaning, outcome = self.meaning(record.number, inputs.said), _outcome(record.test_flg)
        is_useful = not (record.test_flg & _USELESS or record.parm_flg & _USELESS_PARAMETRIC)
        if len(inputs.pins) == len(record.results) > 0 and not inputs.incr_in:
            outcomes = _pin_outcomes(outcome, record.results, meaning)
            for pin, result, own in zip(inputs.pins, record.results, outcomes, strict=True):
                name = f"{meaning.name} {self._pins.get(pin) or f'pin {pin}'}"
                value = result if is_useful else None
                yield Measurement(
                    name, own, value, meaning.uom, meaning.low, meaning.high, meaning.validators
                )
        else:
            series = _axes(meaning, inputs, record.results) if is_useful and record.results else ()
            uom = None if series else meaning.uom
            yield Measurement(
                meaning.name, outcome, None, uom, meaning.low, meaning.high, meaning.validators, series
            )

    def _inputs(self, record: Mpr) -> Inputs:
        """The inputs of a record, with what it leaves out."""
        own, text = record.inputs, record.inputs.said.text
        first = self._first_inputs.find(record.number, text) or own
        found = Inputs(
            own.said,
            own.pins or first.pins,
            first.start_in if own.start_in is None else own.start_in,
            first.incr_in if own.incr_in is None else own.incr_in,
            own.units_in or first.units_in,
        )
        self._first_inputs.keep(record.number, text, found)
        return found

    def _resolved(self, number: int, said: Description) -> Meaning:
        first = self._first.find(number, said.text) or _NOTHING
        low_spec, high_spec = _limit(said.low_spec, first.low_spec), _limit(said.high_spec, first.high_spec)
        found = Meaning(
            self._name(number, said.text) if said.text or not first.name else first.name,
            said.units or first.uom,
            _limit(said.low, first.low),
            _limit(said.high, first.high),
            tuple(
                Validator(expression_of(symbol, bound), symbol, bound, is_decisive=False)
                for symbol, bound in ((">=", low_spec), ("<=", high_spec))
                if bound is not None
            ),
            low_spec,
            high_spec,
        )
        self._first.keep(number, said.text, found)
        return found

    def _name(self, number: int, text: str) -> str:
        """The number tells apart what has the same text, and is what people on the floor say."""
        return " ".join(f"{number} {text or self._lot.name_of(number)}".split())


def remark(record: Ptr | Mpr | Ftr, name: str) -> str | None:
    """What went wrong, for the log; None where nothing did, but for the outcome itself."""
    if record.test_flg & NOT_EXECUTED:
        return None
    words = [word for flag, word in _FLAG_WORDS.items() if record.test_flg & flag]
    if isinstance(record, Ftr):
        if not words and not record.test_flg & FAILED:
            return None
        return _sentence(name, [*words, *_first_failure(record)])
    words += [word for flag, word in _PARAMETRIC_WORDS.items() if record.parm_flg & flag]
    if not words:
        return None
    said = record.said if isinstance(record, Ptr) else record.inputs.said
    if said.alarm_id:
        words.append(f"alarm {said.alarm_id}")
    results = (record.result,) if isinstance(record, Ptr) else record.results
    numbers = [str(result) for result in results if result is not None]
    if numbers:
        words.append(f"result {', '.join(numbers)} {said.units}".rstrip())
    return _sentence(name, words)


def _first_failure(record: Ftr) -> list[str]:
    facts = {
        "alarm": record.said.alarm_id if record.test_flg & ALARM else "",
        "vector": record.vect_nam,
        "cycle": record.cycl_cnt,
        "address": record.rel_vadr,
        "failing pins": record.num_fail,
        "result": record.rslt_txt,
    }
    return [f"{fact} {value}" for fact, value in facts.items() if value not in ("", None)]


def _sentence(name: str, words: Sequence[str]) -> str | None:
    return f"{name}: {', '.join(words)}" if words else None


def _outcome(test_flg: int) -> MeasurementOutcome:
    if test_flg & (NOT_JUDGED | NOT_EXECUTED):
        return "UNSET"
    return "FAIL" if test_flg & FAILED else "PASS"


def _pin_outcomes(
    outcome: MeasurementOutcome, results: Sequence[float], meaning: Meaning
) -> list[MeasurementOutcome]:
    """The tester judges all pins at once: where it failed them, those beyond a limit are to blame, else all."""
    beyond = [
        math.isnan(result)
        or (meaning.low is not None and result < meaning.low)
        or (meaning.high is not None and result > meaning.high)
        for result in results
    ]
    if outcome != "FAIL" or not any(beyond):
        return [outcome] * len(results)
    return ["FAIL" if is_beyond else "PASS" for is_beyond in beyond]


def _axes(meaning: Meaning, inputs: Inputs, results: Sequence[float]) -> tuple[Series, ...]:
    """The input, or the position from 1 where none was stepped, and the results over it."""
    values = Series(list(results), meaning.uom, meaning.name)
    start, step = inputs.start_in, inputs.incr_in
    if start is None or step is None or not step:
        return Series(list(range(1, len(results) + 1)), name="position"), values
    # Rounded as the tester's numbers of 32 bits are, so that steps of 0.1 stay such.
    steps: list[float | int] = [float(f"{start + position * step:.7g}") for position in range(len(results))]
    return Series(steps, inputs.units_in or None, "input"), values


def _limit(said: Bound, first: float | None) -> float | None:
    found = first if said is UNSET else said
    return found if isinstance(found, float) and is_bound(found) else None


_NOTHING = Meaning("", None, None, None, ())
