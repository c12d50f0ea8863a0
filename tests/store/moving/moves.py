"""Moves of installations, and what is written meanwhile."""

import subprocess
import sys

from sqlalchemy import Executable, delete, update

from runcard.store.engine.database import Database
from runcard.store.engine.tables import metadata_entries, runs, units
from runcard.store.moving.moving import Mover, Tell
from tests.store.filled import Filled

# Does what `move` does, and stands still at a step.
_MOVES = """
import sys
from pathlib import Path
from runcard.store.engine.database import Database
from runcard.store.moving.checks import open_target
from tests.store.moving.moves import move

path, url, step_of_death, done_of_death = sys.argv[1:]

def tell(step, done, total):
    if step == step_of_death and done >= int(done_of_death):
        print("now", flush=True)
        sys.stdin.read()

move(Database.open(None, Path(path)), open_target(url), tell)
"""


def ignore(_step: str, _done: int, _total: int) -> None:
    """Tells nobody how far a move has come."""


def move(source: Database, target: Database, tell: Tell = ignore) -> None:
    mover = Mover(source, target, tell)
    with mover.alone():
        mover.begin()
        if not mover.is_switched:
            mover.copy_and_switch()
        mover.finish()


def change(filled: Filled, number: int) -> None:
    """Delete runs of the last time with all that belongs to them, change primary keys of the others, let units swap
    serial numbers, and add runs.
    """
    gone = delete(runs).where(runs.c.serial_number == "GONE")
    spelled = update(metadata_entries).where(metadata_entries.c.key == "shift").values(key=f"shift {number}")
    for statement in (gone, spelled):
        run_statement(filled, statement)
    rename(filled, "OLD", f"WAS-{number}")
    rename(filled, "NEW", "OLD")
    for place, serial in enumerate(("NEW", "GONE", f"ADDED-{number}")):
        filled.record(serial, 10 * number + place, ["SUB-1"] if place else [])


def rename(filled: Filled, before: str, after: str) -> None:
    renamed = {"serial_number": after, "serial_key": after.casefold()}
    run_statement(filled, update(units).where(units.c.serial_number == before).values(renamed))


def run_statement(filled: Filled, statement: Executable) -> None:
    filled.write(lambda tx: tx.connection.execute(statement))


def kill_at(step: str, done: int, source: Database, target: Database) -> None:
    """Let another process move, and kill it at this step."""
    arguments = [str(source.url.database), target.address, step, str(done)]
    with subprocess.Popen(
        [sys.executable, "-c", _MOVES, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "now\n"
        process.kill()
