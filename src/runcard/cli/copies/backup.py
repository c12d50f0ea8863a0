"""`runcard backup` and `runcard restore`: copy a whole installation to a folder, and back.

The database is copied first, then the attachments and the documents of old runs. A file is stored before any run refers
to it, so this copy is complete.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from runcard.auth.secret_keys import KEY_FILE
from runcard.cli.copies.blobs import (
    ATTACHMENTS,
    DOCUMENTS,
    copy_blobs,
    copy_documents,
    put_back_blobs,
    put_back_documents,
)
from runcard.cli.copies.checksums import check_sums, shown, write_sums
from runcard.cli.installation.checkup import check_database, check_documents
from runcard.cli.installation.opened import command_author
from runcard.cli.installation.serve import sole_server
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json
from runcard.cli.terminal.output import Record, show_record
from runcard.domain.errors import Conflict, InvalidInput
from runcard.evidence.head_files import HEADS_FILE
from runcard.evidence.signing import KEY_FILE as SIGNING_KEY_FILE
from runcard.opening import open_blobs, open_database, open_documents
from runcard.settings import Settings, SettingsError, check_is_there, load_settings
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database, DatabaseFailed, naming_failures
from runcard.store.engine.migrate import is_newest_schema
from runcard.store.installation.integrity import count_runs
from runcard.store.installation.sqlite_copy import copy_database, list_stored
from runcard.store.moving.journal import check_not_moved, forget_move
from runcard.store.people.organizations import list_organizations
from runcard.store.trail.watching import note_event

_DATABASE = "runcard.sqlite3"
_BESIDE = (KEY_FILE, SIGNING_KEY_FILE, HEADS_FILE, "runcard.toml")
_FAULTS_SHOWN = 3
_KEEP_OLDER = (
    "Keep older backups: they may contain these files. `runcard doctor` shows what the files belong to."
)


class _Kept(NamedTuple):
    """missing: keys of attachments, and of packs of documents, without a file. damaged: keys of attachments whose file
    has the wrong size.
    """

    runs: int
    attachments: int
    missing: list[str]
    damaged: list[str]


def backup(
    target: Annotated[Path, typer.Argument(help="Folder to create; it must not exist yet.")],
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Copy an installation while it is in use: database, attachments, keys, signed heads and settings.

    The copy is checked. A damaged database is not backed up. If files are missing or damaged, the backup is made, but
    the command ends with 1.
    """
    settings = load_settings(data_dir=data_dir, database_url=database_url)
    check_is_there(settings)
    _check_sqlite(settings)
    if target.exists():
        raise InvalidInput.at("target", f"{target} exists already; name a folder that does not.")
    os.umask(0o077)
    unfinished = target.with_name(f"{target.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    try:
        kept = _copy(settings, unfinished)
        write_sums(unfinished)
        unfinished.rename(target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    is_whole = not kept.missing and not kept.damaged
    show_record(
        {"path": str(target), **kept._asdict()},
        as_json=as_json,
        note=None if is_whole else _KEEP_OLDER,
    )
    if not is_whole:
        raise typer.Exit(1)


def restore(
    source: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder that `backup` made.")],
    *,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Restore an installation from a backup, into a data directory without one. The backup is checked first."""
    settings = load_settings(data_dir=data_dir)
    _check_sqlite(settings)
    with sole_server(settings):
        if settings.sqlite_path.exists():
            raise Conflict(
                f"data_dir {settings.data_dir} holds an installation already. Name another directory, or move this one "
                "away."
            )
        check_sums(source, _DATABASE)
        for name in _BESIDE:
            if (source / name).exists():
                _copy_secret(source / name, settings.data_dir / name)
        settings = load_settings(data_dir=settings.data_dir)
        record = _put_back(settings, source)
        note = _retention_note(settings)
    show_record(record, as_json=as_json, note=note)


def _copy(settings: Settings, folder: Path) -> _Kept:
    """Copy an installation to a folder. Raises DatabaseFailed where the database is damaged."""
    copied = folder / _DATABASE
    with _reporting_damage(), closing(Database.open(None, settings.sqlite_path)) as database:
        check_not_moved(database)
        copy_database(database, copied)
    with _reporting_damage(), closing(Database.open(None, copied)) as database:
        with database.writing_connection() as connection, connection.begin():
            forget_move(connection)  # of an installation that is moving to PostgreSQL
        _check(database)
    for name in _BESIDE:
        if (settings.data_dir / name).exists():
            _copy_secret(settings.data_dir / name, folder / name)
    with closing(Database.open(None, copied)) as database, database.read() as connection:
        keys = (file.blob_key for file in list_stored(connection))
        count, missing = copy_blobs(open_blobs(settings), keys, folder / ATTACHMENTS)
        damaged = [
            file.blob_key
            for file in list_stored(connection)
            if (path := folder / ATTACHMENTS / file.blob_key).exists()
            and path.stat().st_size != file.size_bytes
        ]
        missing_packs = copy_documents(open_documents(settings), connection, folder / DOCUMENTS)
        runs = count_runs(connection)
    return _Kept(runs, count, [*_still_recorded(settings, missing), *missing_packs], damaged)


def _check(database: Database) -> None:
    """Check the copy of a database and every run in it.

    Raises DatabaseFailed where the copy is damaged or a run cannot be read, and Conflict where another version of
    Runcard made the database.
    """
    with database.read() as connection:
        if not is_newest_schema(connection):
            raise Conflict(
                "The database has the schema of another version of Runcard. Back up with the version that last served "
                "it."
            )
    found = chain(check_database(database), check_documents(database, lambda _: None))
    if faults := [finding.message for finding in islice(shown(found, "Checking the copy"), _FAULTS_SHOWN)]:
        raise DatabaseFailed(" ".join(faults))


@contextmanager
def _reporting_damage() -> Iterator[None]:
    """A block whose damaged database becomes an error that says what to do."""
    try:
        with naming_failures():
            yield
    except DatabaseFailed as error:
        raise DatabaseFailed(
            f"No backup was made, since the database is damaged or cannot be read: {error} Keep the existing backups. "
            "`runcard doctor` shows everything that is wrong, and how to mend it."
        ) from error


def _still_recorded(settings: Settings, keys: list[str]) -> list[str]:
    """The keys whose attachments have not been deleted since the database was copied."""
    if not keys:
        return keys
    database = Database.open(None, settings.sqlite_path)
    with naming_failures(), closing(database), database.read() as connection:
        recorded = {file.blob_key for file in list_stored(connection)}
    return [key for key in keys if key in recorded]


def _put_back(settings: Settings, source: Path) -> Record:
    """Put the files and the database of a backup in place, and return what was restored.

    The database comes last: until then there is no installation.
    """
    count = put_back_blobs(open_blobs(settings), source / ATTACHMENTS)
    put_back_documents(open_documents(settings), source / DOCUMENTS)
    # A columnar copy that is left here belongs to another database. A new one is built by itself.
    settings.copy_path.unlink(missing_ok=True)
    unfinished = settings.sqlite_path.with_name(f"{_DATABASE}.part")
    shutil.copyfile(source / _DATABASE, unfinished)
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.rename(settings.sqlite_path)
    with naming_failures(), closing(open_database(settings)) as database:
        _note_restored(database, source)
        with database.read() as connection:
            runs = count_runs(connection)
    return {"data_dir": str(settings.data_dir), "runs": runs, "attachments": count}


def _note_restored(database: Database, source: Path) -> None:
    """Leave an entry in the trail of each organization: what was changed after the backup is gone."""
    with database.read() as connection:
        ids = [organization.id for organization in list_organizations(connection)]
    with closing(Writer(database)) as writer:
        for organization_id in ids:
            note = partial(note_event, kind="backup_restored", thing_id=organization_id)
            writer.write(command_author(organization_id), partial(note, what={"folder": str(source)}))


def _retention_note(settings: Settings) -> str | None:
    """A warning that a server would delete the old records of a restored backup; None where none keeps a limit.

    A user may restore a backup to get back just those records.
    """
    with naming_failures(), closing(open_database(settings)) as database, database.read() as connection:
        organizations = list_organizations(connection)
        slugs = [organization.slug for organization in organizations if organization.retention.is_set]
    if not slugs:
        return None
    return (
        f"A server deletes at once what is older than its organization keeps it, here in {', '.join(slugs)}. To keep "
        "old records, run this before you start a server: runcard organization set --no-run-retention "
        "--no-file-retention"
    )


def _check_sqlite(settings: Settings) -> None:
    if settings.database_url is not None:
        raise SettingsError(
            "database_url names PostgreSQL: use pg_dump and pg_restore, then copy the attachments, and what "
            "`documents_url` names."
        )


def _copy_secret(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    target.write_bytes(source.read_bytes())
