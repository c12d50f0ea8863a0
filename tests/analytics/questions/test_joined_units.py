"""What the preview of a merge of two units tells is what the merge gives."""

from collections.abc import Sequence
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from runcard.analytics.questions.yields.first_pass_yield import first_pass_yield
from runcard.analytics.questions.yields.joined_units import joined_units
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.actor import UserActor
from runcard.domain.ids import new_id
from runcard.domain.runs.report import RunReport
from runcard.store.engine.tables import runs
from runcard.store.lists.run_filter import RunFilter
from runcard.store.unit_merges.merge import merge_units
from runcard.store.unit_merges.obstacles import Kept
from tests.analytics.copies import OwnCopy
from tests.analytics.lines import after_all_that
from tests.histories import Floor, histories

UTC = ZoneInfo("UTC")
_DEEDS = ("void a run", "delete a run", "make golden with its runs")
deeds = st.lists(st.tuples(st.sampled_from(_DEEDS), st.integers(0, 5)), max_size=3)


@given(history=histories, happened=deeds)
def test_the_preview_tells_what_the_merge_gives(
    floor: Floor, followed: OwnCopy, history: list[RunReport], happened: Sequence[tuple[str, int]]
) -> None:
    line = after_all_that(floor, followed, history, [*happened])
    r = runs.c
    with floor.database.read_in(floor.home) as scope, Snapshot(followed.copy, scope) as snapshot:
        query = select(r.unit_id).where(r.procedure_id == line.procedure_id).distinct().order_by(r.unit_id)
        units = scope.connection.execute(query).scalars().all()
        if len(units) < 2:
            return
        told = joined_units(snapshot, units[0], units[1])
    who = UserActor(new_id(), floor.home, "admin")
    kept = Kept(part=True, parent=True)
    floor.writer.write_catalog(who, lambda tx: merge_units(tx, units[0], units[1], kept, "one"))
    followed.follow()
    with floor.database.read_in(floor.home) as scope, Snapshot(followed.copy, scope) as snapshot:
        again = joined_units(snapshot, units[1], units[1])
        assert told.parts is not None
        for part in told.parts:
            chosen = Selection(RunFilter(part_numbers=[part.number]))
            assert first_pass_yield(snapshot, chosen, UTC).total.first_pass == part.after
    assert {one.procedure_id: one.after for one in told.procedures} == {
        one.procedure_id: one.before for one in again.procedures
    }
    assert {one.procedure_id: one.of_source + one.of_into for one in told.procedures} == {
        one.procedure_id: one.of_into for one in again.procedures
    }
