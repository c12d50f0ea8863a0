"""Move recent measurements to the sorted ones, so that the values of one measurement lie close together."""

from runcard.analytics.copy.engines.duckdb import Cursor
from runcard.analytics.copy.schema import RECENT, SORTED

# Sorting this many takes about a second, and a few hundred bytes each. Fewer would scatter each measurement more.
ENOUGH_ROWS = 2_000_000


def compact(cursor: Cursor, enough_rows: int) -> None:
    """Move the recent measurements to the sorted ones if there are enough, in the transaction of the cursor."""
    [(count,)] = cursor.execute(f"SELECT count(*) FROM {RECENT}").fetchall()
    if count >= enough_rows:
        cursor.execute(
            f"INSERT INTO {SORTED} SELECT * FROM {RECENT} ORDER BY spec, started_at, run, position"
        )
        cursor.execute(f"DELETE FROM {RECENT}")
