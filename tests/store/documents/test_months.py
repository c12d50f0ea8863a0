"""Documents that move, are deleted and come back, where each month is a partition."""

from datetime import UTC, datetime, timedelta

import pytest

from runcard.store.bin.deleting import Deletion
from runcard.store.engine import tables as t
from runcard.store.engine.partitions import drop_empty, list_partitions, make_months
from runcard.store.restoring.restore import restore
from runcard.store.runs.rows import delete_runs
from tests.conftest import DatabaseKind
from tests.store.documents.moved import Moved


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """SQLite has no partitions."""
    return "postgresql"


@pytest.mark.parametrize("documents", ["file"], indirect=True)
def test_a_month_whose_documents_have_all_gone_gives_its_room_back(moved: Moved) -> None:
    database, later = moved.database, datetime.now(UTC) + timedelta(days=70)
    make_months(database, datetime.now(UTC))
    before = moved.everything()
    last = moved.runs[-1]
    moved.write(lambda tx: delete_runs(tx, [last], Deletion(why="why")))
    moved.move(age=0)
    assert "run_documents_first" not in drop_empty(database, later), "Globex has a run in it"
    list(moved.move_all_of_globex())
    assert "run_documents_first" in drop_empty(database, later)
    with database.read() as connection:
        assert all(one.first is not None for one in list_partitions(connection))
    moved.write(lambda tx: restore(tx, last, None))
    assert moved.everything() == before
    assert moved.count(t.run_documents) == 1, "it came back into the default partition"
    assert moved.move(age=0) == 1
    assert moved.everything() == before
    assert moved.discrepancies() == []
