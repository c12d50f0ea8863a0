"""A small demo line in a data directory, and a notebook on it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from runcard.auth.api_keys import new_api_key
from runcard.cli.demo_line.fill import build_floor, record_history
from runcard.cli.demo_line.history import demo_runs
from runcard.notebook import Notebook
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.engine.migrate import migrate
from runcard.store.files.blobs import Blobs
from tests.conftest import SQLITE_FILE

NOW = datetime(2026, 4, 20, 9, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def demo_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nobody changes it."""
    folder = tmp_path_factory.mktemp("demo")
    database = Database.open(None, folder / SQLITE_FILE)
    migrate(database)
    writer = Writer(database)
    try:
        floor = writer.write_shared(lambda tx: build_floor(tx, "no password", new_api_key(), {}))
        blobs = Blobs.open(None, None, folder / "attachments")
        record_history(writer, blobs, floor, demo_runs(1, 300, 20, NOW), lambda _: None)
    finally:
        writer.close()
        database.close()
    return folder


@pytest.fixture(scope="session")
def notebook(demo_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Notebook]:
    with Notebook(demo_dir, cache_dir=tmp_path_factory.mktemp("cache")) as opened:
        yield opened
