"""A case of `importers.py`, in its own process, so that the peak of memory is of this case alone.

Prints a JSON object. Started as `python -m bench.import_case CASE …`.
"""

import argparse
import resource
import time
from functools import partial
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import msgspec

from runcard.domain.actor import SystemActor, UserActor
from runcard.importers.formats import FORMATS, FormatName
from runcard.importers.report.remarks import Remark
from runcard.importers.report.stated import StatedReport
from runcard.ingest.import_file import import_upload
from runcard.ingest.record_run import RunClient
from runcard.ingest.told_reports import prepare
from runcard.opening import open_database
from runcard.settings import Settings
from runcard.store.commit.transaction import SharedTransaction, Transaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.files.attachments import AnnouncedFile, Attachment, create_attachment, mark_stored
from runcard.store.files.blobs import BlobMeta
from runcard.store.files.imports import ImportedFile
from runcard.store.people.organizations import create_organization
from runcard.store.people.users import create_user
from runcard.store.procedures.rows import create_procedure


class Measured(msgspec.Struct):
    """The cost of a case. peak_bytes: memory of the whole process."""

    runs: int
    seconds: float
    peak_bytes: int


def parse(importer: FormatName, path: Path) -> Measured:
    """Read the runs of a file, and drop each at once."""
    parser = next(one.parse for one in FORMATS if one.name == importer)
    started = time.perf_counter()
    with path.open("rb") as file:
        runs = sum(1 for _ in parser(file))
    return Measured(runs, time.perf_counter() - started, _peak_bytes())


def store(importer: FormatName, path: Path, least_runs: int) -> Measured:
    """Import a file into a fresh database, again and again until there are enough runs.

    The time includes reading, checking, packing, and the durable commit of each file.
    """
    content = path.read_bytes()
    digest = sha256(content).digest()
    parser = next(one.parse for one in FORMATS if one.name == importer)
    with TemporaryDirectory(prefix="runcard-bench-") as directory:
        database = open_database(Settings(data_dir=Path(directory)))
        writer = Writer(database)
        try:
            actor = writer.write_shared(_prepare)
            seconds, runs = 0.0, 0
            while runs < least_runs:
                upload = writer.write(
                    actor,
                    partial(_upload, actor=actor, name=path.name, size_bytes=len(content)),
                )
                started = time.perf_counter()
                reports = [
                    prepare(StatedReport(one), RunClient())
                    for one in parser(BytesIO(content))
                    if not isinstance(one, Remark)
                ]
                file = ImportedFile(digest, importer, upload.id)
                recorded = writer.write(
                    actor,
                    partial(import_upload, actor=actor, file=file, attachment=upload, reports=reports),
                )
                seconds += time.perf_counter() - started
                runs += len(recorded.run_ids)
        finally:
            writer.close()
            database.close()
    return Measured(runs, seconds, _peak_bytes())


def _prepare(tx: SharedTransaction) -> UserActor:
    organization_id = create_organization(tx, "Bench").id
    user = create_user(
        tx.of(SystemActor(organization_id, "test")),
        "bench@runcard.test",
        name="Bench",
        role="admin",
        password_hash="",
    )
    actor = UserActor(user.id, organization_id, "admin")
    # FVT1, which the samples of OpenHTF name.
    create_procedure(tx.of(SystemActor(organization_id, "test")), "Board test", Creator.of(actor))
    return actor


def _upload(tx: Transaction, actor: UserActor, name: str, size_bytes: int) -> Attachment:
    announced = create_attachment(
        tx,
        AnnouncedFile(name),
        Creator.of(actor),
    )
    return mark_stored(tx, announced, BlobMeta(size_bytes, None))


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", choices=("parse", "store"))
    parser.add_argument("importer", choices=get_args(FormatName))
    parser.add_argument("path", type=Path)
    parser.add_argument("--runs", type=int, default=1)
    given = parser.parse_args()
    if given.case == "parse":
        measured = parse(given.importer, given.path)
    else:
        measured = store(given.importer, given.path, given.runs)
    print(msgspec.json.encode(measured).decode())


if __name__ == "__main__":
    main()
