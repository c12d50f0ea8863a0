"""A whole organization out of one installation and into another, of whichever database."""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from runcard.cli.main import app
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.commit.changes import list_changes
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from runcard.store.engine.tables import changes
from runcard.store.installation.organization_copy import COPIED
from tests.importers.many_runs import junit_of
from tests.postgresql import Postgresql
from tests.repairing import repair_of
from tests.servers import Installation
from tests.trails import assert_trail_fits
from tests.world import World


def run(*arguments: str | Path) -> tuple[int, Any]:
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout or done.stderr)


@pytest.fixture
def filled(
    database: Database, writer: Writer, world: World, database_url: str | None, tmp_path: Path
) -> list[str]:
    """Options that name an installation with the cast, runs, a repair, and a unit inside of an older one."""
    options = ["--data-dir", str(tmp_path)] + (
        [] if database_url is None else ["--database-url", database_url]
    )
    (tmp_path / "two.xml").write_bytes(junit_of(["A", "B"]))
    (tmp_path / "repair.json").write_text(json.dumps(repair_of("A")))
    for name in ("two.xml", "repair.json"):
        code, done = run("import", tmp_path / name, "--organization", "acme", *options)
        assert code == 0, done
    report = RunReport(
        procedure="FVT1", serial_number="A", outcome="PASS", sub_units=("B",), metadata={"a": 1.5}
    )
    prepared = prepare_run(report)
    writer.write_shared(lambda tx: record_run(tx.of(world.acme.fct.actor), world.acme.fct.actor, prepared))
    return options


@pytest.fixture
def other(tmp_path: Path) -> Installation:
    """Another installation, with an organization of its own."""
    installation = Installation(tmp_path / "other", None)
    installation.runcard(
        "init", "--organization", "Initech", "--email", "i@initech.test", "--password", "correct horse"
    )
    return installation


def rows(database: Database, world: World) -> dict[str, list[str]]:
    with database.read() as connection:
        return {
            table.name: sorted(
                repr(row)
                for row in connection.execute(select(table))
                if world.acme.id in (getattr(row, "organization_id", None), getattr(row, "id", None))
            )
            for table in COPIED
            if table is not changes
        }


def trail(database: Database, world: World) -> list[tuple[Any, ...]]:
    """The changes of the organization in their order, without their numbers."""
    c = changes.c
    with database.read() as connection:
        found = connection.execute(select(changes).where(c.organization_id == world.acme.id).order_by(c.seq))
        return [tuple(row)[1:] for row in found]


def test_the_audit_trail_moves_along_in_its_order(
    filled: list[str], other: Installation, database: Database, world: World, tmp_path: Path
) -> None:
    folder = tmp_path / "moving"
    before = trail(database, world)
    run("organization", "export", folder, "--organization", "acme", *filled)
    run("organization", "import", folder, "--data-dir", other.data_dir)
    *_, exported = trail(database, world)
    assert exported[1] == "organization_exported"
    with other.database() as copy:
        *moved, added = trail(copy, world)
        assert moved == before
        assert added[1] == "organization_added"
        assert_trail_fits(copy)


def test_what_comes_in_is_what_went_out(
    filled: list[str], other: Installation, database: Database, world: World, tmp_path: Path
) -> None:
    folder = tmp_path / "moving"
    code, done = run("organization", "export", folder, "--organization", "acme", *filled)
    told = {"organization": "acme", "runs": 3, "units": 2, "attachments": 2, "missing": []}
    assert (code, done) == (0, {"path": str(folder), **told})
    assert run("organization", "import", folder, "--data-dir", other.data_dir) == (0, told)
    with other.database() as copy:
        assert rows(copy, world) == rows(database, world)
        with copy.read() as connection:
            kinds = [
                one.kind for one in list_changes(connection, 0, 1000) if one.organization_id == world.acme.id
            ]
    assert [kinds.count(one) for one in ("run_recorded", "unit_created", "repair_recorded")] == [3, 2, 1]
    assert len(rows(database, world)["repairs"]) == 1
    assert other.runcard("doctor")["ok"]
    listed = CliRunner().invoke(
        app, ["export", "runs", "--organization", "acme", "--data-dir", str(other.data_dir)]
    )
    assert [line.split(",")[1] for line in listed.stdout.splitlines()[1:]] == ["A", "B", "A"]


def test_it_comes_in_once_and_whole(filled: list[str], other: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "moving"
    run("organization", "export", folder, "--organization", "acme", *filled)
    rows_file = folder / "rows.msgpack"
    content = rows_file.read_bytes()
    rows_file.write_bytes(content[:-1])
    code, done = run("organization", "import", folder, "--data-dir", other.data_dir)
    assert (code, "rows.msgpack missing or changed" in done["error"]["message"]) == (1, True)
    rows_file.write_bytes(content)
    assert run("organization", "import", folder, "--data-dir", other.data_dir)[0] == 0
    code, done = run("organization", "import", folder, "--data-dir", other.data_dir)
    assert (code, "acme already exists" in done["error"]["message"]) == (1, True)
    assert len(other.runcard("organization", "list")) == 2


def test_members_of_another_organization_keep_their_address(filled: list[str], tmp_path: Path) -> None:
    taken = Installation(tmp_path / "taken", None)
    taken.runcard(
        "init", "--organization", "Initech", "--email", "ada@acme.test", "--password", "correct horse"
    )
    run("organization", "export", tmp_path / "moving", "--organization", "acme", *filled)
    code, done = run("organization", "import", tmp_path / "moving", "--data-dir", taken.data_dir)
    assert (code, "ada@acme.test already exists" in done["error"]["message"]) == (1, True)
    assert len(taken.runcard("organization", "list")) == 1


def test_from_sqlite_into_an_empty_database(
    filled: list[str],
    other: Installation,
    database: Database,
    world: World,
    postgresql_if_wanted: Postgresql | None,
    tmp_path: Path,
) -> None:
    """By way of another installation, which is on SQLite, to one of the first one's kind."""
    run("organization", "export", tmp_path / "one", "--organization", "acme", *filled)
    run("organization", "import", tmp_path / "one", "--data-dir", other.data_dir)
    code, done = run(
        "organization", "export", tmp_path / "two", "--organization", "acme", "--data-dir", other.data_dir
    )
    assert code == 0, done
    with ExitStack() as stack:
        url = None if postgresql_if_wanted is None else stack.enter_context(postgresql_if_wanted.database())
        empty = Installation(tmp_path / "empty", url)
        if url is None:
            with empty.database() as fresh:
                migrate(fresh)
        assert empty.runcard("organization", "import", str(tmp_path / "two"))["runs"] == 3
        with empty.database() as copy:
            assert rows(copy, world) == rows(database, world)
