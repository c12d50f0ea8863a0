"""Documents of old runs go along with backups and organizations, and the doctor looks at them."""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from runcard.cli.main import app
from runcard.opening import open_documents
from runcard.settings import load_settings
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from tests.conftest import SQLITE_FILE
from tests.store.documents.moved import OLD, Moved
from tests.world import build_world


def run(*arguments: str | Path) -> Any:
    done = CliRunner().invoke(app, [*map(str, arguments), "--json"])
    return done.exit_code, json.loads(done.stdout or done.stderr)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    (folder / "runcard.toml").write_text(f'documents_url = "file://{tmp_path}/old%20documents"\n')
    return folder


@pytest.fixture
def moved(data_dir: Path, tmp_path: Path) -> Iterator[Moved]:
    """An installation whose old documents have moved."""
    documents = open_documents(load_settings({}, data_dir=data_dir))
    database = Database.open(None, data_dir / SQLITE_FILE, documents)
    migrate(database)
    writer = Writer(database)
    made = Moved(database, writer, documents, build_world(writer), tmp_path)
    assert made.move() == OLD
    yield made
    writer.close()
    database.close()


def read_in(folder: Path, moved: Moved) -> Any:
    """The same runs in another installation."""
    database = Database.open(None, folder / SQLITE_FILE, open_documents(load_settings({}, data_dir=folder)))
    there = object.__new__(Moved)
    there.database, there.home, there.runs = database, moved.home, moved.runs
    everything = there.everything()
    database.close()
    return everything


def test_a_backup_has_the_documents(moved: Moved, data_dir: Path, tmp_path: Path) -> None:
    code, done = run("backup", tmp_path / "monday", "--data-dir", data_dir)
    assert (code, done["missing"]) == (0, [])
    assert run("verify", tmp_path / "monday", "--data-dir", data_dir)[0] == 0
    [pack] = (tmp_path / "old documents").rglob("*.documents")
    pack.unlink()
    assert run("verify", "--data-dir", data_dir)[0] == 1
    assert run("verify", tmp_path / "monday", "--data-dir", data_dir)[0] == 0
    code, _ = run("restore", tmp_path / "monday", "--data-dir", tmp_path / "restored")
    assert code == 0
    assert pack.exists(), "the restored settings name the same store"
    assert read_in(tmp_path / "restored", moved) == moved.everything()
    pack.unlink()
    code, done = run("backup", tmp_path / "tuesday", "--data-dir", data_dir)
    assert (code, done["missing"]) == (1, [str(pack.relative_to(tmp_path / "old documents"))])


def test_an_organization_takes_its_documents_along(moved: Moved, data_dir: Path, tmp_path: Path) -> None:
    code, done = run(
        "organization", "export", tmp_path / "acme", "--organization", "acme", "--data-dir", data_dir
    )
    assert (code, done["missing"]) == (0, [])
    assert run("verify", tmp_path / "acme")[0] == 0
    target = tmp_path / "target"
    run(
        "init",
        "--organization",
        "X",
        "--email",
        "x@x.test",
        "--password",
        "correct horse",
        "--data-dir",
        target,
    )
    assert run("organization", "import", tmp_path / "acme", "--data-dir", target)[0] == 0
    assert len([*(target / "documents").rglob("*.documents")]) == 1
    assert read_in(target, moved) == moved.everything()
    code, told = run("doctor", "--data-dir", target)
    assert (code, told["findings"]) == (0, [])


def test_the_doctor_names_what_is_lost_and_removes_what_belongs_to_nothing(
    moved: Moved, data_dir: Path, tmp_path: Path
) -> None:
    assert run("doctor", "--data-dir", data_dir)[1]["findings"] == []
    moved.documents.write(f"{moved.home}/{moved.home}.documents", b"of a process that was killed")
    orphan = tmp_path / "old documents" / str(moved.home) / f"{moved.home}.documents"
    assert run("doctor", "--data-dir", data_dir)[1]["findings"] == [], "it may be just being moved"
    os.utime(orphan, (time.time() - 200_000,) * 2)
    [found] = run("doctor", "--data-dir", data_dir)[1]["findings"]
    assert "belongs to no run" in found["message"]
    code, told = run("doctor", "--mend", "--data-dir", data_dir)
    assert (code, told["removed"], orphan.exists()) == (0, 1, False)
    [pack] = (tmp_path / "old documents").rglob("*.documents")
    pack.write_bytes(b"x" + pack.read_bytes()[1:])
    code, told = run("doctor", "--data-dir", data_dir)
    [found] = [one for one in told["findings"] if one["check"] == "document store"]
    assert code == 1
    assert f"Run {moved.runs[0]}: its document is damaged" in found["message"]


def test_attachments_in_the_same_place_stay_apart(moved: Moved, data_dir: Path, tmp_path: Path) -> None:
    with (data_dir / "runcard.toml").open("a") as file:
        file.write(f'attachments_url = "file://{tmp_path}/old%20documents"\n')
    [pack] = (tmp_path / "old documents").rglob("*.documents")
    os.utime(pack, (time.time() - 200_000,) * 2)
    code, told = run("doctor", "--mend", "--data-dir", data_dir)
    assert (code, told["findings"], pack.exists()) == (0, [], True)


def test_a_url_that_names_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "runcard.toml").write_text('documents_url = "nowhere"\n')
    done = CliRunner().invoke(app, ["serve", "--port", "0", "--data-dir", str(tmp_path)])
    assert done.exit_code == 1
    assert "documents_url nowhere names no object store" in done.stderr
