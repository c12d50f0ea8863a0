"""What the doctor finds, and what may be removed."""

import json
import os
import shutil
import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, text, update
from typer.testing import CliRunner

from runcard.cli.main import app
from runcard.domain.ids import new_id
from runcard.domain.runs.report import RunReport
from runcard.ingest.record_run import prepare_run, record_run
from runcard.opening import open_blobs
from runcard.settings import load_settings
from runcard.store.commit.transaction import SharedTransaction, Transaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from runcard.store.engine.tables import attachments, run_documents, runs, units
from runcard.store.files.attachments import (
    AnnouncedFile,
    Attachment,
    create_attachment,
    link_attachment,
    mark_stored,
)
from runcard.store.files.blobs import BlobMeta, Blobs, blob_key
from tests.world import World, build_world

CONTENT = b"a curve"
LONG_AGO = datetime.now(UTC) - timedelta(days=3)


class Patient:
    """An installation with a run and its attachment; `change` does to it what nothing but an accident does."""

    def __init__(self, data_dir: Path) -> None:
        settings = load_settings({}, data_dir=data_dir)
        self.data_dir = data_dir
        self.blobs: Blobs = open_blobs(settings)
        self._database = Database.open(None, settings.sqlite_path)
        migrate(self._database)
        self._writer = Writer(self._database)

    def fill(self) -> None:
        self.world: World = build_world(self._writer)
        actor = self.world.acme.admin.actor
        run = prepare_run(
            RunReport(procedure="FVT1", serial_number="SN-1", outcome="PASS", part_number="PCB-100")
        )
        self.run_id: UUID = self._writer.write_shared(lambda tx: record_run(tx.of(actor), actor, run))
        self.attachment = self.upload()
        self._writer.write(actor, lambda tx: link_attachment(tx, self.attachment, self.run_id))

    def copy(self, data_dir: Path) -> "Patient":
        """The same in another directory; only while this one is closed."""
        shutil.copytree(self.data_dir, data_dir, dirs_exist_ok=True)
        copied = Patient(data_dir)
        copied.world, copied.run_id, copied.attachment = self.world, self.run_id, self.attachment
        return copied

    def upload(self) -> Attachment:
        """A file that belongs to no run yet."""
        actor = self.world.acme.admin.actor

        def announce(tx: Transaction) -> Attachment:
            return create_attachment(
                tx,
                AnnouncedFile("curve.csv", "text/csv", len(CONTENT)),
                Creator.of(actor),
            )

        attachment = self._writer.write(actor, announce)
        self.blobs.write(attachment.blob_key, BytesIO(CONTENT))
        meta = BlobMeta(len(CONTENT), "text/csv")
        self._writer.write(actor, lambda tx: mark_stored(tx, attachment, meta))
        return attachment

    def change(self, statement: Any) -> None:
        def apply(tx: SharedTransaction) -> None:
            connection: Connection = tx.connection
            connection.execute(statement)

        self._writer.write_shared(apply)

    def age(self, key: str) -> None:
        """Make a file look as if it was written days ago."""
        moment = time.time() - 3 * 86_400
        os.utime(self.data_dir / "attachments" / key, (moment, moment))

    def close(self) -> None:
        self._writer.close()
        self._database.close()

    def findings(self, *options: str) -> list[dict[str, str]]:
        """What the doctor finds; its exit code must be that of its findings."""
        done = CliRunner().invoke(app, ["doctor", "--data-dir", str(self.data_dir), "--json", *options])
        told = _decoded(done.stdout)
        assert done.exit_code == (1 if told["findings"] else 0), done.output
        assert told["ok"] is not bool(told["findings"])
        found: list[dict[str, str]] = told["findings"]
        return found

    def told(self, *options: str) -> str:
        return CliRunner().invoke(app, ["doctor", "--data-dir", str(self.data_dir), *options]).stdout


def _decoded(line: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(line)
    return told


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Patient:
    """What each patient was before its accident."""
    made = Patient(tmp_path_factory.mktemp("healthy"))
    made.fill()
    made.close()
    return made


@pytest.fixture
def patient(healthy: Patient, tmp_path: Path) -> Iterator[Patient]:
    copied = healthy.copy(tmp_path)
    yield copied
    copied.close()


def test_a_sound_installation_has_nothing_to_mend(patient: Patient) -> None:
    assert patient.findings() == []
    told = patient.told()
    assert "FAULT" not in told
    for check in ("data directory", "schema", "database", "documents", "attachments"):
        assert f"ok     {check}\n" in told


def test_a_missing_document_is_found(patient: Patient) -> None:
    patient.change(run_documents.delete())
    found, changed = patient.findings()
    assert found["check"] == "documents"
    assert found["message"] == f"The document of run {patient.run_id} is missing."
    assert found["mend"]
    assert found["mend"] in patient.told()
    assert changed["check"] == "records"


@pytest.mark.parametrize("body", [b"", b"no frame", b"\x28\xb5\x2f\xfd\x20\x02\x11\x00\x00\x91\xc0"])
def test_a_damaged_document_is_found(patient: Patient, body: bytes) -> None:
    patient.change(update(run_documents).values(body=body))
    found, changed = patient.findings()
    assert found["message"] == f"The document of run {patient.run_id} is damaged."
    assert changed["message"].startswith(f"Run {patient.run_id}: ")


def test_a_column_that_somebody_changed_is_found(patient: Patient) -> None:
    patient.change(update(runs).values(client_version="0.0.0-forged"))
    (found,) = patient.findings()
    assert (found["check"], "it is not what change" in found["message"]) == ("records", True)
    assert "runcard verify" in found["mend"]


def test_a_missing_file_is_found(patient: Patient) -> None:
    patient.blobs.delete(patient.attachment.blob_key)
    (found,) = patient.findings()
    assert found["check"] == "attachments"
    assert found["message"] == f"The file of attachment 'curve.csv' of run {patient.run_id} is missing."
    assert patient.attachment.blob_key in found["mend"]


def test_a_file_of_another_size_is_found(patient: Patient) -> None:
    patient.blobs.write(patient.attachment.blob_key, BytesIO(b"short"))
    (found,) = patient.findings()
    assert "has 5 bytes but should have 7" in found["message"]


def test_a_file_that_belongs_to_nothing_is_found_and_removed_after_a_day(patient: Patient) -> None:
    fresh, old = (blob_key(patient.world.acme.id, new_id()) for _ in range(2))
    for key in (fresh, old):
        patient.blobs.write(key, BytesIO(CONTENT))
    patient.age(old)
    (found,) = patient.findings()
    assert old in found["message"]
    assert "--mend" in found["mend"]

    assert patient.findings("--mend") == []
    assert sorted(entry.key for entry in patient.blobs.list()) == sorted([fresh, patient.attachment.blob_key])


def test_an_upload_that_no_run_took_up_is_no_fault_and_is_removed_after_a_day(patient: Patient) -> None:
    fresh, old = patient.upload(), patient.upload()
    patient.change(
        update(attachments).where(attachments.c.id == old.id).values(created_at=LONG_AGO, stored_at=LONG_AGO)
    )
    # What this test itself changed past Runcard.
    assert [found["check"] for found in patient.findings()] == ["records"]
    assert "1 uploads belong to nothing" in patient.told()

    assert "1 files and uploads that belonged to nothing were removed" in patient.told("--mend")
    assert patient.blobs.find(old.blob_key) is None
    assert patient.blobs.find(fresh.blob_key) is not None
    assert patient.blobs.find(patient.attachment.blob_key) is not None
    assert "belong to nothing" not in patient.told()


def test_a_key_that_others_can_read_is_found(patient: Patient) -> None:
    key = patient.data_dir / "secret.key"
    key.touch(mode=0o600)
    key.write_text("k" * 32)
    assert patient.findings() == []
    key.chmod(0o644)
    (found,) = patient.findings()
    assert found["check"] == "data directory"
    assert "0644" in found["message"]
    assert "chmod 600" in found["mend"]


def test_a_row_of_another_organization_is_found(patient: Patient) -> None:
    patient.change(update(units).values(organization_id=patient.world.globex.id))
    told = [found["message"] for found in patient.findings()]
    assert "1 rows of runs refer by unit_id to another organization." in told


def test_a_reference_to_nothing_is_found(patient: Patient) -> None:
    patient.close()
    with sqlite3.connect(patient.data_dir / "runcard.sqlite3") as connection:
        connection.execute("DELETE FROM units")
    connection.close()
    told = [found["message"] for found in patient.findings()]
    assert "A row of runs refers to a row of units that does not exist." in told


def test_another_schema_is_found_and_nothing_else_is_looked_at(patient: Patient) -> None:
    patient.change(text("UPDATE alembic_version SET version_num = '9999'"))
    (found,) = patient.findings()
    assert found["check"] == "schema"
    assert "ok     database" not in patient.told()


def test_a_damaged_database_is_found(patient: Patient) -> None:
    patient.close()
    path = patient.data_dir / "runcard.sqlite3"
    content = bytearray(path.read_bytes())
    content[4096 * 5 : 4096 * 12] = bytes(4096 * 7)
    path.write_bytes(content)
    checks = {found["check"] for found in patient.findings()}
    assert checks & {"schema", "database"}
