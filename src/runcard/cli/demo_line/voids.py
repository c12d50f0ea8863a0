"""What an engineer of the demo did with tests that say nothing: some runs are voided, two are in the bin."""

from functools import partial

from runcard.cli.demo_line.fill import MadeFloor
from runcard.intake.arrived_files import Stores
from runcard.store.bin.deleting import Deletion
from runcard.store.lists.run_filter import RunFilter
from runcard.store.runs.records import list_latest_runs
from runcard.store.runs.rows import delete_run
from runcard.store.runs.voids import void_runs

_OPEN = "The adapter was not latched: every contact was open"
_TRAINING = "Training of a new operator"
_TWICE = "Reported twice by the old test program"
# Places in the list of failed runs, the latest first.
_VOIDED = {_OPEN: slice(9, 13), _TRAINING: slice(16, 17)}
_DELETED = slice(21, 23)


def void_and_delete(stores: Stores, floor: MadeFloor) -> None:
    """Void and delete a few of the runs that failed lately. A short history has none of them."""
    engineer = floor.engineer
    with stores.database.read_in(floor.organization_id) as scope:
        failed = list_latest_runs(scope, RunFilter(outcomes=["FAIL"]), _DELETED.stop).rows
    for reason, places in _VOIDED.items():
        run_ids = [run.id for run in failed[places]]
        if run_ids:
            stores.writer.write(engineer, partial(void_runs, by=engineer, run_ids=run_ids, reason=reason))
    for run in failed[_DELETED]:
        stores.writer.write(engineer, partial(delete_run, run_id=run.id, deletion=Deletion(why=_TWICE)))
