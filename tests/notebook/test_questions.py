"""Questions in a notebook."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from runcard.analytics.answers import Answer
from runcard.analytics.questions.yields.first_pass_yield import first_pass_yield
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.errors import InvalidInput, NotFound, ProcedureNotFound
from runcard.notebook import Notebook
from runcard.settings import SettingsError
from runcard.store.engine.database import Database, DatabaseFailed
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from runcard.store.people.organizations import list_organizations
from runcard.store.procedures.rows import list_procedures
from runcard.store.stations.rows import list_stations
from tests.acceptance.test_analytics import QUESTIONS as OVER_REST
from tests.analytics.copies import own_copy
from tests.conftest import SQLITE_FILE

MODULE = "Module functional test"
GAIN = (MODULE, "gain_1khz")

# Each with a call, and with columns that its table has.
QUESTIONS: Mapping[str, tuple[Callable[[Notebook], Answer], tuple[str, ...]]] = {
    "first_pass_yield": (
        lambda nb: nb.first_pass_yield(group_by="day"),
        ("group.name", "first_pass.ratio", "dpmo"),
    ),
    "rolled_yield": (lambda nb: nb.rolled_yield(), ("part.name", "rolled_yield", "procedures")),
    "throughput": (lambda nb: nb.throughput(group_by="station"), ("group.key", "runs", "outcomes")),
    "utilisation": (lambda nb: nb.utilisation(), ("station.name", "utilisation")),
    "retest": (lambda nb: nb.retest(group_by="part"), ("group.name", "retested.low")),
    "pareto": (lambda nb: nb.pareto("measurements"), ("procedure.name", "measurement", "cumulated_share")),
    "durations": (lambda nb: nb.durations(group_by="week"), ("group.name", "figures.p95_s")),
    "phase_durations": (
        lambda nb: nb.phase_durations(group_by="month"),
        ("phase", "figures.mean_s", "rows"),
    ),
    "capability": (
        lambda nb: nb.capability(*GAIN),
        ("spec.lower", "cpk.value", "normality.p_value", "first_at"),
    ),
    "capabilities": (lambda nb: nb.capabilities(MODULE), ("spec.name", "ppk")),
    "control_chart": (lambda nb: nb.control_chart(*GAIN), ("run_id", "started_at", "value", "segment")),
    "histogram": (
        lambda nb: nb.histogram(*GAIN, group_by="station"),
        ("group.name", "box.q1", "percentiles.p95", "counts"),
    ),
    "compare": (lambda nb: nb.compare(*GAIN), ("group.name", "difference.low", "ppk")),
    "correlation": (lambda nb: nb.correlation(GAIN, (MODULE, "thd")), ("x", "y", "run_id")),
    "outcome_disagreement": (lambda nb: nb.outcome_disagreement(), ("procedure.name", "passed_outside")),
}


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_every_question_has_an_answer_and_a_table(notebook: Notebook, name: str):
    ask, columns = QUESTIONS[name]
    answer = ask(notebook)
    assert answer.n > 0
    assert answer.freshness.is_current
    table = answer.to_arrow()
    assert set(columns) <= set(table.column_names)
    assert table.num_rows == len(getattr(answer, answer.table))
    assert table.num_rows > 0 or name == "outcome_disagreement"
    assert list(answer.to_pandas().columns) == table.column_names


def test_there_is_every_question_that_there_is_over_rest(notebook: Notebook):
    told = {name for name in dir(notebook) if not name.startswith("_")} - {"close"}
    assert told == set(QUESTIONS)
    assert len(told) == len(OVER_REST)


def test_answers_are_those_of_the_questions(notebook: Notebook, demo_dir: Path):
    database = Database.open(None, demo_dir / SQLITE_FILE)
    with own_copy(database) as copy, database.read() as connection:
        copy.follow()
        [home] = list_organizations(connection)
        station = list_stations(Scope(connection, home.id))[0]
        procedure = next(one for one in list_procedures(Scope(connection, home.id)) if one.name == MODULE)
        runs = RunFilter(
            procedure_ids=[procedure.id], created_by_station_ids=[station.id], samples=["production"]
        )
        zone = ZoneInfo("Europe/Berlin")
        expected = first_pass_yield(
            Snapshot(copy.copy, Scope(connection, home.id)), Selection(runs), zone, "week"
        )
        for name in (MODULE, MODULE.upper(), procedure.identifier, str(procedure.id)):
            told = notebook.first_pass_yield(
                procedures=[name],
                stations=[station.name.lower()],
                samples=["production"],
                group_by="week",
                time_zone="Europe/Berlin",
            )
            assert told == expected
    database.close()
    assert told.n > 0


def test_moments_may_be_those_of_pandas_or_texts(notebook: Notebook):
    counted = [
        notebook.throughput(started_after=moment).n
        for moment in (pd.Timestamp("2026-04-10", tz="UTC"), "2026-04-10T00:00:00Z")
    ]
    assert counted == [counted[0]] * 2
    assert 0 < counted[0] < notebook.throughput().n


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"procedure": ["FVT1"]}, "procedure"),
        ({"procedures": "FVT1"}, "procedures"),
        ({"outcomes": ["GOOD"]}, "outcomes"),
        ({"attempts": "third"}, "attempts"),
        ({"samples": [None]}, "samples"),
        ({"started_after": "yesterday"}, "started_after"),
        ({"group_by": "colour"}, "group_by"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
    ],
    ids=lambda one: "" if isinstance(one, dict) else str(one),
)
def test_what_cannot_be_asked_is_named(notebook: Notebook, asked: dict[str, Any], name: str):
    with pytest.raises(InvalidInput) as raised:
        notebook.first_pass_yield(**asked)
    [issue] = raised.value.issues
    assert issue.path == (name,)
    # What a traceback shows.
    assert raised.value.__notes__ == [f"{name}: {issue.message}"]


def test_numbers_have_bounds(notebook: Notebook):
    with pytest.raises(InvalidInput) as raised:
        notebook.histogram(*GAIN, bins=201)
    assert raised.value.issues[0].path == ("bins",)


def test_names_that_nothing_has(notebook: Notebook):
    with pytest.raises(ProcedureNotFound, match="FVT99"):
        notebook.capability("FVT99", "vcc")
    with pytest.raises(NotFound, match="Line 99"):
        notebook.throughput(stations=["Line 99"])
    with pytest.raises(NotFound, match=r"nobody@example\.com"):
        notebook.throughput(operators=["nobody@example.com"])


def test_where_nothing_is_installed(tmp_path: Path):
    with pytest.raises(SettingsError, match="holds no Runcard installation"):
        Notebook(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_database_of_another_version_is_left_alone(tmp_path: Path):
    database = Database.open(None, tmp_path / SQLITE_FILE)
    with database.writing_connection() as connection:
        connection.commit()
    database.close()
    before = (tmp_path / SQLITE_FILE).read_bytes()
    with pytest.raises(DatabaseFailed, match="another version"):
        Notebook(tmp_path, cache_dir=tmp_path / "cache")
    assert (tmp_path / SQLITE_FILE).read_bytes() == before


def test_an_organization_that_is_not_there(demo_dir: Path, tmp_path: Path):
    with pytest.raises(NotFound, match="Organization not found: elsewhere"):
        Notebook(demo_dir, organization="elsewhere", cache_dir=tmp_path)
