"""Files that somebody brings in."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from runcard.domain.actor import Actor
from runcard.ingest.record_run import RunClient
from runcard.intake.arrived_files import Stores
from runcard.intake.choices import ImportChoice
from runcard.intake.report_files import Fate, ReportFiles
from runcard.store.commit.writer import Writer
from runcard.store.engine.database import Database
from runcard.store.files.blobs import Blobs
from tests.world import World

CLIENT = RunClient("importing", "1")
BringIn = Callable[..., Fate]


@pytest.fixture
def stores(database: Database, writer: Writer, tmp_path: Path) -> Stores:
    return Stores(database, writer, Blobs.open(None, None, tmp_path / "attachments"))


@pytest.fixture
def bring_in(stores: Stores, world: World) -> BringIn:
    """Brings in a file; the admin does, where no other actor is named."""

    def bring_in(content: bytes, *, actor: Actor | None = None, name: str = "a.xml", **choice: Any) -> Fate:
        files = ReportFiles(stores, actor or world.acme.admin.actor, CLIENT, ImportChoice(**choice))
        return files.bring_in(name, BytesIO(content))

    return bring_in


@pytest.fixture
def rehearse_all(stores: Stores, world: World) -> BringIn:
    """Tries files together, as one command does; nothing is recorded."""
    files = ReportFiles(stores, world.acme.admin.actor, CLIENT, ImportChoice(rehearses=True))
    return lambda content, *, name: files.bring_in(name, BytesIO(content))
