"""A SQLite file with rows, and an empty PostgreSQL database that it can move into."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from runcard.store.engine.database import Database
from runcard.store.moving.checks import open_target
from tests.conftest import DatabaseKind
from tests.postgresql import Postgresql


@pytest.fixture(scope="module", params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> DatabaseKind:
    kind: DatabaseKind = request.param
    return kind


@pytest.fixture(scope="session")
def trail_fits() -> bool:
    """The rows of these tests are written past Runcard."""
    return False


@pytest.fixture
def target(postgresql: Postgresql) -> Iterator[Database]:
    """An empty database."""
    with postgresql.database() as url, closing(open_target(url)) as opened:
        yield opened
