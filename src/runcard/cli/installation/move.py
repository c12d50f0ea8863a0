"""`runcard move`: move an installation from SQLite to PostgreSQL, while its server runs."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

from runcard.cli.installation.database_setting import remove_database_url, write_database_url
from runcard.cli.installation.private_files import keep_private
from runcard.cli.terminal.options import DataDir, Json
from runcard.cli.terminal.output import Record, progress_bar, show_record
from runcard.domain.errors import Conflict, InvalidInput
from runcard.settings import Settings, SettingsError, load_settings
from runcard.store.engine.database import Database, DatabaseFailed, naming_failures
from runcard.store.engine.migrate import migrate
from runcard.store.moving.checks import check_target, open_target, shown_url
from runcard.store.moving.journal import is_closed
from runcard.store.moving.moving import Mover, Tell
from runcard.store.moving.undoing import undo_move


def move(
    *,
    to: Annotated[
        str | None,
        typer.Option(
            metavar="URL", help="The new database: postgresql://user@host/name. It has to be empty."
        ),
    ] = None,
    to_file: Annotated[
        Path | None,
        typer.Option(help="A file with that URL, so that no list of processes shows its password."),
    ] = None,
    undo: Annotated[
        bool,
        typer.Option(
            "--undo", help="Give a move up: the server goes on with SQLite, or may start on it again."
        ),
    ] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Move an installation from SQLite to PostgreSQL. Its server goes on meanwhile, and then serves the new database.

    A move that was cut short goes on where it ended, if the same command is run again.
    """
    settings = load_settings(data_dir=data_dir)
    if not settings.sqlite_path.is_file():
        raise SettingsError(
            f"data_dir {settings.data_dir} holds no SQLite database that could move. Name the right directory."
        )
    keep_private(settings.data_dir)
    url = _url(to, to_file)
    with closing(Database.open(None, settings.sqlite_path)) as source:
        record = _undo(settings, source, url) if undo else _move(settings, source, url)
    show_record(record, as_json=as_json)


def _url(to: str | None, to_file: Path | None) -> str | None:
    if to is not None and to_file is not None:
        raise InvalidInput.at("to", "Both --to and --to-file are given; give one of them.")
    return to if to_file is None else to_file.read_text("utf-8").strip()


def _move(settings: Settings, source: Database, url: str | None) -> Record:
    if url is None:
        raise InvalidInput.at("to", "Name the new database: --to postgresql://user@host/name.")
    with naming_failures():
        has_switched = is_closed(source)
        if settings.database_url is not None and not has_switched:
            raise Conflict(
                f"database_url is set, so this installation does not keep its record in {settings.sqlite_path}. "
                "There is nothing to move."
            )
        if not has_switched:
            migrate(source)
    with closing(open_target(url)) as target:
        if not has_switched:
            check_target(target)
        with _saying_how_to_go_on(), _telling() as tell:
            setting = _run(settings, Mover(source, target, tell), url)
        return {"database": shown_url(target), "database_url": setting}


def _run(settings: Settings, mover: Mover, url: str) -> str:
    """Move all that is not moved yet, and say where the new database is named."""
    if mover.is_done:
        if settings.database_url != url:
            raise Conflict(
                "This installation has moved already, to another database. There is nothing to move."
            )
        return _set(settings, url)
    with mover.alone():
        mover.begin()
        if not mover.is_switched:
            mover.copy_and_switch()
        setting = _set(settings, url)
        mover.finish()
    return setting


def _set(settings: Settings, url: str) -> str:
    """Let servers use the new database, and say where that is written. Raises SettingsError if it cannot be."""
    if settings.database_url is not None:
        return "is set already"
    try:
        return f"written to {write_database_url(settings, url)}"
    except OSError as error:
        raise SettingsError(
            f"The record has moved, but database_url could not be written to runcard.toml: {error.strerror}. Nothing "
            "is recorded until it is there. Mend that and run the same command again; or set RUNCARD_DATABASE_URL, "
            "start the server again with it, and run the same command with it."
        ) from error


def _undo(settings: Settings, source: Database, url: str | None) -> Record:
    named = url or settings.database_url
    with _naming_and_opening(named) as target:
        was_closed = undo_move(source, target)
    if not was_closed:
        return {
            "database": str(settings.sqlite_path),
            "note": "The unfinished copy in PostgreSQL may be dropped.",
        }
    path = remove_database_url(settings)
    return {
        "database": str(settings.sqlite_path),
        "note": f"database_url is removed from {path}. Start the server.",
    }


@contextmanager
def _naming_and_opening(url: str | None) -> Iterator[Database | None]:
    with naming_failures():
        if url is None:
            yield None
            return
        with closing(open_target(url)) as target:
            yield target


@contextmanager
def _saying_how_to_go_on() -> Iterator[None]:
    try:
        with naming_failures():
            yield
    except DatabaseFailed as error:
        raise DatabaseFailed(
            f"{error} Nothing is lost. Run the same command again: it goes on where it ended."
        ) from error


@contextmanager
def _telling() -> Iterator[Tell]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with progress_bar(*columns) as bar:
        tasks = {}

        def tell(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step)
            bar.update(tasks[step], completed=done, total=total)

        yield tell
