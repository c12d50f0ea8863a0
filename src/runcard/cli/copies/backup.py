"""`runcard backup` and `runcard restore`: a whole installation in a folder, and back.

Database first, then attachments: files are stored before a run refers to them, so a copy in this order is complete.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from runcard.app import open_blobs, open_database
from runcard.auth.secret_keys import KEY_FILE
from runcard.cli.copies.blobs import copy_blobs, put_back_blobs
from runcard.cli.copies.checksums import check_sums, shown, write_sums
from runcard.cli.installation.checkup import check_database, check_documents
from runcard.cli.installation.serve import sole_server
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json
from runcard.cli.terminal.output import Record, show_record
from runcard.domain.errors import Conflict, InvalidInput
from runcard.settings import Settings, SettingsError, check_is_there, load_settings
from runcard.store.engine.database import Database, DatabaseFailed, naming_failures
from runcard.store.engine.migrate import is_newest_schema
from runcard.store.installation.integrity import count_runs
from runcard.store.installation.sqlite_copy import copy_database, list_stored
from runcard.store.people.organizations import list_organizations

_DATABASE = "runcard.sqlite3"
_ATTACHMENTS = "attachments"
_BESIDE = (KEY_FILE, "runcard.toml")
_FAULTS_SHOWN = 3
_KEEP_OLDER = "Keep older backups, which may hold these files. `runcard doctor` tells what they belong to."


class _Kept(NamedTuple):
    """missing, damaged: keys of attachments whose bytes are not there, or are not as many as came."""

    runs: int
    attachments: int
    missing: list[str]
    damaged: list[str]


def backup(
    target: Annotated[Path, typer.Argument(help="Folder to make; it must not be there yet.")],
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Copy an installation while it is in use: database, attachments, signing key and settings.

    What is copied is checked. Of a damaged database no backup is made; where files are missing or damaged, one is made
    and the command ends with 1.
    """
    settings = load_settings(data_dir=data_dir, database_url=database_url)
    check_is_there(settings)
    _check_sqlite(settings)
    if target.exists():
        raise InvalidInput.at("target", f"{target} is there already; name a folder that is not.")
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
    """Make an installation of a backup, in a data directory that holds none; the backup is checked first."""
    settings = load_settings(data_dir=data_dir)
    _check_sqlite(settings)
    with sole_server(settings):
        if settings.sqlite_path.exists():
            raise Conflict(
                f"data_dir {settings.data_dir} holds an installation. Name another one, or move this one away."
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
    """Raises DatabaseFailed where the database is damaged."""
    copied = folder / _DATABASE
    with _damage_told(), closing(Database.open(None, settings.sqlite_path)) as database:
        copy_database(database, copied)
    with _damage_told(), closing(Database.open(None, copied)) as database:
        _check(database)
    for name in _BESIDE:
        if (settings.data_dir / name).exists():
            _copy_secret(settings.data_dir / name, folder / name)
    with closing(Database.open(None, copied)) as database, database.read() as connection:
        keys = (one.blob_key for one in list_stored(connection))
        count, missing = copy_blobs(open_blobs(settings), keys, folder / _ATTACHMENTS)
        damaged = [
            one.blob_key
            for one in list_stored(connection)
            if (path := folder / _ATTACHMENTS / one.blob_key).exists()
            and path.stat().st_size != one.size_bytes
        ]
        runs = count_runs(connection)
    return _Kept(runs, count, _still_recorded(settings, missing), damaged)


def _check(database: Database) -> None:
    """Raises DatabaseFailed where the copy of a database is not sound, or a run in it cannot be read; Conflict where
    another version of Runcard made it.
    """
    with database.read() as connection:
        if not is_newest_schema(connection):
            raise Conflict(
                "The database has the schema of another version of Runcard. Back up with the version that served it "
                "last."
            )
    found = chain(check_database(database), check_documents(database, lambda _: None))
    if faults := [one.message for one in islice(shown(found, "Checking the copy"), _FAULTS_SHOWN)]:
        raise DatabaseFailed(" ".join(faults))


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        with naming_failures():
            yield
    except DatabaseFailed as error:
        raise DatabaseFailed(
            f"No backup was made, since the database is damaged or cannot be read: {error} Keep the backups that there "
            "are. `runcard doctor` tells all that is wrong, and how to mend it."
        ) from error


def _still_recorded(settings: Settings, keys: list[str]) -> list[str]:
    """Those of these keys of attachments that have not been deleted since the database was copied."""
    if not keys:
        return keys
    database = Database.open(None, settings.sqlite_path)
    with naming_failures(), closing(database), database.read() as connection:
        recorded = {one.blob_key for one in list_stored(connection)}
    return [key for key in keys if key in recorded]


def _put_back(settings: Settings, source: Path) -> Record:
    """What was restored. The database is put in its place last: before that there is no installation."""
    count = put_back_blobs(open_blobs(settings), source / _ATTACHMENTS)
    # It grows back, and what is left of another one would not belong to this database.
    settings.copy_path.unlink(missing_ok=True)
    unfinished = settings.sqlite_path.with_name(f"{_DATABASE}.part")
    shutil.copyfile(source / _DATABASE, unfinished)
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.rename(settings.sqlite_path)
    with naming_failures(), closing(open_database(settings)) as database, database.read() as connection:
        return {"data_dir": str(settings.data_dir), "runs": count_runs(connection), "attachments": count}


def _retention_note(settings: Settings) -> str | None:
    """Whoever restores a backup may want what has been deleted for its age since."""
    with naming_failures(), closing(open_database(settings)) as database, database.read() as connection:
        slugs = [one.slug for one in list_organizations(connection) if one.retention.is_set]
    if not slugs:
        return None
    return (
        f"A server deletes at once what is older than its organization keeps it, as that of {', '.join(slugs)}. To "
        "keep it, first run: runcard organization set --no-run-retention --no-file-retention"
    )


def _check_sqlite(settings: Settings) -> None:
    if settings.database_url is not None:
        raise SettingsError(
            "database_url names PostgreSQL: use pg_dump and pg_restore, and copy the attachments after that."
        )


def _copy_secret(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    target.write_bytes(source.read_bytes())
