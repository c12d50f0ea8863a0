"""`runcard rebuild analytics`, and what the doctor says of the copy."""

from pathlib import Path

import pytest

from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import prepare_run, record_run
from runcard.settings import Settings
from runcard.store.commit.changes import last_seq
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from tests.analytics.copies import OwnCopy, own_copy
from tests.cli.commands import run_beside, run_here
from tests.world import World


@pytest.fixture
def options(tmp_path: Path, database_url: str | None) -> list[str]:
    at = ["--data-dir", str(tmp_path), "--json"]
    return at if database_url is None else [*at, "--database-url", database_url]


@pytest.fixture
def newest(database: Database, writer: Writer, world: World) -> int:
    """The last change, after some runs."""
    actor = world.acme.admin.actor
    for number in range(3):
        report = RunReport(procedure="FVT1", serial_number=f"SN-{number}", outcome="PASS", part_number="P")
        run = prepare_run(report)
        writer.write_shared(lambda tx, run=run: record_run(tx.of(actor), actor, run))  # type: ignore[misc]  # mypy infers no default
    with database.read() as connection:
        return last_seq(connection)


def test_it_is_made_anew(options: list[str], database: Database, newest: int, tmp_path: Path) -> None:
    path = Settings(data_dir=tmp_path).copy_path
    path.write_bytes(b"rubbish" * 1000)
    assert "is missing" in run_here("doctor", *options).json["columnar_copy"]
    done = run_here("rebuild", "analytics", *options).json
    assert done == {"path": str(path), "changes": newest, "bytes": path.stat().st_size}
    assert run_here("doctor", *options).json["columnar_copy"] == "is up to date"
    remade = OwnCopy.in_file(database, path)
    with own_copy(database) as other:
        other.follow()
        assert remade.content() == other.content()
    remade.close()


def test_one_that_is_behind(options: list[str], database: Database, newest: int, tmp_path: Path) -> None:
    OwnCopy.in_file(database, Settings(data_dir=tmp_path).copy_path).close()
    said = run_here("doctor", *options).json["columnar_copy"]
    assert said == f"lacks {newest} changes, which the next server adds"


@pytest.mark.usefixtures("newest")
def test_one_that_a_server_owns_is_left_to_it(options: list[str], database: Database, tmp_path: Path) -> None:
    owned = OwnCopy.in_file(database, Settings(data_dir=tmp_path).copy_path)
    refused = run_beside("rebuild", "analytics", *options)
    assert refused.code == 1
    assert "belongs to a running server. Stop the server" in refused.stderr
    assert "belongs to a running server" in run_beside("doctor", *options).json["columnar_copy"]
    owned.close()
