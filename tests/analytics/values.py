"""The values of a measurement in the record, as a dataframe."""

import pandas as pd

from runcard.analytics.measured import MeasurementSelection
from runcard.analytics.snapshot import Selection
from tests.analytics.conftest import Line
from tests.analytics.truth import selected_runs


def procedure(line: Line, name: str) -> pd.DataFrame:
    """The runs of a procedure of the demo."""
    return line.frames.runs[line.frames.runs["procedure"] == name]


def measured(line: Line, procedure_name: str, name: str, *, only_final: bool = True) -> MeasurementSelection:
    """A measurement of the demo by its names."""
    return MeasurementSelection(
        procedure(line, procedure_name)["procedure_id"].iloc[0], name, only_final=only_final
    )


def values_of(line: Line, wanted: Selection, asked: MeasurementSelection) -> pd.DataFrame:
    """What was measured in the selected runs, beside the columns of its run (`run_started_at` is its start)."""
    runs = selected_runs(line.frames, asked.among(wanted))
    inside = line.frames.measurements
    inside = inside[inside["name"] == asked.name]
    if asked.phase is not None:
        inside = inside[inside["phase"] == asked.phase]
    if asked.only_final:
        inside = inside[inside["is_final"]]
    headers = runs.drop(columns=["outcome", "ended_at"]).rename(columns={"started_at": "run_started_at"})
    return inside.merge(headers, left_on="run", right_on="id")
