"""`runcard retention`, and how retention is set on the command line."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from typer.testing import CliRunner

from runcard.cli.main import app
from runcard.domain.actor import SystemActor
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.locks import Lock
from runcard.store.files.attachments import Owner
from runcard.store.files.blobs import Blobs
from runcard.store.retention.old_records import delete_old_files
from tests.old_runs import CONTENT, attach_at, days_ago, keys_in, record_at
from tests.world import World


class Commands:
    """Runs commands on an installation of Acme with an old run, a young one, and a file of each."""

    def __init__(self, options: list[str], blobs: Blobs) -> None:
        self._options = options
        self.blobs = blobs

    def run(self, *arguments: str) -> tuple[int, Any]:
        done = CliRunner().invoke(app, [*arguments, *self._options, "--json"])
        return done.exit_code, json.loads(done.stdout or done.stderr)

    def text(self, *arguments: str) -> str:
        done = CliRunner().invoke(app, [*arguments, *self._options])
        return done.output

    def set(self, *arguments: str) -> tuple[int, Any]:
        return self.run("organization", "set", "--organization", "acme", *arguments)

    def retention(self, *arguments: str) -> tuple[int, Any]:
        return self.run("retention", "--organization", "acme", *arguments)


@pytest.fixture
def acme(
    database: Database, writer: Writer, world: World, database_url: str | None, tmp_path: Path
) -> Commands:
    options = ["--data-dir", str(tmp_path)]
    options += [] if database_url is None else ["--database-url", database_url]
    blobs, actor = Blobs.open(None, None, tmp_path / "attachments"), world.acme.admin.actor

    def apply(tx: SharedTransaction) -> None:
        for serial, age in (("OLD", 40), ("YOUNG", 1)):
            run = record_at(tx, actor, days_ago(age), serial)
            attach_at(tx, blobs, actor, days_ago(age), Owner(run_id=run))

    writer.write_shared(apply)
    return Commands(options, blobs)


def test_what_is_old_is_told_and_then_deleted(acme: Commands) -> None:
    code, shown = acme.set("--run-retention-days", "30", "--file-retention-days", "20")
    assert (code, shown["run_retention_days"], shown["file_retention_days"]) == (0, 30, 20)
    code, told = acme.retention("--dry-run")
    assert code == 0
    told_of = {name: told[name] for name in ("dry_run", "runs", "files", "size_bytes")}
    assert told_of == {"dry_run": True, "runs": 1, "files": 1, "size_bytes": len(CONTENT)}
    assert told["oldest_run"] == told["newest_run"]
    assert len(keys_in(acme.blobs)) == 2
    done = {"organization": "acme", "run_retention_days": 30, "file_retention_days": 20, "dry_run": False}
    assert acme.retention() == (0, {**done, "runs": 1, "files": 1, "size_bytes": len(CONTENT)})
    assert acme.retention() == (0, {**done, "runs": 0, "files": 0, "size_bytes": 0})
    assert len(keys_in(acme.blobs)) == 1
    assert acme.run("doctor")[1]["findings"] == []


def test_a_tenth_goes_in_a_day_unless_somebody_says_so(acme: Commands, writer: Writer, world: World) -> None:
    def apply(tx: SharedTransaction) -> None:
        for number in range(8):
            record_at(tx, world.acme.admin.actor, days_ago(40), f"OLD-{number}")

    writer.write_shared(apply)
    acme.set("--run-retention-days", "30")
    at = ("retention", "--organization", "acme")
    told = acme.text(*at)
    assert "8 runs and" in told
    assert "are left for the next days, because about a tenth is deleted each day." in told
    assert acme.retention()[1]["runs"] == 0
    assert acme.retention("--at-once")[1]["runs"] == 8
    assert "left for the next days" not in acme.text(*at)


def test_people_are_told_what_a_new_number_deletes(acme: Commands) -> None:
    setting = ("organization", "set", "--organization", "acme", "--run-retention-days")
    assert "1 runs and 1 files are older than that" in acme.text(*setting, "30")
    assert "older than that" not in acme.text(*setting, "3000")
    assert acme.set("--no-run-retention")[1]["run_retention_days"] is None
    assert "This organization keeps everything" in acme.text("retention", "--organization", "acme")


@pytest.mark.parametrize("option", ["--run-retention-days", "--file-retention-days"])
@pytest.mark.parametrize("days", ["0", "-1", "18251", "9" * 18])
def test_what_is_no_number_of_days_is_refused(acme: Commands, option: str, days: str) -> None:
    code, told = acme.set(f"{option}={days}")
    assert code == 1
    assert f"{days} is no number of days to keep it; give one from 1 to 18250, or none" in json.dumps(told)
    shown = acme.run("organization", "show", "--organization", "acme")[1]
    assert (shown["run_retention_days"], shown["file_retention_days"]) == (None, None)


def test_one_of_several_organizations_must_be_named(acme: Commands) -> None:
    code, told = acme.run("retention")
    assert code == 1
    assert "There are several organizations: acme, globex" in json.dumps(told)


def test_it_leaves_it_to_a_server_that_is_about_it(acme: Commands, database: Database) -> None:
    acme.set("--run-retention-days", "30")
    with database.alone(Lock.SWEEP):
        code, told = acme.retention()
    if database.is_postgresql:
        assert code == 1
        assert "A server is deleting old records" in told["error"]["message"]
    else:
        assert (code, told["runs"]) == (0, 1)


def test_the_doctor_knows_of_bytes_that_are_still_to_be_removed(
    acme: Commands, writer: Writer, world: World
) -> None:
    """As a server leaves it that is killed between the two."""

    def apply(tx: SharedTransaction) -> int:
        files = [UUID(key.rpartition("/")[2]) for key in keys_in(acme.blobs)]
        removed, _ = delete_old_files(tx.of(SystemActor(world.acme.id, "test")), files, days_ago(30))
        return removed.files

    assert writer.write_shared(apply) == 1
    assert len(keys_in(acme.blobs)) == 2
    assert acme.run("doctor")[1]["findings"] == []
    acme.retention()
    assert len(keys_in(acme.blobs)) == 1
    assert acme.run("doctor")[1]["findings"] == []
