"""What an engineer of the demo corrected: a wrong label, a unit that was scanned instead of another, an operator."""

from functools import partial

from runcard.cli.demo_line.fill import MadeFloor
from runcard.domain.runs.correction import RunCorrection
from runcard.ingest.corrections.runs import correct_runs
from runcard.ingest.corrections.units import UnitCorrection, correct_units
from runcard.intake.arrived_files import Stores
from runcard.store.lists.run_filter import RunFilter
from runcard.store.runs.records import list_latest_runs

_LABEL = "The label was printed with the number of the day before"
_SCAN = "The operator scanned the unit beside it"
_SHIFT = "Logged in with the name of the shift before"
# Places in the list of passed runs, the latest first.
_WRONG = 31
_RELABELLED = 40
_OPERATOR = 47
_NEEDED = 48


def correct_a_few(stores: Stores, floor: MadeFloor) -> None:
    """Correct a unit and two of the runs that passed lately. A short history has none of them."""
    engineer = floor.engineer
    with stores.database.read_in(floor.organization_id) as scope:
        passed = list_latest_runs(scope, RunFilter(outcomes=["PASS"]), _NEEDED).rows
    if len(passed) < _NEEDED:
        return
    wrong = passed[_WRONG]
    right = next(run for run in passed if run.part == wrong.part and run.unit != wrong.unit)
    for run, correction, reason in (
        (wrong, RunCorrection(serial_number=right.unit.serial_number), _SCAN),
        (passed[_OPERATOR], RunCorrection(operator="Siobhán Ní Dhomhnaill"), _SHIFT),
    ):
        run_ids = [run.id]
        stores.writer.write(
            engineer,
            partial(correct_runs, actor=engineer, run_ids=run_ids, correction=correction, why=reason),
        )
    unit = passed[_RELABELLED].unit
    relabelled = UnitCorrection(serial_number=f"{unit.serial_number}-R")
    stores.writer.write_catalog(
        engineer,
        partial(correct_units, actor=engineer, unit_ids=[unit.id], correction=relabelled, why=_LABEL),
    )
