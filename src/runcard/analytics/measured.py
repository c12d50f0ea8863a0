"""Which values a question about a measurement is about, and the limits that they were judged by."""

import math
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from runcard.analytics.conditions import Conditions
from runcard.analytics.snapshot import Asking, Selection
from runcard.domain.errors import InvalidInput
from runcard.domain.uom import power_between

# Literals in a query: ten times as many would take longer to compare than answers may take.
MAX_SPECS = 1000
# The order of specifications of a procedure. Their numbers are those of one copy, and would be others in a new one.
BY_NAME = "phase, sequence_path NULLS FIRST, name, uom NULLS FIRST, lower NULLS FIRST, upper NULLS FIRST"


class MeasurementSelection(NamedTuple):
    """A measurement of a procedure, in the runs of a selection.

    phase, sequence_path: None: in whichever phase. uom: None: in whichever unit of measure; an empty text: in none.
    only_final: not those of attempts of a phase that were repeated in the same run.
    """

    procedure_id: UUID
    name: str
    phase: str | None = None
    only_final: bool = True
    sequence_path: str | None = None
    uom: str | None = None

    def among(self, selection: Selection) -> Selection:
        """The runs of a selection that are of the procedure."""
        return selection._replace(runs=replace(selection.runs, procedure_ids=[self.procedure_id]))


class SpecRow(NamedTuple):
    """A measurement as it was specified for a while: where its limits or unit of measure change, another follows.

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
    """How a measurement was specified, by phase, unit of measure and limits.

    Raises InvalidInput, naming `field`, for more than MAX_SPECS: there is one for each run where limits are computed
    anew each time.
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
            "phase in which they change less",
        )
    specs = [SpecRow(*row) for row in rows]
    if measured.uom is None:
        return specs
    return [one for one in specs if power_between(one.uom, measured.uom or None) is not None]


def on_values(asking: Asking, specs: Sequence[SpecRow], *, only_final: bool) -> Conditions:
    """What a row of `measurements x JOIN runs r USING (run)` must keep: it is specified so, and its run is selected.

    The numbers of specs are literals, which rule out more than a join with them. Finite numbers are those whose `num`
    is not NULL.
    """
    found = on_specs(specs)
    if only_final:
        found.add("x.is_final")
    return found.and_of(asking.runs)


class Looked(NamedTuple):
    """step: of the numbers, one in so many makes at most about as many as are wanted.

    has_others: whether any run has values with these specs that are no finite numbers, or of repeated attempts.
    """

    step: int
    has_others: bool


def look_at(asking: Asking, specs: Sequence[SpecRow], numbers: Conditions, most: int) -> Looked:
    """How many of the numbers that keep these conditions, all with these specs, make about `most`."""
    every = on_specs(specs)
    n, others = asking.one(
        "SELECT count(x.num), count(*) FILTER (x.num IS NULL OR NOT x.is_final) "
        f"FROM measurements x WHERE {every.sql}",
        every.values,
    )
    if n > most:
        # Only then, because it takes longer: how many are selected.
        [n] = asking.one(
            f"SELECT count(*) FROM measurements x JOIN runs r USING (run) WHERE {numbers.sql}", numbers.values
        )
    return Looked(max(1, math.ceil(n / most)), others > 0)


def on_specs(specs: Sequence[SpecRow]) -> Conditions:
    """That a row of `measurements x` is specified so."""
    found = Conditions()
    found.one_of("x.spec", [one.spec for one in specs], "INTEGER")
    return found
