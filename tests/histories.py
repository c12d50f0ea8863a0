"""Small histories of runs whose insides are full of equals, and a floor that records them."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from msgspec.structs import replace

from runcard.domain.actor import SystemActor
from runcard.domain.runs.measurement import Measurement, Series
from runcard.domain.runs.outcome import LOG_LEVELS
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.report import RunReport
from runcard.domain.runs.sequence import PhaseSequence
from runcard.ingest.record_run import prepare_run, record_run
from runcard.store.commit.changes import last_seq
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine.database import Database
from runcard.store.lists.pages import Page
from runcard.store.procedures.rows import create_procedure
from tests.conftest import SQLITE_FILE, Template
from tests.world import World

START = datetime(2026, 3, 2, 8, tzinfo=UTC)
SERIALS = ("sn-b", "SN-A", "Sn-C")
RUN_OUTCOMES = ("PASS", "FAIL", "ERROR", "TIMEOUT", "ABORTED")
PHASE_OUTCOMES = ("PASS", "FAIL", "SKIP", "ERROR")
MEASUREMENT_OUTCOMES = ("PASS", "FAIL", "UNSET")
KINDS = ("numeric", "boolean", "string", "multidimensional", "empty", "json")
LONG = 3600.0


def some_of(names: Iterable[Any]) -> Any:
    """Most of them, as a rule; now and then none."""
    return st.sets(st.sampled_from(list(names))).map(lambda left_out: {*names} - left_out)


def conditions(offered: dict[str, Any], at_most: int) -> Any:
    """A few of the conditions that are offered: all together would leave nothing."""
    return st.lists(st.sampled_from(sorted(offered)), max_size=at_most, unique=True).flatmap(
        lambda names: st.fixed_dictionaries({name: offered[name] for name in names})
    )


# Small sets of values, so that equals are common.
moments = st.integers(-3, 3).map(lambda minutes: START + timedelta(minutes=minutes))
lengths = st.integers(0, 3).map(lambda seconds: timedelta(seconds=seconds))
values = st.sampled_from(
    [
        None,
        True,
        False,
        -0.0,
        0,
        1,
        1.5,
        -2,
        2.0**53,
        2**53 + 1,
        math.nan,
        math.inf,
        "",
        "a",
        "b",
        [1, 2],
        {"k": 1},
    ]
)
measurements = st.builds(
    Measurement,
    name=st.sampled_from("mn"),
    outcome=st.sampled_from(MEASUREMENT_OUTCOMES),
    value=values,
) | st.just(Measurement("m", "PASS", series=(Series([1, 2]), Series([3, 4]))))
phases = st.builds(
    lambda length, started_at, **given: Phase(started_at=started_at, ended_at=started_at + length, **given),
    length=lengths,
    name=st.sampled_from("pq"),
    outcome=st.sampled_from(PHASE_OUTCOMES),
    started_at=moments,
    measurements=st.lists(measurements, min_size=1, max_size=3).map(tuple),
    retry_count=st.integers(0, 2),
    sequence_path=st.sampled_from([None, "s", "t"]),
)
logs = st.builds(
    Log,
    level=st.sampled_from(LOG_LEVELS),
    timestamp=moments,
    message=st.sampled_from(["Straße", "STRASSE", "100 %", "a_b"]),
    source_file=st.sampled_from(["a.py", "b.py"]),
    line_number=st.integers(1, 3),
)


def histories_of(starts: Any) -> Any:
    """A few runs with one of these starts."""
    return st.lists(
        st.builds(
            RunReport,
            procedure=st.just("later"),
            serial_number=st.sampled_from(SERIALS),
            part_number=st.just("P"),
            outcome=st.sampled_from(RUN_OUTCOMES),
            started_at=starts,
            duration=lengths,
            phases=st.lists(phases, min_size=1, max_size=4).map(tuple),
            logs=st.lists(logs, min_size=1, max_size=3).map(tuple),
            sequences=st.just((PhaseSequence("s", "S", "PASS"), PhaseSequence("t", "T", "PASS"))),
        ),
        min_size=1,
        max_size=4,
    )


histories = histories_of(moments)
# Now and then a start is told by a clock that is wrong, but what lies inside the run by one that is right.
clocked_histories = histories_of(
    moments | st.sampled_from([datetime(9999, 12, 31, 23, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)])
)


phase_filters = conditions(
    {
        "only_final": st.booleans(),
        "names": some_of("pqr"),
        "outcomes": some_of(PHASE_OUTCOMES),
        "sequence_paths": some_of("st"),
        "started_after": moments,
        "started_before": moments,
        "duration_min": lengths,
        "duration_max": lengths,
    },
    at_most=2,
)
log_filters = conditions(
    {
        "search": st.sampled_from(["straSSE", "%", "A_B", "xyz"]),
        "levels": some_of(LOG_LEVELS),
        "source_files": some_of(["a.py", "c.py"]),
        "logged_after": moments,
        "logged_before": moments,
    },
    at_most=2,
)


class Floor:
    """Records histories, each under a procedure of its own."""

    def __init__(self, database: Database, writer: Writer, world: World) -> None:
        self.database = database
        self.writer = writer
        self.home = world.acme.id
        self.elsewhere = world.globex.id
        self.admin = world.acme.admin.actor

    def procedure(self, name: str = "Any") -> UUID:
        by = Creator.of(self.admin)
        return self.writer.write_shared(
            lambda tx: create_procedure(tx.of(SystemActor(self.home, "test")), name, by)
        ).id

    def record(self, procedure_id: UUID, reports: Sequence[RunReport]) -> dict[UUID, RunReport]:
        """The reports by the ids of their runs, in the order of those."""
        reports = [replace(report, procedure=str(procedure_id)) for report in reports]
        runs = [prepare_run(report) for report in reports]
        self.writer.write_shared(lambda tx: [record_run(tx.of(self.admin), self.admin, run) for run in runs])
        return dict(sorted(zip((run.id for run in runs), reports, strict=True)))

    def pages(self, listed: Callable[..., Any], limit: int, between: Callable[[], object]) -> list[UUID]:
        """The ids on all pages, one after the other; something happens `between` the first and the second."""
        ids: list[UUID] = []
        with self.database.read() as connection:
            snapshot = last_seq(connection)
        for number in count():
            with self.database.read() as connection:
                page = listed(connection, self.home, page=Page(limit, number * limit, snapshot))
            assert len(page.rows) == limit or not page.has_more
            ids += [found.id for found in page.rows]
            if not page.has_more:
                return ids
            if number == 0:
                between()
        raise AssertionError


@contextmanager
def opened_floor(peopled: Template, database_url: str | None, data_dir: Path) -> Iterator[Floor]:
    """A floor on a copy of the database with the cast."""
    assert peopled.world is not None
    database = Database.open(database_url, data_dir / SQLITE_FILE)
    writer = Writer(database)
    try:
        yield Floor(database, writer, peopled.world)
    finally:
        writer.close()
        database.close()
