"""`runcard import` as a process of its own: killed, and watching a folder until it is stopped."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from runcard.ingest.import_groups import GROUP_LIMITS
from runcard.store.engine.database import Database
from runcard.store.engine.tables import runs, units
from tests.cli.commands import environment, run_beside
from tests.importers.many_runs import junit_of
from tests.servers import DEADLINE_S, RUNCARD, Installation


@pytest.fixture
def acme(tmp_path: Path) -> Installation:
    """An installation with one organization."""
    installation = Installation(tmp_path / "data", None)
    installation.runcard(
        "init", "--organization", "Acme", "--email", "a@acme.test", "--password", "correct horse"
    )
    return installation


@contextmanager
def importing(installation: Installation, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    options = ("--data-dir", installation.data_dir, "--json")
    process = subprocess.Popen(
        [RUNCARD, "import", *arguments, *options],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


def count_of_runs(database: Database) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(runs)).scalar_one()


def line_of(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    return json.loads(process.stdout.readline())


def test_an_import_that_was_killed_goes_on_where_it_was(acme: Installation, tmp_path: Path) -> None:
    serials = [f"SN-{number:05}" for number in range(6 * GROUP_LIMITS.reports)]
    path = tmp_path / "many.xml"
    path.write_bytes(junit_of(serials))
    with acme.database() as database:
        with importing(acme, path) as process:
            while count_of_runs(database) == 0:
                assert process.poll() is None, process.stderr
            process.kill()
            process.wait(DEADLINE_S)
        before = count_of_runs(database)
        assert before % GROUP_LIMITS.reports == 0
        done = run_beside("import", path, "--data-dir", acme.data_dir, "--json").json
        assert done["runs"] == len(serials) - before
        with database.read() as connection:
            query = select(units.c.serial_number).join_from(runs, units, units.c.id == runs.c.unit_id)
            assert sorted(connection.execute(query).scalars()) == serials
    assert run_beside("import", path, "--data-dir", acme.data_dir, "--json").json["known"] == 1


def test_a_folder_is_watched_until_the_command_is_stopped(acme: Installation, tmp_path: Path) -> None:
    folder = tmp_path / "inbox"
    folder.mkdir()
    (folder / "a.xml").write_bytes(junit_of(["A"]))
    with importing(acme, "--watch", folder, "--settle-s", "0.1") as process:
        first = line_of(process)
        (folder / "b.xml").write_bytes(junit_of(["B"])[:-9])
        second = line_of(process)
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=DEADLINE_S)
    assert (Path(first["file"]).name, first["status"]) == ("a.xml", "recorded")
    assert (Path(second["file"]).name, second["status"]) == ("b.xml", "refused")
    assert (json.loads(stdout)["recorded"], process.returncode) == (1, 1), stderr
    assert [one["name"] for one in acme.runcard("quarantine", "list")] == ["b.xml"]
