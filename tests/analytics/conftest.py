"""A floor whose past a copy follows, for the tests of a module."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.analytics.copies import OwnCopy, own_copy
from tests.conftest import Template
from tests.histories import Floor, opened_floor


@pytest.fixture(scope="module")
def floor(peopled: Template, peopled_database_url: str | None, module_data_dir: Path) -> Iterator[Floor]:
    with opened_floor(peopled, peopled_database_url, module_data_dir) as floor:
        yield floor


@pytest.fixture(scope="module")
def followed(floor: Floor) -> Iterator[OwnCopy]:
    """A copy that takes in what each history leaves, after those before."""
    with own_copy(floor.database) as copy:
        yield copy
