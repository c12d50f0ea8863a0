"""A move that is given up, or taken back as long as nothing was recorded in the new database."""

from runcard.domain.errors import Conflict, InvalidInput
from runcard.store.commit.changes import last_seq
from runcard.store.engine.database import Database
from runcard.store.moving.checks import count_others
from runcard.store.moving.journal import forget_move, state_of
from runcard.store.moving.source import snapshot, writing

# Unscoped: an installation is moved as a whole.


def undo_move(source: Database, target: Database | None) -> bool:
    """Remove what the move has left in the SQLite file, and return whether the file was closed.

    target: where a closed file has moved to. Raises Conflict if there was no move, if somebody uses the target, or if
    something was recorded there.
    """
    with snapshot(source) as here:
        state = state_of(here)
    if state is None:
        raise Conflict("No move has begun in this data directory. There is nothing to undo.")
    if state.is_closed:
        _check_unused(source, target)
    with writing(source) as here:
        forget_move(here)
    return state.is_closed


def _check_unused(source: Database, target: Database | None) -> None:
    if target is None:
        raise InvalidInput.at("to", "Name the database that this installation has moved to: --to URL.")
    others = count_others(target)
    if others:
        raise Conflict(f"{others} connections use the new database. Stop the servers, and run this again.")
    with source.read() as here, target.read() as there:
        newer = last_seq(there) - last_seq(here)
    if newer:
        raise Conflict(
            f"The new database has {newer} changes that SQLite lacks, and they would be lost. Go on with PostgreSQL."
        )
