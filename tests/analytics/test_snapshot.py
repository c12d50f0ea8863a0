"""Questions of one page are asked of one state of the copy, and one that fails says so."""

import duckdb
import pytest

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.questions.activity.throughput import count_runs
from runcard.analytics.snapshot import Selection, Snapshot
from runcard.domain.errors import FiguresUnavailable
from runcard.store.lists.run_filter import RunFilter
from tests.analytics.conftest import Line
from tests.analytics.copies import OwnCopy, own_copy
from tests.analytics.selections import every_filter, selection
from tests.analytics.truth import selected_runs
from tests.analytics.written import run_of
from tests.histories import Floor

EVERYTHING = Selection(RunFilter())


def test_questions_of_one_snapshot_see_the_same_runs(floor: Floor, followed: OwnCopy):
    procedure_id = floor.procedure()
    wanted = Selection(RunFilter(procedure_ids=[procedure_id]))
    floor.record(procedure_id, [run_of(1), run_of(2)])
    followed.follow()
    with floor.database.read_in(floor.home) as scope, Snapshot(followed.copy, scope) as snapshot:
        assert count_runs(snapshot, wanted) == 2
        floor.record(procedure_id, [run_of(3)])
        followed.follow()
        assert count_runs(snapshot, wanted) == 2
        asked = snapshot.asking(wanted)
        assert asked.freshness.is_current, "of what its connection sees"
    with floor.database.read_in(floor.home) as scope, Snapshot(followed.copy, scope) as snapshot:
        assert count_runs(snapshot, wanted) == 3


def test_a_query_that_fails_says_so(floor: Floor, followed: OwnCopy):
    followed.follow()
    with floor.database.read_in(floor.home) as scope:
        with Snapshot(followed.copy, scope) as snapshot:
            asked = snapshot.asking(EVERYTHING)
            with pytest.raises(FiguresUnavailable, match="Ask again"):
                asked.rows("SELECT nothing FROM nowhere", [])
            if followed.copy.engine.is_shared:  # each query of ClickHouse stands alone
                assert asked.one("SELECT 1", []) == (1,)
            else:
                with pytest.raises(FiguresUnavailable, match="Ask again"):
                    asked.rows("SELECT 1", [])
        with Snapshot(followed.copy, scope) as snapshot:
            assert snapshot.asking(EVERYTHING).one("SELECT 1", []) == (1,)
    assert not followed.copy.is_damaged


def test_a_copy_that_is_found_damaged_is_not_trusted_any_more(floor: Floor):
    with own_copy(floor.database) as own:
        own.follow()
        copy = ColumnarCopy(own.copy.engine, timeout_s=0)
        with (
            floor.database.read_in(floor.home) as scope,
            Snapshot(copy, scope) as snapshot,
            pytest.raises(FiguresUnavailable),
            snapshot.cursor(),
        ):
            raise duckdb.FatalException("a page of the file cannot be read")
    assert copy.is_damaged


def test_a_copy_that_cannot_be_opened_says_so(floor: Floor):
    with own_copy(floor.database) as own:
        own.follow()
        own.copy.engine.close()
        with (
            floor.database.read_in(floor.home) as scope,
            Snapshot(own.copy, scope) as snapshot,
            pytest.raises(FiguresUnavailable, match="Ask again"),
        ):
            count_runs(snapshot, EVERYTHING)


def test_a_server_without_a_copy_says_what_to_do(floor: Floor):
    with (
        floor.database.read_in(floor.home) as scope,
        Snapshot(None, scope) as snapshot,
        pytest.raises(FiguresUnavailable, match="Switch columnar_copy on"),
    ):
        count_runs(snapshot, EVERYTHING)


@every_filter
def test_answers_say_how_many_voided_runs_they_leave_out(line: Line, filter_name: str):
    wanted = selection(line, filter_name)
    with line.snapshot as snapshot:
        told = snapshot.asking(wanted).window.voided
    everything = line.frames.runs.assign(voided=False)
    of_selection = selected_runs(line.frames._replace(runs=everything), wanted)
    voided = line.frames.runs.loc[line.frames.runs["voided"], "id"]
    assert told == of_selection["id"].isin(voided).sum()
    assert (told > 0) == (filter_name not in {"nothing", "samples"})
