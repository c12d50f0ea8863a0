"""A quantity: the values of a measurement in one phase and one unit of measure, which form one set of numbers.

Values of two phases (at 1 V and at 10 V), or in volts and in degrees, have no common mean. Values in volts and in
millivolts have one, because they convert.
"""

from collections.abc import Sequence
from typing import NamedTuple

from runcard.analytics.conditions import Conditions
from runcard.analytics.measured import SpecRow, on_values
from runcard.analytics.snapshot import Asking
from runcard.domain.uom import power_between, times_power


class Quantity(NamedTuple):
    """specs: the specifications of the numbers, with limits in `uom`. number: SQL of a number in `uom`.

    phase, sequence_path, uom: None if there are no specs. others: specs of the same name that do not belong to it.
    """

    specs: Sequence[SpecRow] = ()
    phase: str | None = None
    sequence_path: str | None = None
    uom: str | None = None
    number: str = "x.num"
    others: Sequence[SpecRow] = ()

    @property
    def every(self) -> Sequence[SpecRow]:
        return [*self.specs, *self.others]


def latest_quantity(
    asking: Asking, specs: Sequence[SpecRow], uom: str | None = None, *, only_final: bool
) -> Quantity:
    """The quantity of the latest number, in its phase, and in its unit of measure or in `uom` if that is given.

    If there is no number, the quantity of the latest value, without a unit of measure.
    """
    if not specs:
        return Quantity()
    if len({(spec.phase, spec.sequence_path, spec.uom) for spec in specs}) == 1:
        return _quantity(specs, specs[0], uom or specs[0].uom)
    latest = _latest(asking, specs, Conditions.of("x.num IS NOT NULL"), only_final=only_final)
    if latest is not None:
        return _quantity(specs, latest, uom or latest.uom)
    latest = _latest(asking, specs, Conditions(), only_final=only_final)
    if latest is None:
        return Quantity(others=specs)
    own = [spec for spec in specs if _place(spec) == _place(latest)]
    others = [spec for spec in specs if _place(spec) != _place(latest)]
    return Quantity(own, latest.phase, latest.sequence_path, None, others=others)


def _latest(
    asking: Asking, specs: Sequence[SpecRow], values: Conditions, *, only_final: bool
) -> SpecRow | None:
    conditions = on_values(asking, specs, only_final=only_final).and_of(values)
    found = asking.rows(
        f"SELECT x.spec FROM measurements x JOIN runs r USING (run) WHERE {conditions.sql} "
        "GROUP BY x.spec ORDER BY max(x.started_at) DESC, max(x.run) DESC, max(x.position) DESC LIMIT 1",
        conditions.values,
    )
    return next((spec for spec in specs if (spec.spec,) in found), None)


def _place(spec: SpecRow) -> tuple[str, str | None]:
    return spec.phase, spec.sequence_path


def _quantity(specs: Sequence[SpecRow], latest: SpecRow, uom: str | None) -> Quantity:
    own, others = list[SpecRow](), list[SpecRow]()
    numbers: dict[int, list[str]] = {}
    for spec in specs:
        power = power_between(spec.uom, uom)
        if power is None or _place(spec) != _place(latest):
            others.append(spec)
            continue
        own.append(_converted(spec, power, uom))
        numbers.setdefault(power, []).append(str(spec.spec))
    return Quantity(own, latest.phase, latest.sequence_path, uom, _number(numbers), others)


def _converted(spec: SpecRow, power: int, uom: str | None) -> SpecRow:
    lower, upper = (
        None if bound is None else times_power(bound, power) for bound in (spec.lower, spec.upper)
    )
    return spec._replace(uom=uom, lower=lower, upper=upper)


def _number(specs_by_power: dict[int, list[str]]) -> str:
    """SQL of the number of `measurements x`, times the power of ten of its spec."""
    cases = [
        f"WHEN x.spec IN ({', '.join(specs)}) THEN x.num {'*' if power > 0 else '/'} 1e{abs(power)}::DOUBLE"
        for power, specs in specs_by_power.items()
        if power
    ]
    return f"(CASE {' '.join(cases)} ELSE x.num END)" if cases else "x.num"
