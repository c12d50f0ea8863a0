"""The places of procedures by name: the copy knows no names, and gives numbers in the order in which it meets them."""

from uuid import UUID

from runcard.analytics.copy.columns import columns_of
from runcard.analytics.copy.engines.duckdb import Cursor
from runcard.store.database import Connection
from runcard.store.procedures import rank_by_name

# How rows are ordered that are equal but for their procedure, whatever number the copy gave it.
BY_PROCEDURE = "places.place, places.id"

_NO_PROCEDURE = (0, UUID(int=0), 0)  # so that there is a row where nothing has run yet


def register_places(cursor: Cursor, connection: Connection, organization_id: UUID) -> None:
    """Make `places`: of each procedure that has runs its number, its id and its place; equal names have the same."""
    query = "SELECT id, procedure FROM procedures WHERE organization = ?"
    numbers = dict(cursor.execute(query, [organization_id]).fetchall())
    ranked = rank_by_name(connection, organization_id, numbers.keys())
    rows = [_NO_PROCEDURE, *((numbers[one], one, place) for one, place in ranked)]
    cursor.register("places", columns_of({"procedure": "INTEGER", "id": "UUID", "place": "INTEGER"}, rows))
