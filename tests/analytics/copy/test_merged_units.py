"""A copy that has followed merges and splits of units is what a copy is that begins after them."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from runcard.analytics.questions.yields.first_pass_yield import first_pass_yield
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.runs.report import RunReport
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.copies import OwnCopy, own_copy
from tests.analytics.lines import after_all_that
from tests.analytics.truth import read_runs, yields_of
from tests.histories import Floor, histories
from tests.trails import assert_trail_fits

_DEEDS = ("delete a run", "let a unit grow old", "restore", "remove from the bin", "delete a unit", "follow")
# Merges are as frequent as all else together.
happened = st.lists(
    st.tuples(st.sampled_from(["merge", "split"]) | st.sampled_from(_DEEDS), st.integers(0, 5)), max_size=7
)


@given(history=histories, deeds=happened)
def test_merged_units_are_copied_as_they_are(
    floor: Floor, followed: OwnCopy, history: list[RunReport], deeds: Sequence[tuple[str, int]]
) -> None:
    line = after_all_that(floor, followed, history, [("merge", 0), *deeds])
    chosen = Selection(RunFilter(procedure_ids=[line.procedure_id]))
    with floor.database.read_in(floor.home) as scope, Snapshot(followed.copy, scope) as snapshot:
        runs = read_runs(scope.connection, floor.home)
        total = first_pass_yield(snapshot, chosen, ZoneInfo("UTC")).total
    runs = runs[runs["procedure_id"] == line.procedure_id]
    told = (total.units, total.first_pass.count, total.second_pass.count, total.final.count)
    assert told == yields_of(runs)
    with own_copy(floor.database) as fresh:
        fresh.follow()
        assert fresh.content() == followed.content()
    assert_trail_fits(floor.database)
