"""The values that a question about a measurement takes, and the limits by which they were judged."""

import math
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from runcard.analytics.conditions import Conditions
from runcard.analytics.snapshot import Asking, Selection
from runcard.domain.errors import InvalidInput
from runcard.domain.uom import power_between

# Specs are literals in a query. Comparing ten times as many would take longer than an answer may take.
MAX_SPECS = 1000
# The order of the specifications of a procedure. Not by number: a new copy would give other numbers.
BY_NAME = "phase, sequence_path NULLS FIRST, name, uom NULLS FIRST, lower NULLS FIRST, upper NULLS FIRST"


class MeasurementSelection(NamedTuple):
    """A measurement of a procedure, in the runs of a selection.

    phase, sequence_path: None: any phase. uom: None: any unit of measure; empty: no unit of measure. only_final:
    without values of attempts of a phase that were repeated in the same run.
    """

    procedure_id: UUID
    name: str
    phase: str | None = None
    only_final: bool = True
    sequence_path: str | None = None
    uom: str | None = None

    def among(self, selection: Selection) -> Selection:
        """The selection, narrowed to runs of the procedure."""
        return selection._replace(runs=replace(selection.runs, procedure_ids=[self.procedure_id]))


class SpecRow(NamedTuple):
    """A specification of a measurement. When its limits or unit of measure change, it gets another specification.

    spec: its number in the copy.
    """

    spec: int
    phase: str
    sequence_path: str | None
    name: str
    uom: str | None
    lower: float | None
    upper: float | None
    lower_is_strict: bool = False
    upper_is_strict: bool = False


def find_specs(
    asking: Asking, measured: MeasurementSelection, field: str = "measurement_name"
) -> Sequence[SpecRow]:
    """The specifications of a measurement, in order of phase, unit of measure and limits.

    Raises InvalidInput, naming `field`, for more than MAX_SPECS: if each run computes its limits, each has its own
    specification.
    """
    conditions = asking.snapshot.of_procedures([measured.procedure_id], "procedure")
    conditions.add("name = ?", measured.name)
    conditions.one_of("phase", None if measured.phase is None else [measured.phase])
    conditions.one_of("sequence_path", None if measured.sequence_path is None else [measured.sequence_path])
    rows = asking.rows(
        f"SELECT {', '.join(SpecRow._fields)} FROM specs WHERE {conditions.sql} ORDER BY {BY_NAME} LIMIT ?",
        [*conditions.values, MAX_SPECS + 1],
    )
    if len(rows) > MAX_SPECS:
        raise InvalidInput.at(
            field,
            f"the limits of {measured.name!r} changed too often: it has more than {MAX_SPECS} specifications; name a "
            "phase in which they change less often",
        )
    specs = [SpecRow(*row) for row in rows]
    if measured.uom is None:
        return specs
    return [spec for spec in specs if power_between(spec.uom, measured.uom or None) is not None]


def on_values(asking: Asking, specs: Sequence[SpecRow], *, only_final: bool) -> Conditions:
    """The condition on `measurements x JOIN runs r USING (run)`: a row has one of these specs, and its run is selected.

    The numbers of specs are literals, which rule out more than a join. A finite number has a `num` that is not NULL.
    """
    found = on_specs(specs)
    if only_final:
        found.add("x.is_final")
    return found.and_of(asking.runs)


class Survey(NamedTuple):
    """step: one number in `step` makes a sample of at most about the wanted size.

    has_others: whether any run has values with these specs that are not finite, or are of repeated attempts.
    """

    step: int
    has_others: bool


def survey_of(asking: Asking, specs: Sequence[SpecRow], numbers: Conditions, most: int) -> Survey:
    """The survey for a sample of at most about `most` numbers. numbers: their conditions; all have these specs."""
    every = on_specs(specs)
    n, others = asking.one(
        "SELECT count(x.num), count(*) FILTER (WHERE x.num IS NULL OR NOT x.is_final) "
        f"FROM measurements x WHERE {every.sql}",
        every.values,
    )
    if n > most:
        # Count the selected numbers only if it matters, because that takes longer.
        [n] = asking.one(
            f"SELECT count(*) FROM measurements x JOIN runs r USING (run) WHERE {numbers.sql}", numbers.values
        )
    return Survey(max(1, math.ceil(n / most)), others > 0)


def on_specs(specs: Sequence[SpecRow]) -> Conditions:
    """The condition that a row of `measurements x` has one of these specs."""
    found = Conditions()
    found.one_of("x.spec", [spec.spec for spec in specs], "INTEGER")
    return found
