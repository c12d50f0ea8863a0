"""What lies in a data directory is for its owner, and for a group that was let in on purpose."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runcard.cli.installation.private_files import keep_private, open_to_all
from runcard.cli.main import app
from tests.importers.many_runs import junit_of
from tests.servers import Installation


@pytest.fixture(autouse=True)
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


def modes(folder: Path) -> dict[str, int]:
    """Of the folder and of all that lies in it."""
    return {
        str(path.relative_to(folder)): path.stat().st_mode & 0o777 for path in (folder, *folder.rglob("*"))
    }


def make(data_dir: Path) -> Installation:
    """An installation with a run and its report."""
    made = Installation(data_dir, None)
    made.runcard("init", "--organization", "A", "--email", "a@a.test")
    report = data_dir.parent / "report.xml"
    report.write_bytes(junit_of(["SN-1"]))
    made.runcard("import", str(report))
    return made


def open_up(data_dir: Path) -> None:
    """As an older version made it."""
    for path in (data_dir, *data_dir.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_what_commands_make_is_private(tmp_path: Path) -> None:
    made = make(tmp_path / "data")
    made.runcard("backup", str(tmp_path / "backup"))
    made.runcard("rebuild", "analytics")
    found = modes(tmp_path / "data") | modes(tmp_path / "backup")
    assert {"runcard.sqlite3", "analytics.duckdb", "attachments", "SHA256SUMS"} <= set(found)
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}


def test_what_everybody_could_read_is_closed_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = make(tmp_path / "data")
    open_up(made.data_dir)
    told = CliRunner().invoke(app, ["doctor", "--data-dir", str(made.data_dir)])
    assert told.exit_code == 1
    assert (
        f"Everybody on this machine may read {made.data_dir}/runcard.sqlite3: its mode is 0644."
        in told.stdout
    )
    with caplog.at_level(logging.WARNING):
        made.runcard("organization", "show")
        made.runcard("organization", "show")
    (line,) = [one.message for one in caplog.records if "everybody on this machine" in one.message]
    assert "runcard.sqlite3" in line
    found = modes(made.data_dir)
    closed = (".", "runcard.sqlite3", "attachments")
    assert [oct(found[name]) for name in closed] == ["0o700", "0o600", "0o700"]
    assert made.runcard("doctor")["ok"]


def test_a_directory_that_others_use_too_stays_open_and_its_files_do_not(tmp_path: Path) -> None:
    made = make(tmp_path / "data")
    (made.data_dir / "notes.txt").write_text("of somebody else")
    open_up(made.data_dir)
    keep_private(made.data_dir)
    found = modes(made.data_dir)
    assert [oct(found[name]) for name in (".", "notes.txt", "runcard.sqlite3")] == ["0o755", "0o644", "0o600"]
    assert list(open_to_all(made.data_dir)) == [made.data_dir]
    told = CliRunner().invoke(app, ["doctor", "--data-dir", str(made.data_dir)])
    assert f"Run: chmod go= '{made.data_dir}'" in told.stdout


@pytest.mark.parametrize(("mode", "of_new_files"), [(0o750, 0o640), (0o770, 0o660), (0o700, 0o600)])
def test_a_group_that_was_let_in_stays(tmp_path: Path, mode: int, of_new_files: int) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(mode)
    old = folder / "runcard.toml"
    old.touch()
    old.chmod(0o640)
    keep_private(folder)
    (folder / "activity.sqlite3").touch()
    expected = {".": mode, "runcard.toml": 0o640, "activity.sqlite3": of_new_files}
    assert modes(folder) == expected


def test_an_export_is_as_open_as_whoever_exports_wants(tmp_path: Path) -> None:
    made = make(tmp_path / "data")
    os.umask(0o022)
    made.runcard("export", "runs", "-o", str(tmp_path / "runs.csv"))
    assert oct((tmp_path / "runs.csv").stat().st_mode & 0o777) == "0o644"
