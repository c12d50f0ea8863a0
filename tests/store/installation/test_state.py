"""What probes and figures are told of a database."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runcard.domain.errors import DatabaseUnavailable
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from runcard.store.installation.state import IntakeState, for_probes, read_intake, read_state
from tests.world import World


def test_a_database_that_is_whole(database: Database, world: World) -> None:
    with database.read_in(world.acme.id):
        now = datetime.now(UTC)
    state = read_state(database, None)
    assert state.is_migrated
    assert state.newest_change > 0
    assert state.unseen_since is None
    assert read_state(database, state.newest_change).unseen_since is None
    behind = read_state(database, state.newest_change - 1).unseen_since
    assert behind is not None
    assert abs(now - behind) < timedelta(hours=1)
    assert read_intake(database) == IntakeState(quarantined=0, unfinished=0)


def test_an_older_schema_is_told(tmp_path: Path) -> None:
    database = Database.open(None, tmp_path / "old.sqlite3")
    migrate(database)
    with database.writing_connection() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = 'of another Runcard'")
    assert not read_state(database, None).is_migrated
    database.close()


def test_a_file_that_is_gone_is_no_database(tmp_path: Path) -> None:
    database = Database.open(None, tmp_path / "gone.sqlite3")
    migrate(database)
    probed = for_probes(database)
    assert read_state(probed, None).is_migrated
    (tmp_path / "gone.sqlite3").unlink()
    with pytest.raises(DatabaseUnavailable):
        read_state(probed, None)
    assert not (tmp_path / "gone.sqlite3").exists()
    probed.close()
    database.close()


def test_connections_of_probes_give_up_soon() -> None:
    url = "postgresql+psycopg://runcard:secret@db.example/runcard"
    query = for_probes(Database.at(url)).url.query
    assert query == {"connect_timeout": "2", "tcp_user_timeout": "5000"}
