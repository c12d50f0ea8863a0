"""Header cells that say what a column measures: `TP46 (V) 23.5 <= x <= 24.5`, `Flash == 100 [1]`, `LED (lx)`.

Such a cell has a name, a unit of measure in parentheses, a condition, and in brackets the number of a repetition, from
0. Everything but the name may be missing.
"""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from runcard.domain.runs.measurement import Measurement, storable_number
from runcard.domain.runs.outcome import MeasurementOutcome
from runcard.domain.runs.validator import Validator, expression_of, judge, limit_validators
from runcard.importers.content.cells import CellValue

_MAX_LENGTH = 500
_NUMBER = r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][+-]?\d+)?"
_CONDITION = (
    rf"(?:(?P<low>{_NUMBER})\s*(?P<above><=|<|≤)\s*x\s*(?P<below><=|<|≤)\s*(?P<high>{_NUMBER})"
    rf"|(?:x\s*)?(?P<symbol><=|>=|==|!=|<|>|=|≤|≥)\s*(?P<expected>{_NUMBER}))"
)
_HEADING = re.compile(
    rf"(?P<name>\S.*?)\s*(?:\((?P<uom>[^()]*)\))?\s*(?P<condition>{_CONDITION})?\s*(?:\[(?P<index>\d{{1,9}})\])?"
)
_SAME = {"≤": "<=", "≥": ">=", "=": "=="}
_NO_UOM = ("", "none", "-", "n/a")


class ColumnHeading(NamedTuple):
    """lower, upper: inclusive limits. checks: conditions that are no such limit, as `<`; not judged yet."""

    name: str
    uom: str | None
    lower: float | None
    upper: float | None
    checks: Sequence[Validator]

    @property
    def has_condition(self) -> bool:
        return bool(self.checks) or self.lower is not None or self.upper is not None

    def measured(self, value: CellValue) -> Measurement:
        """The measurement of a value in this column: FAIL if a limit or check fails, UNSET if none can be judged."""
        exact = None
        if type(value) is int:
            value, exact = storable_number(value)
        checks = tuple(replace(check, outcome=judge(check, value)) for check in self.checks)
        outcomes = {check.outcome for check in (*limit_validators(self.lower, self.upper, value), *checks)}
        outcome: MeasurementOutcome = "UNSET"
        if "FAIL" in outcomes:
            outcome = "FAIL"
        elif outcomes == {"PASS"}:
            outcome = "PASS"
        return Measurement(self.name, outcome, value, self.uom, self.lower, self.upper, checks, exact=exact)


def read_heading(title: str) -> ColumnHeading | None:
    """The heading in a column's title; None where the title has neither a unit of measure nor a condition."""
    found = _HEADING.fullmatch(" ".join(title.split())) if len(title) <= _MAX_LENGTH else None
    if found is None or (found["uom"] is None and found["condition"] is None):
        return None
    bounds = list(_bounds(found))
    limits = {symbol: number for symbol, number in bounds if symbol in (">=", "<=")}
    checks = [
        Validator(expression_of(symbol, number), symbol, number)
        for symbol, number in bounds
        if symbol not in limits
    ]
    repetition = "" if int(found["index"] or 0) == 0 else f" [{int(found['index'])}]"
    uom = (found["uom"] or "").strip()
    return ColumnHeading(
        found["name"] + repetition,
        None if uom.casefold() in _NO_UOM else uom,
        limits.get(">="),
        limits.get("<="),
        checks,
    )


def _bounds(found: re.Match[str]) -> Iterator[tuple[str, float]]:
    """The comparisons of a condition, each as a symbol such as `>=` and a number."""
    if found["low"] is not None:
        yield (">=" if _symbol(found["above"]) == "<=" else ">"), _number(found["low"])
        yield _symbol(found["below"]), _number(found["high"])
    elif found["symbol"] is not None:
        yield _symbol(found["symbol"]), _number(found["expected"])


def _symbol(written: str) -> str:
    return _SAME.get(written, written)


def _number(text: str) -> float:
    return float(text.replace(",", "."))
