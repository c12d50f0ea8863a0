"""Many rows are inserted at once, with all their values and with those that are missing."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import select, text

from runcard.domain.errors import DatabaseUnavailable
from runcard.domain.ids import new_id
from runcard.store.engine.bulk import driver_of, in_one_trip, insert_rows
from runcard.store.engine.database import DATABASE_ERRORS, Database
from runcard.store.engine.outages import outage_of
from runcard.store.engine.tables import stations, teams
from tests.world import World

NOW = datetime(2026, 5, 4, 12, 30, 15, 250_000, tzinfo=UTC)


@pytest.mark.parametrize("count", [1, 32, 600])
def test_rows_come_back_as_they_were(database: Database, world: World, count: int) -> None:
    team = {"id": new_id(), "organization_id": world.acme.id, "name": "A", "name_key": "a", "created_at": NOW}
    rows = [
        {
            "id": new_id(),
            "organization_id": world.acme.id,
            "name": f"Line {number}, 100 % \\ ä",
            "name_key": f"line {number}",
            "all_procedures": number % 2 == 0,
            "archived_at": None,
            "created_at": NOW,
            "team_id": team["id"] if number % 3 else None,
            "image_id": None,
        }
        for number in range(count)
    ]
    with database.writing_connection() as connection, connection.begin() as begun:
        insert_rows(connection, teams, [team])
        insert_rows(connection, stations, rows)
        mine = select(stations).where(stations.c.id.in_([row["id"] for row in rows])).order_by(stations.c.id)
        found = [dict(row) for row in connection.execute(mine).mappings()]
        begun.rollback()

    assert found == rows


def test_an_error_in_one_trip_is_raised_and_leaves_nothing(database: Database, world: World) -> None:
    team = {"id": new_id(), "organization_id": world.acme.id, "name": "A", "name_key": "a", "created_at": NOW}

    def insert_twice() -> None:
        with database.writing_connection() as connection, connection.begin(), in_one_trip(connection):
            insert_rows(connection, teams, [team])
            insert_rows(connection, teams, [{**team, "id": new_id()}])
            insert_rows(connection, teams, [{**team, "id": new_id(), "name_key": "b"}])

    with pytest.raises(DATABASE_ERRORS):
        insert_twice()

    with database.read() as connection:
        assert connection.execute(select(teams.c.id).where(teams.c.name == "A")).all() == []


def test_a_connection_that_is_lost_in_a_trip_is_closed(database: Database) -> None:
    if not database.is_postgresql:
        pytest.skip("SQLite has no connection to lose")
    end = text("SELECT pg_terminate_backend(:pid, 10000)")

    def lose() -> None:
        with connection.begin(), in_one_trip(connection):
            driver.execute("SELECT pg_sleep(60)")  # ended at once
            driver.execute("SELECT 1")
            other.execute(end, {"pid": driver.info.backend_pid})

    with database.read() as other, database.writing_connection() as connection:
        driver = driver_of(connection)
        with pytest.raises(DATABASE_ERRORS) as raised:
            lose()

    assert driver.closed
    assert isinstance(outage_of(raised.value), DatabaseUnavailable)
