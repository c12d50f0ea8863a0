"""The copy of a notebook: its own, up to date, and found again."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runcard.analytics.copy.engines.duckdb import DuckDb, look_at
from runcard.domain.runs.report import RunReport
from runcard.notebook import Notebook
from runcard.settings import Settings
from runcard.store.commit.changes import last_seq
from tests.conftest import Template
from tests.histories import START, Floor, opened_floor

Open = Callable[..., Notebook]


@pytest.fixture(scope="module")
def floor(peopled: Template, peopled_database_url: str | None, module_data_dir: Path) -> Iterator[Floor]:
    with opened_floor(peopled, peopled_database_url, module_data_dir) as floor:
        yield floor


@pytest.fixture
def opened(
    floor: Floor, peopled_database_url: str | None, module_data_dir: Path, tmp_path: Path
) -> Iterator[Open]:
    """Opens notebooks that keep their copy in one folder, and closes them in the end."""
    notebooks: list[Notebook] = []

    def open_one(cache_dir: Path = tmp_path / "cache", **options: object) -> Notebook:
        url = peopled_database_url
        named: dict[str, Any] = {"organization": "acme", "cache_dir": cache_dir, **options}
        one = Notebook(module_data_dir, database_url=url, **named)
        notebooks.append(one)
        return one

    yield open_one
    for one in notebooks:
        one.close()


def reports(count: int) -> list[RunReport]:
    return [
        RunReport(
            procedure="later",
            serial_number=f"NB-{number}",
            outcome="PASS",
            part_number="P",
            started_at=START,
        )
        for number in range(count)
    ]


def copies(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.duckdb"))


def test_what_was_recorded_before_a_question_counts(opened: Open, floor: Floor):
    notebook, procedure_id = opened(), floor.procedure()
    for count in (1, 2):
        floor.record(procedure_id, reports(count))
        told = notebook.throughput(procedures=[str(procedure_id)])
        assert told.n == 2 * count - 1
        assert told.freshness.is_current


def test_the_server_keeps_its_copy_to_itself(opened: Open, floor: Floor, module_data_dir: Path):
    notebook, procedure_id = opened(), floor.procedure()
    floor.record(procedure_id, reports(1))
    path = Settings(data_dir=module_data_dir).copy_path
    assert notebook.throughput().n > 0
    assert not path.exists()
    servers = DuckDb(path)
    floor.record(procedure_id, reports(1))
    assert notebook.throughput(procedures=[str(procedure_id)]).n == 2
    servers.close()
    assert look_at(path) == 0
    path.unlink()


def test_the_next_notebook_finds_it(opened: Open, floor: Floor, tmp_path: Path):
    floor.record(floor.procedure(), reports(3))
    first = opened()
    n = first.throughput().n
    assert n > 2
    first.close()
    [path] = copies(tmp_path / "cache")
    with floor.database.read() as connection:
        newest = last_seq(connection)
    assert look_at(path) == newest
    taken_in: list[tuple[int, int]] = []
    again = opened(progress=lambda seen, last: taken_in.append((seen, last)))
    assert again.throughput().n == n
    assert taken_in == [(newest, newest)]


def test_two_at_once_have_one_each(opened: Open, floor: Floor, tmp_path: Path):
    procedure_id = floor.procedure()
    first, second = opened(), opened()
    floor.record(procedure_id, reports(2))
    assert first.throughput(procedures=[str(procedure_id)]).n == 2
    assert second.throughput(procedures=[str(procedure_id)]).n == 2
    assert len(copies(tmp_path / "cache")) == 1


def test_a_folder_that_cannot_be_used_is_done_without(opened: Open, floor: Floor, tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    floor.record(floor.procedure(), reports(1))
    assert opened(tmp_path / "file" / "cache").throughput().n > 0


def test_a_copy_of_another_history_is_begun_anew(opened: Open, floor: Floor, tmp_path: Path):
    floor.record(floor.procedure(), reports(2))
    first = opened()
    n = first.throughput().n
    first.close()
    [path] = copies(tmp_path / "cache")
    other = DuckDb(path)
    with other.transaction() as cursor:
        cursor.execute("UPDATE copy_state SET entity = uuid()")
    other.close()
    assert opened().throughput().n == n


def test_a_damaged_copy_is_begun_anew(opened: Open, floor: Floor, tmp_path: Path):
    floor.record(floor.procedure(), reports(2))
    first = opened()
    n = first.throughput().n
    first.close()
    [path] = copies(tmp_path / "cache")
    path.write_bytes(b"no columns at all" * 1000)
    assert opened().throughput().n == n


def test_nobody_else_may_read_it(opened: Open, tmp_path: Path):
    opened(tmp_path / "made")
    assert (tmp_path / "made").stat().st_mode & 0o077 == 0
