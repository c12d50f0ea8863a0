"""Which values a question about a measurement is about, and the limits that they were judged by."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace

from runcard.analytics.asking import Asking, Selection
from runcard.analytics.conditions import Conditions, of_procedures


class Measured(NamedTuple):
    """A measurement of a procedure, in the runs of a selection.

    phase: None: in whichever phase. only_final: not those of attempts of a phase that were repeated in the same run.
    """

    procedure_id: UUID
    name: str
    phase: str | None = None
    only_final: bool = True

    def among(self, wanted: Selection) -> Selection:
        """The runs of a selection that are of the procedure."""
        return wanted._replace(runs=replace(wanted.runs, procedure_ids=[self.procedure_id]))


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


def find_specs(
    asked: Asking,
    procedure_id: UUID,
    name: str | None = None,
    phase: str | None = None,
    most: int | None = None,
) -> Sequence[SpecRow]:
    """What a procedure measures, or what of it has this name or is in this phase, by phase, name and age.

    most: so many at most; None: all, of which there is one for each run where limits are computed anew each time.
    """
    conditions = of_procedures(asked.cursor, asked.organization_id, [procedure_id], "procedure")
    conditions.one_of("name", None if name is None else [name])
    conditions.one_of("phase", None if phase is None else [phase])
    rows = asked.rows(
        f"SELECT {', '.join(SpecRow._fields)} FROM specs WHERE {conditions.sql} "
        "ORDER BY phase, sequence_path NULLS FIRST, name, spec LIMIT ?",
        [*conditions.values, most],
    )
    return [SpecRow(*row) for row in rows]


def of_newest_uom(specs: Sequence[SpecRow]) -> Sequence[SpecRow]:
    """Those in the unit of measure of the newest: values in volts and in millivolts are not one set of numbers."""
    newest = max(specs, key=lambda one: one.spec, default=None)
    return [one for one in specs if newest is not None and one.uom == newest.uom]


def on_values(asked: Asking, specs: Sequence[SpecRow], *, only_final: bool) -> Conditions:
    """What a row of `measurements x JOIN runs r USING (run)` must keep: it is specified so, and its run is selected.

    The numbers of specs are literals, which rule out more than a join with them. Finite numbers are those whose `num`
    is not NULL.
    """
    found = on_specs(specs)
    if only_final:
        found.add("x.is_final")
    return found.and_of(asked.runs)


def on_specs(specs: Sequence[SpecRow]) -> Conditions:
    """That a row of `measurements x` is specified so."""
    found = Conditions()
    found.one_of("x.spec", [one.spec for one in specs], "INTEGER")
    return found
