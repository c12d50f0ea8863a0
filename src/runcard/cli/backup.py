"""`runcard backup` and `runcard restore`: a whole installation in a folder, and back.

Database first, then attachments: files are stored before a run refers to them, so a copy in this order is complete.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Annotated, NamedTuple, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from runcard.app import open_blobs, open_database
from runcard.cli.options import DatabaseUrl, DataDir, Json
from runcard.cli.output import Record, show_record
from runcard.cli.serve import sole_server
from runcard.domain.errors import Conflict, InvalidInput, UnreadableReport
from runcard.settings import Settings, SettingsError, check_is_there, load_settings
from runcard.store.blobs import Blobs
from runcard.store.database import Database, naming_failures
from runcard.store.integrity import count_runs
from runcard.store.sqlite_copy import copy_database, list_stored

T = TypeVar("T")

_SUMS = "SHA256SUMS"
_DATABASE = "runcard.sqlite3"
_ATTACHMENTS = "attachments"
_BESIDE = ("secret.key", "runcard.toml")
_BLOCK_BYTES = 1 << 20
_SHOWN = 3


class _Kept(NamedTuple):
    """missing: keys of attachments whose bytes were not there."""

    runs: int
    attachments: int
    missing: list[str]


def backup(
    target: Annotated[Path, typer.Argument(help="Folder to make; it must not be there yet.")],
    *,
    data_dir: DataDir = None,
    database_url: DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Copy an installation while it is in use: database, attachments, signing key and settings."""
    settings = load_settings(data_dir=data_dir, database_url=database_url)
    check_is_there(settings)
    _check_sqlite(settings)
    if target.exists():
        raise InvalidInput.at("target", f"{target} is there already; name a folder that is not.")
    unfinished = target.with_name(f"{target.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True, mode=0o700)
    with naming_failures():
        kept = _copy(settings, unfinished)
    _write_sums(unfinished)
    unfinished.rename(target)
    show_record(
        {"path": str(target), "runs": kept.runs, "attachments": kept.attachments, "missing": kept.missing},
        as_json=as_json,
        note="Files that are missing were deleted meanwhile, or before: `runcard doctor` tells."
        if kept.missing
        else None,
    )


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
        _check_sums(source)
        for name in _BESIDE:
            if (source / name).exists():
                _copy_secret(source / name, settings.data_dir / name)
        settings = load_settings(data_dir=settings.data_dir)
        record = _put_back(settings, source)
    show_record(record, as_json=as_json)


def _copy(settings: Settings, folder: Path) -> _Kept:
    copied = folder / _DATABASE
    with closing(Database.open(None, settings.sqlite_path)) as database:
        copy_database(database, copied)
    for name in _BESIDE:
        if (settings.data_dir / name).exists():
            _copy_secret(settings.data_dir / name, folder / name)
    with closing(Database.open(None, copied)) as database, database.read() as connection:
        keys = (one.blob_key for one in list_stored(connection))
        count, missing = _copy_blobs(open_blobs(settings), keys, folder / _ATTACHMENTS)
        return _Kept(count_runs(connection), count, missing)


def _copy_blobs(blobs: Blobs, keys: Iterable[str], folder: Path) -> tuple[int, list[str]]:
    count, missing = 0, []
    for key in _shown(keys, "Copying attachments"):
        pieces = blobs.stream(key)
        if pieces is None:
            missing.append(key)
            continue
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for piece in pieces:
                file.write(piece)
            os.fsync(file.fileno())
        count += 1
    return count, missing


def _put_back(settings: Settings, source: Path) -> Record:
    """What was restored. The database is put in its place last: before that there is no installation."""
    blobs = open_blobs(settings)
    count = 0
    files = (path for path in sorted((source / _ATTACHMENTS).rglob("*")) if path.is_file())
    for path in _shown(files, "Restoring attachments"):
        with path.open("rb") as content:
            blobs.write(path.relative_to(source / _ATTACHMENTS).as_posix(), content)
        count += 1
    # It grows back, and what is left of another one would not belong to this database.
    settings.copy_path.unlink(missing_ok=True)
    unfinished = settings.sqlite_path.with_name(f"{_DATABASE}.part")
    shutil.copyfile(source / _DATABASE, unfinished)
    with unfinished.open("rb") as file:
        os.fsync(file.fileno())
    unfinished.rename(settings.sqlite_path)
    with naming_failures(), closing(open_database(settings)) as database, database.read() as connection:
        return {"data_dir": str(settings.data_dir), "runs": count_runs(connection), "attachments": count}


def _check_sqlite(settings: Settings) -> None:
    if settings.database_url is not None:
        raise SettingsError(
            "database_url names PostgreSQL: use pg_dump and pg_restore, and copy the attachments after that."
        )


def _copy_secret(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.touch(mode=0o600)
    target.write_bytes(source.read_bytes())


def _write_sums(folder: Path) -> None:
    """The digest of every file, as `sha256sum --check` reads it."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [
        f"{_digest(path)}  {path.relative_to(folder).as_posix()}\n" for path in _shown(paths, "Checking")
    ]
    with (folder / _SUMS).open("w", encoding="utf-8") as file:
        file.writelines(lines)
        file.flush()
        os.fsync(file.fileno())


def _check_sums(folder: Path) -> None:
    """Raises UnreadableReport where a file is missing or is another than was backed up."""
    sums = folder / _SUMS
    if not sums.is_file() or not (folder / _DATABASE).is_file():
        raise InvalidInput.at(
            "source", f"{folder} is no finished backup: it has no {_SUMS} or no {_DATABASE}."
        )
    listed = dict(line.split("  ", 1)[::-1] for line in sums.read_text("utf-8").splitlines())
    wrong = [
        name
        for name, digest in _shown(listed.items(), "Checking the backup")
        if not (folder / name).is_file() or _digest(folder / name) != digest
    ]
    if wrong:
        more = f" and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise UnreadableReport(
            f"The backup is damaged: {', '.join(wrong[:_SHOWN])}{more} missing or changed. Use another one."
        )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _shown(things: Iterable[T], what: str) -> Iterator[T]:
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        yield from progress.track(things, description=what)
