"""Rows come in the same order from a copy that was kept up to date and from one that was begun anew."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import partial
from uuid import UUID
from zoneinfo import ZoneInfo

import msgspec
import pytest

from runcard.analytics.answers import Answer
from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.questions.activity.phase_durations import TimedPhases, phase_durations
from runcard.analytics.questions.activity.throughput import throughput
from runcard.analytics.questions.values.capabilities import capabilities
from runcard.analytics.questions.values.capability import capability
from runcard.analytics.questions.values.compare import compare
from runcard.analytics.questions.values.control_chart import ChartSettings, control_chart
from runcard.analytics.questions.values.histogram import histogram
from runcard.analytics.questions.values.measurement_names import measurement_names
from runcard.analytics.questions.values.outcome_disagreement import Shown, outcome_disagreement
from runcard.analytics.questions.yields.pareto import Failing, pareto
from runcard.analytics.questions.yields.retest import retest
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.actor import SystemActor
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.phase import Phase
from runcard.domain.runs.report import RunReport
from runcard.store.bin.deleting import Deletion
from runcard.store.lists.run_filter import RunFilter
from runcard.store.runs.rows import delete_run
from tests.analytics.copies import OwnCopy, own_copy
from tests.histories import START, Floor

UTC_ZONE = ZoneInfo("UTC")


def _run(number: int, lower: float) -> RunReport:
    """A run that failed at a value within its limits, of a unit that is run again and again on each procedure."""
    started_at = START + timedelta(minutes=number)
    measured = Measurement("m", "FAIL", 5.0 + number % 3, "V", lower, 9.0)
    phase = Phase("p", "FAIL", started_at, started_at + timedelta(seconds=2), (measured,))
    return RunReport(
        procedure="later",
        serial_number=f"SN-{number % 2}",
        part_number="P",
        outcome="FAIL",
        started_at=started_at,
        phases=(phase,),
    )


@pytest.fixture
def procedures(floor: Floor) -> Mapping[str, UUID]:
    """Two procedures, of which the one that was made first is the later by name."""
    return {name: floor.procedure(name) for name in ("Zeta", "Alpha")}


QUESTIONS: Mapping[str, Callable[[Snapshot, UUID], Answer]] = {
    "pareto of phases": lambda asked, _: pareto(asked, Selection(RunFilter()), Failing("phases", top=1)),
    "pareto of measurements": lambda asked, _: pareto(asked, Selection(RunFilter()), Failing("measurements")),
    "retests": lambda asked, _: retest(asked, Selection(RunFilter()), UTC_ZONE, "procedure"),
    "disagreements": lambda asked, _: outcome_disagreement(asked, Selection(RunFilter()), Shown(1, 4)),
    "phase durations": lambda asked, _: phase_durations(
        asked, Selection(RunFilter()), TimedPhases(), UTC_ZONE
    ),
    "throughput": lambda asked, _: throughput(asked, Selection(RunFilter()), UTC_ZONE, "procedure"),
    "names": measurement_names,
    "capabilities": lambda asked, one: capabilities(asked, Selection(RunFilter()), one),
    "capability": lambda asked, one: capability(
        asked, Selection(RunFilter()), MeasurementSelection(one, "m"), UTC_ZONE
    ),
    "histogram": lambda asked, one: histogram(
        asked, Selection(RunFilter()), MeasurementSelection(one, "m"), UTC_ZONE
    ),
    "comparison": lambda asked, one: compare(
        asked, Selection(RunFilter()), MeasurementSelection(one, "m"), UTC_ZONE, "part"
    ),
    "control chart": lambda asked, one: control_chart(
        asked, Selection(RunFilter()), MeasurementSelection(one, "m"), ChartSettings(), UTC_ZONE
    ),
}


def test_answers_are_the_same_to_the_letter(floor: Floor, procedures: Mapping[str, UUID]):
    with own_copy(floor.database) as followed:
        # The first runs, by which the copy numbers procedures and specifications, are deleted once it has seen them.
        first: list[UUID] = []
        for name in ("Alpha", "Zeta"):
            first += floor.record(procedures[name], [_run(0, 4.0)])
            followed.follow()
        for run_id in first:
            floor.writer.write_catalog(
                SystemActor(floor.home, "test"), partial(delete_run, run_id=run_id, deletion=Deletion())
            )
        for number in range(1, 7):
            for procedure_id in procedures.values():
                floor.record(procedure_id, [_run(number, 4.0 - number % 2)])
            followed.follow()
        with own_copy(floor.database) as rebuilt:
            rebuilt.follow()
            assert _numbers(followed, procedures) != _numbers(rebuilt, procedures)
            for name in QUESTIONS:
                for procedure_id in procedures.values():
                    answers = [_answer(floor, copy, name, procedure_id) for copy in (followed, rebuilt)]
                    assert answers[0] == answers[1], name
                    assert not answers[0].startswith(b'{"n":0,')


def _answer(floor: Floor, copy: OwnCopy, question: str, procedure_id: UUID) -> bytes:
    with floor.database.read_in(floor.home) as scope, Snapshot(copy.copy, scope) as snapshot:
        return msgspec.json.encode(QUESTIONS[question](snapshot, procedure_id))


def _numbers(copy: OwnCopy, procedures: Mapping[str, UUID]) -> list[int]:
    """What the copy calls the procedures."""
    with copy.copy.engine.transaction() as cursor:
        numbers = dict(cursor.execute("SELECT id, procedure FROM procedures").fetchall())
    return [numbers[one] for one in procedures.values()]
