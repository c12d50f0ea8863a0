"""`runcard verify` checks an installation, a backup or an exported organization, and says what does not fit."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from runcard.cli.main import app
from runcard.evidence.head_files import kept_head
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from tests.conftest import SQLITE_FILE, DatabaseKind
from tests.evidence.records import Sealed, sealed_record
from tests.world import World


@pytest.fixture(scope="session")
def trail_fits() -> bool:
    """No: these tests change the database past Runcard."""
    return False


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """The command reads through the same functions from each; those are tested on both."""
    return "sqlite"


@pytest.fixture
def record(database: Database, writer: Writer, world: World, tmp_path: Path) -> Sealed:
    return sealed_record(database, writer, world, tmp_path)


def verify(*arguments: str | Path) -> tuple[int, Any]:
    done = CliRunner().invoke(app, ["verify", *map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout or done.stderr)


def _edited(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE units SET serial_number = 'SN-FORGED' WHERE serial_key = 'sn-2'")
        connection.commit()


def _problems(answer: Any) -> list[str]:
    return [found["problem"] for one in answer["organizations"] for found in one["findings"]]


def test_an_installation_that_nobody_changed_fits(record: Sealed, tmp_path: Path) -> None:
    code, answer = verify("--data-dir", tmp_path)
    assert (code, answer["ok"]) == (0, True)
    acme = next(one for one in answer["organizations"] if one["organization"] == "acme")
    assert acme["entries"] == record.head.head.tree_size
    assert (acme["heads"], acme["waiting"], acme["without_digest"]) == (1, 0, 0)
    shown = CliRunner().invoke(app, ["verify", "--data-dir", str(tmp_path)])
    assert shown.stdout.startswith(f"ok     Acme: {acme['entries']} entries, 1 heads and ")


def test_a_unit_that_was_renamed_in_the_database_is_named(record: Sealed, tmp_path: Path) -> None:
    _edited(tmp_path / SQLITE_FILE)
    code, answer = verify("--data-dir", tmp_path)
    assert (code, answer["ok"]) == (1, False)
    [problem] = _problems(answer)
    assert problem.startswith("Unit ")
    assert "it is not what change" in problem


def test_heads_beside_the_database_and_elsewhere_are_compared(record: Sealed, tmp_path: Path) -> None:
    line = msgspec.json.encode(kept_head(record.head))
    elsewhere = tmp_path / "elsewhere.jsonl"
    elsewhere.write_bytes(line + b"\n")
    (tmp_path / "heads.jsonl").write_bytes(line + b"\n")
    assert verify("--data-dir", tmp_path, "--heads", elsewhere)[0] == 0
    larger = record.head.head.tree_size + 5
    elsewhere.write_bytes(
        line.replace(f'"tree_size":{larger - 5}'.encode(), f'"tree_size":{larger}'.encode())
    )
    code, answer = verify("--data-dir", tmp_path, "--heads", elsewhere)
    assert code == 1
    assert any("wrong signature" in one for one in _problems(answer))
    assert any("tells of more entries" in one for one in _problems(answer))
    elsewhere.write_text("no head\n")
    code, answer = verify("--data-dir", tmp_path, "--heads", elsewhere)
    assert (code, "elsewhere.jsonl, line 1" in answer["error"]["message"]) == (1, True)


def test_a_head_of_another_key_is_not_trusted(record: Sealed, tmp_path: Path) -> None:
    assert verify("--data-dir", tmp_path, "--key", record.head.key_id)[0] == 0
    code, answer = verify("--data-dir", tmp_path, "--key", "0123456789abcdef")
    assert code == 1
    assert "which is not trusted" in _problems(answer)[0]


def test_a_backup_is_checked_without_a_server(record: Sealed, tmp_path: Path) -> None:
    backup = tmp_path / "backup"
    done = CliRunner().invoke(app, ["backup", str(backup), "--data-dir", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert (backup / "signing.key").exists()
    assert verify(backup)[0] == 0
    _edited(backup / SQLITE_FILE)
    assert verify(backup)[0] == 1
    restored = tmp_path / "restored"
    restored.mkdir()
    done = CliRunner().invoke(app, ["restore", str(backup), "--data-dir", str(restored)])
    assert done.exit_code == 1  # its checksums tell of the change


def test_a_restored_backup_says_so_in_the_trail(record: Sealed, tmp_path: Path) -> None:
    backup, restored = tmp_path / "backup", tmp_path / "restored"
    for arguments in (
        ["backup", backup, "--data-dir", tmp_path],
        ["restore", backup, "--data-dir", restored],
    ):
        done = CliRunner().invoke(app, [*map(str, arguments)])
        assert done.exit_code == 0, done.output
    with closing(sqlite3.connect(restored / SQLITE_FILE)) as connection:
        told = connection.execute("SELECT entry FROM changes WHERE kind = 'backup_restored'").fetchall()
    assert len(told) == 2
    assert all(str(backup) in text for (text,) in told)
    assert verify("--data-dir", restored)[0] == 0


def test_an_exported_organization_is_checked(record: Sealed, tmp_path: Path) -> None:
    folder = tmp_path / "moving"
    done = CliRunner().invoke(
        app, ["organization", "export", str(folder), "--organization", "acme", "--data-dir", str(tmp_path)]
    )
    assert done.exit_code == 0, done.output
    code, answer = verify(folder)
    assert code == 0, answer
    [acme] = answer["organizations"]
    assert (acme["entries"], acme["heads"]) == (record.head.head.tree_size, 1)


def test_another_folder_is_refused(tmp_path: Path) -> None:
    code, answer = verify(tmp_path)
    [issue] = answer["error"]["issues"]
    assert (code, "neither a backup nor an exported organization" in issue["message"]) == (1, True)
