"""`runcard rebuild`: rebuild data that is derived from the database."""

from contextlib import closing

import typer
from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

from runcard.analytics.copy.engines.clickhouse import ClickHouse
from runcard.analytics.copy.engines.duckdb import CopyLocked, DuckDb
from runcard.analytics.copy.engines.engine import CopyFailed, Engine
from runcard.analytics.copy.projector import Projector
from runcard.cli.installation.private_files import keep_private
from runcard.cli.terminal.options import DatabaseUrl, DataDir, Json
from runcard.cli.terminal.output import progress_bar, show_record
from runcard.domain.errors import Conflict, StorageUnavailable
from runcard.opening import columns_address, memory_plan, open_database
from runcard.settings import Settings, check_is_there, load_settings
from runcard.store.commit.changes import last_seq
from runcard.store.engine.database import Database, naming_failures
from runcard.store.engine.locks import Lock

app = typer.Typer(no_args_is_help=True, help="Rebuild data that is derived from the database.")


@app.callback()
def rebuild() -> None:
    """Makes typer keep `analytics` as a subcommand, although it is the only one."""


@app.command()
def analytics(data_dir: DataDir = None, database_url: DatabaseUrl = None, as_json: Json = False) -> None:
    """Delete the columnar copy and build it anew. A running server does that by itself if the copy is missing."""
    settings = load_settings(data_dir=data_dir, database_url=database_url)
    check_is_there(settings)
    keep_private(settings.data_dir)
    if settings.columns_url is not None:
        _rebuild_shared(settings, settings.columns_url, as_json=as_json)
        return
    with naming_failures(), closing(open_database(settings)) as database:
        try:
            with closing(DuckDb(settings.copy_path, memory_plan(settings).copy_bytes)) as engine:
                engine.begin_anew()
                seen = _follow(database, engine)
        except CopyLocked as error:
            raise Conflict(
                f"{settings.copy_path} belongs to a running server. Stop the server, run this again, and start the "
                "server; or delete the file while the server is stopped: it then builds a new copy while it serves."
            ) from error
        except CopyFailed as error:
            raise StorageUnavailable(str(error)) from error
    show_record(
        {"path": str(settings.copy_path), "changes": seen, "bytes": settings.copy_path.stat().st_size},
        as_json=as_json,
    )


def _rebuild_shared(settings: Settings, url: str, *, as_json: bool) -> None:
    with (
        naming_failures(),
        closing(open_database(settings)) as database,
        database.alone(Lock.COLUMNS) as is_alone,
    ):
        if not is_alone:
            raise Conflict(
                "A server or a worker keeps the columnar copy up to date. Stop all of them, and run this again."
            )
        try:
            with closing(ClickHouse.at(columns_address(url), settings.columns_cluster)) as engine:
                engine.begin_anew()
                seen = _follow(database, engine)
        except CopyFailed as error:
            raise StorageUnavailable(str(error)) from error
    show_record({"path": engine.place, "changes": seen}, as_json=as_json)


def _follow(database: Database, engine: Engine) -> int:
    """Copy all changes until now, and return the number of the last one."""
    projector = Projector(database, engine)
    with database.read() as connection:
        last = last_seq(connection)
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with progress_bar(*columns) as bar:
        task = bar.add_task("Copying changes", total=last)
        seen = projector.seen()
        while seen < last:
            seen = projector.step().seq
            bar.update(task, completed=min(seen, last))
    return seen
