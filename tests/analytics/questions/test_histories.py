"""Figures after random histories of voids, deletions, restores and renamings, against the record as dataframes."""

from collections.abc import Sequence
from typing import get_args
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from runcard.analytics.attempts import Attempts
from runcard.analytics.questions.activity.throughput import throughput
from runcard.analytics.questions.yields.first_pass_yield import first_pass_yield
from runcard.analytics.questions.yields.retest import retest
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.floor.sample import SampleChoice
from runcard.domain.runs.report import RunReport
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.copies import OwnCopy
from tests.analytics.lines import after_all_that, events
from tests.analytics.truth import read_runs, yields_of
from tests.histories import Floor, histories

UTC = ZoneInfo("UTC")
ANY_CLASS: Sequence[SampleChoice] = get_args(SampleChoice)


@given(history=histories, happened=events, attempts=st.sampled_from(get_args(Attempts)))
def test_figures_are_those_of_the_record(
    floor: Floor,
    followed: OwnCopy,
    history: list[RunReport],
    happened: list[tuple[str, int]],
    attempts: Attempts,
) -> None:
    line = after_all_that(floor, followed, history, happened)
    chosen = RunFilter(procedure_ids=[line.procedure_id], samples=ANY_CLASS)
    with floor.database.read_in(floor.home) as scope, Snapshot(followed.copy, scope) as snapshot:
        runs = read_runs(scope.connection, floor.home)
        yields = first_pass_yield(snapshot, Selection(chosen), UTC).total
        retests = retest(snapshot, Selection(chosen), UTC)
        activity = throughput(snapshot, Selection(chosen, attempts), UTC)
    runs = runs[runs["procedure_id"] == line.procedure_id]
    told = (yields.units, yields.first_pass.count, yields.second_pass.count, yields.final.count)
    assert told == yields_of(runs)

    counted = runs[~runs["voided"]]
    first = counted[counted["attempt"] == 1]
    assert (retests.n, retests.total.retested.count) == (len(first), (first["attempts"] > 1).sum())
    of_attempts = {
        "all": counted,
        "first": first,
        "first_completed": counted[counted["completed"] == 1],
        "last": counted[counted["attempt"] == counted["attempts"]],
    }[attempts]
    assert (activity.n, activity.window.voided) == (len(of_attempts), runs["voided"].sum())
