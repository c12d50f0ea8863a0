"""A backup is made while the server records, and what is restored from it is whole."""

import json
import shutil
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from runcard.cli.main import app
from runcard.domain.actor import SystemActor
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.tables import metadata
from tests.importers.many_runs import junit_of
from tests.servers import Installation
from tests.world import World


def run(*arguments: str | Path) -> tuple[int, Any]:
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout or done.stderr)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with runs, an attachment, a key and settings."""
    folder = tmp_path_factory.mktemp("made")
    installation = Installation(folder / "data", None)
    installation.runcard(
        "init", "--organization", "Acme", "--email", "a@acme.test", "--password", "correct horse"
    )
    (folder / "two.xml").write_bytes(junit_of(["A", "B"]))
    installation.runcard("import", str(folder / "two.xml"))
    (installation.data_dir / "secret.key").write_text("secret" * 8)
    (installation.data_dir / "runcard.toml").write_text("upload_expires_s = 60\n")
    return installation


@pytest.fixture
def acme(template: Installation, tmp_path: Path) -> Installation:
    """The same for one test."""
    shutil.copytree(template.data_dir, tmp_path / "data", dirs_exist_ok=True)
    return Installation(tmp_path / "data", None)


def rows(folder: Path) -> dict[str, list[str]]:
    database = Database.open(None, folder / "runcard.sqlite3")
    with database.read() as connection:
        found = {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in metadata.sorted_tables
        }
    database.close()
    return found


def files(folder: Path) -> dict[str, bytes]:
    kept = ("attachments", "secret.key", "runcard.toml")
    paths = [path for name in kept for path in [folder / name, *(folder / name).rglob("*")]]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths if path.is_file()}


def test_what_is_restored_is_what_was_backed_up(acme: Installation, tmp_path: Path) -> None:
    target = tmp_path / "backups" / "monday"
    code, done = run("backup", target, "--data-dir", acme.data_dir)
    nothing: dict[str, list[str]] = {"missing": [], "damaged": []}
    assert (code, done) == (0, {"path": str(target), "runs": 2, "attachments": 1, **nothing})
    restored = tmp_path / "restored"
    code, done = run("restore", target, "--data-dir", restored)
    assert (code, done) == (0, {"data_dir": str(restored), "runs": 2, "attachments": 1})
    before, after = rows(acme.data_dir), rows(restored)
    [note] = set(after.pop("changes")) - set(before.pop("changes"))
    assert "'backup_restored'" in note
    assert after == before
    assert files(restored) == files(acme.data_dir)
    assert len(files(restored)) == 3
    assert Installation(restored, None).runcard("doctor")["ok"]


def test_who_restores_is_told_that_what_is_old_goes_again(acme: Installation, tmp_path: Path) -> None:
    def told(name: str) -> str:
        run("backup", tmp_path / name, "--data-dir", acme.data_dir)
        at = ["--data-dir", str(tmp_path / f"{name} restored")]
        return CliRunner().invoke(app, ["restore", str(tmp_path / name), *at]).output

    assert "deletes at once" not in told("one")
    acme.runcard("organization", "set", "--run-retention-days", "30")
    assert "what is older than its organization keeps it, here in acme" in told("two")


def test_a_backup_while_runs_are_recorded_holds_whole_runs(
    database: Database, writer: Writer, world: World, tmp_path: Path
) -> None:
    if database.is_postgresql:
        pytest.skip("pg_dump does that")
    stop, recorded = threading.Event(), 0

    def station() -> None:
        nonlocal recorded
        while not stop.is_set():
            report = RunReport(
                procedure="FVT1", serial_number=f"SN-{recorded}", outcome="PASS", part_number="P"
            )
            run = prepare_run(report)
            writer.write(
                SystemActor(world.acme.id, "test"), partial(record_run, actor=world.acme.admin.actor, run=run)
            )
            recorded += 1

    thread = threading.Thread(target=station)
    thread.start()
    try:
        for number in range(3):
            before = recorded
            code, done = run("backup", tmp_path / f"backup{number}", "--data-dir", tmp_path)
            assert code == 0, done
            assert before <= done["runs"] <= recorded + 1
    finally:
        stop.set()
        thread.join()
    run("restore", tmp_path / "backup2", "--data-dir", tmp_path / "restored")
    assert Installation(tmp_path / "restored", None).runcard("doctor")["ok"]


def test_bytes_that_are_gone_are_told(acme: Installation, tmp_path: Path) -> None:
    shutil.rmtree(acme.data_dir / "attachments")
    code, done = run("backup", tmp_path / "backup", "--data-dir", acme.data_dir)
    assert (code, done["attachments"], len(done["missing"])) == (1, 0, 1)
    assert (tmp_path / "backup" / "SHA256SUMS").is_file()


def test_bytes_that_are_fewer_than_came_are_told(acme: Installation, tmp_path: Path) -> None:
    (file,) = [path for path in (acme.data_dir / "attachments").rglob("*") if path.is_file()]
    file.write_bytes(file.read_bytes()[:-1])
    code, done = run("backup", tmp_path / "backup", "--data-dir", acme.data_dir)
    assert (code, done["missing"]) == (1, [])
    assert [one.rpartition("/")[2] for one in done["damaged"]] == [file.name]


def damage_pages(path: Path) -> None:
    """Write over the pages of a table, as a disk does that fails."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages = "SELECT pageno FROM dbstat WHERE name IN ('units', 'ix_units_organization_id_serial_key')"
        (size,) = connection.execute("PRAGMA page_size").fetchone()
        numbers = [number for (number,) in connection.execute(pages)]
    assert numbers
    with path.open("r+b") as file:
        for number in numbers:
            file.seek((number - 1) * size + size // 2)
            file.write(b"\xa5" * (size // 2))


def damage_document(path: Path) -> None:
    """Change a bit of a document, which SQLite does not notice."""
    with closing(sqlite3.connect(path)) as connection:
        run_id, body = connection.execute("SELECT run_id, body FROM run_documents").fetchone()
        changed = body[:-1] + bytes([body[-1] ^ 1])
        connection.execute("UPDATE run_documents SET body = ? WHERE run_id = ?", (changed, run_id))
        connection.commit()


def damage_reference(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DELETE FROM units")
        connection.commit()


def damage_head(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"no database" * 10)


@pytest.mark.parametrize("damage", [damage_pages, damage_document, damage_reference, damage_head])
def test_no_backup_is_made_of_a_damaged_database(
    acme: Installation, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    damage(acme.data_dir / "runcard.sqlite3")
    target = tmp_path / "backups" / "tuesday"
    code, done = run("backup", target, "--data-dir", acme.data_dir)
    assert code == 1
    assert "No backup was made, since the database is damaged" in done["error"]["message"]
    assert list(target.parent.iterdir()) == []


def test_another_version_of_the_schema_is_told(acme: Installation, tmp_path: Path) -> None:
    with closing(sqlite3.connect(acme.data_dir / "runcard.sqlite3")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()
    code, done = run("backup", tmp_path / "backup", "--data-dir", acme.data_dir)
    assert code == 1
    assert "Back up with the version that last served it." in done["error"]["message"]
    assert not (tmp_path / "backup").exists()


def test_a_damaged_backup_is_not_restored(acme: Installation, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    run("backup", target, "--data-dir", acme.data_dir)
    (attachment,) = [path for path in (target / "attachments").rglob("*") if path.is_file()]
    for damage in (attachment.write_bytes, lambda _: attachment.unlink()):
        damage(b"another")
        code, done = run("restore", target, "--data-dir", tmp_path / "restored")
        assert code == 1
        assert attachment.name in done["error"]["message"]
        assert not (tmp_path / "restored" / "runcard.sqlite3").exists()


def test_nothing_is_overwritten(acme: Installation, tmp_path: Path) -> None:
    target = tmp_path / "backup"
    run("backup", target, "--data-dir", acme.data_dir)
    before = files(acme.data_dir)
    for arguments in (("backup", target), ("restore", target), ("restore", tmp_path)):
        code, done = run(*arguments, "--data-dir", acme.data_dir)
        assert code == 1, done
    assert files(acme.data_dir) == before


def test_postgresql_has_its_own_tools(tmp_path: Path) -> None:
    code, done = run("backup", tmp_path / "b", "--database-url", "postgresql://nobody@localhost/x")
    assert (code, "pg_dump" in done["error"]["message"]) == (1, True)
