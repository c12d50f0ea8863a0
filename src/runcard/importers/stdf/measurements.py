"""Records of results as measurements.

The outcome is that of the tester: FAIL or PASS by TEST_FLG, UNSET where it did not judge or did not execute. A result
that the specification calls not useful (an alarm, an unreliable or invalid result, a time-out, an abort, an error of
scale or drift, an oscillation) becomes a measurement without a value; its number goes to the log. The value of a
functional result is whether it passed; the place where its pattern failed goes to the log.

Limits, names, units, pins and inputs that a record lacks are those of the first record of its number and text, else of
its number. (For functional records the specification says so only of PATG_NUM and SPIN_MAP, which are left out.)
Limits count as inclusive. What PARM_FLG says of equality is ignored: few testers set it, the outcome does not depend on
it, and capability needs the limits. Limits of the specification (LO_SPEC, HI_SPEC) become checks that are not decisive.
What is only for display is left out: scaling exponents, formats, and states of pins.
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
# For how many numbers and texts the first record is remembered. No program has more, unless its texts never repeat.
_MAX_FIRST = 200_000

T = TypeVar("T")


class Meaning(NamedTuple):
    """What all results with one description have in common."""

    name: str
    uom: str | None
    low: float | None
    high: float | None
    validators: tuple[Validator, ...]
    low_spec: float | None = None
    high_spec: float | None = None


class _Firsts(Generic[T]):
    """The first value for each number and text, and for each number."""

    def __init__(self) -> None:
        # The first value of a number is kept under an empty text.
        self._known: dict[tuple[int, str], T] = {}

    def find(self, number: int, text: str) -> T | None:
        return self._known.get((number, text)) or self._known.get((number, ""))

    def keep(self, number: int, text: str, value: T) -> None:
        if len(self._known) < _MAX_FIRST:
            self._known.setdefault((number, ""), value)
            self._known.setdefault((number, text), value)


class Meter:
    """Turns records of results into measurements. It remembers the first record of each number."""

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
        """The meaning of a record, which is remembered for later records of the same number that leave it out."""
        if isinstance(record, Mpr):
            self._inputs(record)
            return self.meaning(record.number, record.inputs.description)
        return self.meaning(record.number, record.description)

    def meaning(self, number: int, description: Description) -> Meaning:
        known = self._known.get(description)
        if known is None:
            if len(self._known) >= _MAX_KNOWN:
                self._known.clear()
            known = self._known[description] = self._resolved(number, description)
        return known

    def parametric(self, record: Ptr) -> Measurement:
        name, uom, low, high, validators, *_ = self.meaning(record.number, record.description)
        flags, value = record.test_flg, record.result
        if flags & _USELESS or record.parm_flg & _USELESS_PARAMETRIC:
            value = None
        return Measurement(name, _outcome(flags), value, uom, low, high, validators)

    def functional(self, record: Ftr) -> Measurement:
        outcome = _outcome(record.test_flg)
        value = None if outcome == "UNSET" else outcome == "PASS"
        return Measurement(self.meaning(record.number, record.description).name, outcome, value)

    def multiple(self, record: Mpr) -> Iterator[Measurement]:
        """A measurement for each pin, or one with an axis where an input was stepped or the pins are not named."""
        inputs = self._inputs(record)
        meaning, outcome = self.meaning(record.number, inputs.description), _outcome(record.test_flg)
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
        """The inputs of a record, completed from the first record of its number."""
        own, text = record.inputs, record.inputs.description.text
        first = self._first_inputs.find(record.number, text) or own
        found = Inputs(
            own.description,
            own.pins or first.pins,
            first.start_in if own.start_in is None else own.start_in,
            first.incr_in if own.incr_in is None else own.incr_in,
            own.units_in or first.units_in,
        )
        self._first_inputs.keep(record.number, text, found)
        return found

    def _resolved(self, number: int, description: Description) -> Meaning:
        first = self._first.find(number, description.text) or _NOTHING
        low_spec, high_spec = (
            _limit(description.low_spec, first.low_spec),
            _limit(description.high_spec, first.high_spec),
        )
        found = Meaning(
            self._name(number, description.text) if description.text or not first.name else first.name,
            description.units or first.uom,
            _limit(description.low, first.low),
            _limit(description.high, first.high),
            tuple(
                Validator(expression_of(symbol, bound), symbol, bound, is_decisive=False)
                for symbol, bound in ((">=", low_spec), ("<=", high_spec))
                if bound is not None
            ),
            low_spec,
            high_spec,
        )
        self._first.keep(number, description.text, found)
        return found

    def _name(self, number: int, text: str) -> str:
        """The name of a measurement. It begins with the number, which is unique and which people on the floor use."""
        return " ".join(f"{number} {text or self._lot.name_of(number)}".split())


def remark(record: Ptr | Mpr | Ftr, name: str) -> str | None:
    """A log line about what went wrong besides the outcome; None where nothing did."""
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
    description = record.description if isinstance(record, Ptr) else record.inputs.description
    if description.alarm_id:
        words.append(f"alarm {description.alarm_id}")
    results = (record.result,) if isinstance(record, Ptr) else record.results
    numbers = [str(result) for result in results if result is not None]
    if numbers:
        words.append(f"result {', '.join(numbers)} {description.units}".rstrip())
    return _sentence(name, words)


def _first_failure(record: Ftr) -> list[str]:
    facts = {
        "alarm": record.description.alarm_id if record.test_flg & ALARM else "",
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
    """The outcome of each pin. The tester judges all pins together: where it says FAIL, only the pins beyond a limit
    fail, or all if none is beyond.
    """
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
    """The axis of the stepped input, or of positions from 1 where no input was stepped, and the results."""
    values = Series(list(results), meaning.uom, meaning.name)
    start, step = inputs.start_in, inputs.incr_in
    if start is None or step is None or not step:
        return Series(list(range(1, len(results) + 1)), name="position"), values
    # Rounded to the precision of the tester's 32-bit numbers, so that steps of 0.1 stay 0.1.
    steps: list[float | int] = [float(f"{start + position * step:.7g}") for position in range(len(results))]
    return Series(steps, inputs.units_in or None, "input"), values


def _limit(own: Bound, first: float | None) -> float | None:
    found = first if own is UNSET else own
    return found if isinstance(found, float) and is_bound(found) else None


_NOTHING = Meaning("", None, None, None, ())
