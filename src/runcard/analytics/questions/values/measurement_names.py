"""The names of the measurements of a procedure."""

from collections.abc import Sequence
from uuid import UUID

from msgspec import Struct

from runcard.analytics.answers import Answer
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.store.lists.run_filter import RunFilter

MAX_NAMES = 500

DEFINITION = "n: names of measurements by phase, in all runs of the procedure."


class MeasurementName(Struct, frozen=True):
    phase: str
    name: str


class MeasurementNamesAnswer(Answer, frozen=True, kw_only=True):
    """names: in order of phase and name; of more than 500, the first 500."""

    names: Sequence[MeasurementName]


def measurement_names(snapshot: Snapshot, procedure_id: UUID) -> MeasurementNamesAnswer:
    """The names of a procedure's measurements, in all its runs. Raises as `Snapshot.asking` does."""
    asking = snapshot.asking(Selection(RunFilter()))
    specs = asking.snapshot.of_procedures([procedure_id], "procedure")
    found = asking.rows(
        "SELECT phase, name, count(*) OVER () FROM specs "
        f"WHERE {specs.sql} GROUP BY phase, name ORDER BY phase, name LIMIT {MAX_NAMES}",
        specs.values,
    )
    n = found[0][-1] if found else 0
    return MeasurementNamesAnswer(
        n=n,
        definition=DEFINITION,
        window=asking.window,
        is_exact=n <= MAX_NAMES,
        freshness=asking.freshness,
        names=[MeasurementName(phase, name) for phase, name, _ in found],
    )
