"""`runcard doctor`: what is wrong with an installation, and how to mend it."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from runcard.app import open_blobs
from runcard.cli.checkup import (
    Cupboard,
    Finding,
    check_data_dir,
    check_database,
    check_documents,
    check_schema,
)
from runcard.cli.installation import check_is_there
from runcard.cli.options import DatabaseUrl, DataDir, Json
from runcard.cli.output import show_json
from runcard.domain.errors import StorageUnavailable
from runcard.settings import Settings, load_settings
from runcard.store.database import Database, DatabaseFailed, naming_failures
from runcard.store.integrity import count_runs
from runcard.store.writer import Writer
