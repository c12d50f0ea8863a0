"""How much each procedure is run, and what it measures, against the record as dataframes."""

import pytest

from runcard.analytics.groups import zone_of
from runcard.analytics.questions.activity.procedure_activity import procedure_activity
from runcard.analytics.questions.values.measurement_names import MeasurementName, measurement_names
from runcard.analytics.questions.yields.first_pass_yield import first_pass_yield
from runcard.analytics.snapshot import Snapshot
from runcard.domain.errors import FiguresUnavailable
from runcard.store.engine.scope import Scope
from tests.analytics.conftest import Line
from tests.analytics.selections import every_filter, selection
from tests.analytics.truth import selected_runs


@every_filter
def test_activity_is_that_of_the_record(line: Line, filter_name: str):
    wanted = selection(line, filter_name)
    runs = selected_runs(line.frames, wanted)
    found = procedure_activity(line.snapshot, wanted)
    by_procedure = runs.groupby("procedure_id")["started_at"].agg(["count", "max"])
    assert {key: (one.runs, one.last_started_at) for key, one in found.items()} == {
        key: (row["count"], row["max"]) for key, row in by_procedure.iterrows()
    }
    assert [one.runs for one in found.values()] == sorted(by_procedure["count"], reverse=True)


def test_yield_is_that_of_the_question_about_it(line: Line):
    wanted = selection(line, "everything")
    answer = first_pass_yield(line.snapshot, wanted, zone_of("UTC"), group_by="procedure")
    found = procedure_activity(line.snapshot, wanted)
    assert {str(key): one.first_pass for key, one in found.items()} == {
        row.group.key: row.first_pass for row in answer.rows
    }


def test_only_what_is_asked_for(line: Line):
    wanted, procedure_id = selection(line, "everything"), line.frames.runs["procedure_id"].iloc[0]
    assert set(procedure_activity(line.snapshot, wanted, [procedure_id])) == {procedure_id}
    assert procedure_activity(line.snapshot, wanted, []) == {}
    elsewhere = line.frames.runs["id"].iloc[0]
    assert procedure_activity(Snapshot(line.copy, Scope(line.connection, elsewhere)), wanted) == {}


def test_names_are_those_of_the_record(line: Line):
    runs = line.frames.runs
    for procedure_id in runs["procedure_id"].unique():
        mine = runs.loc[runs["procedure_id"] == procedure_id, "id"]
        inside = line.frames.measurements
        inside = inside[inside["run"].isin(mine)]
        named = {MeasurementName(*row) for row in inside[["phase", "name"]].itertuples(index=False)}
        answer = measurement_names(line.snapshot, procedure_id)
        assert (set(answer.names), answer.n, answer.is_exact) == (named, len(named), True)
        assert list(answer.names) == sorted(answer.names, key=lambda one: (one.phase, one.name))
    assert (
        measurement_names(Snapshot(line.copy, Scope(line.connection, runs["id"].iloc[0])), procedure_id).names
        == []
    )


def test_no_copy_is_said(line: Line):
    with pytest.raises(FiguresUnavailable, match="columnar copy"):
        procedure_activity(Snapshot(None, Scope(line.connection, line.home)), selection(line, "everything"))
