"""`runcard worker`: keep the columnar copy up to date, without a web server."""

import signal
import threading
from contextlib import closing
from logging.config import dictConfig
from types import FrameType

import typer

from runcard.cli.terminal.options import DatabaseUrl, DataDir
from runcard.log_lines import logging_as
from runcard.opening import open_copy, open_database
from runcard.settings import SettingsError, check_is_there, load_settings
from runcard.store.engine.database import naming_failures
from runcard.worker import Worker


def worker(data_dir: DataDir = None, database_url: DatabaseUrl = None) -> None:
    """Keep the columnar copy in ClickHouse up to date until stopped, without serving anything.

    Of several workers and servers one writes the copy. Another takes over when it ends.
    """
    settings = load_settings(data_dir=data_dir, database_url=database_url)
    dictConfig(logging_as(settings.log_format))
    check_is_there(settings)
    copy = None if settings.columns_url is None else open_copy(settings)
    if copy is None:
        raise SettingsError(
            "columns_url is not set, or columnar_copy is off: a worker has no columnar copy to keep. "
            "Set RUNCARD_COLUMNS_URL to a ClickHouse; a server keeps its own DuckDB file itself."
        )
    stopped = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    with naming_failures(), closing(open_database(settings)) as database, closing(Worker(database, copy)):
        typer.echo(f"Runcard keeps the columnar copy in {copy.engine.place}")
        stopped.wait()
