"""The record as dataframes, read from the truth, and the runs of a selection in them: slow, plain, and without SQL of
the copy.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import pandas as pd
import pytest
from sqlalchemy import select

from runcard.analytics.groups import GroupBy
from runcard.analytics.snapshot import Selection
from runcard.domain.runs.inside import attempts_of, measured_in
from runcard.domain.runs.measurement import effective_limits
from runcard.domain.runs.run import RunDocument
from runcard.store.commit.documents import unpack_document
from runcard.store.engine import tables as t
from runcard.store.engine.database import Connection


class Frames(NamedTuple):
    """runs: one row a run, with the names of what it refers to, and `attempt` of `attempts` on its procedure: its
    number, deleted ones included, and that of the last that was not voided. phases and measurements: one row each,
    `run` is the run's id; `is_final` as in `domain.runs.inside`.
    """

    runs: pd.DataFrame
    phases: pd.DataFrame
    measurements: pd.DataFrame

    @property
    def counted(self) -> pd.DataFrame:
        """The runs that were not voided."""
        return self.runs[~self.runs["voided"]]


def read_frames(connection: Connection, organization_id: UUID) -> Frames:
    """Everything that an organization has recorded."""
    runs = read_runs(connection, organization_id)
    documents = {
        run_id: unpack_document(body)
        for run_id, body in connection.execute(select(t.run_documents.c.run_id, t.run_documents.c.body))
        if run_id in set(runs["id"])
    }
    return Frames(
        runs,
        pd.DataFrame(row for run, inside in documents.items() for row in _phases(run, inside)),
        pd.DataFrame(row for run, inside in documents.items() for row in _measurements(run, inside)),
    )


def read_runs(connection: Connection, organization_id: UUID) -> pd.DataFrame:
    """Every run, as in Frames."""
    return _with_attempts(_headers(connection, organization_id), _gone(connection, organization_id))


def yields_of(runs: pd.DataFrame) -> tuple[int, int, int, int]:
    """Of these runs, which are all of their units: how many units, and how many passed at first, by the second run, and
    in the end.
    """
    runs = runs[~runs["voided"]]
    passed = runs.assign(passed=runs["outcome"] == "PASS")
    runs = runs[runs.groupby(["procedure_id", "unit_id"])["attempt"].transform("min") == 1]
    passed = passed.loc[runs.index]
    units = passed.groupby(["procedure_id", "unit_id"])
    by_second = passed[passed["attempt"] <= 2].groupby(["procedure_id", "unit_id"])["passed"].any()
    return (
        units.ngroups,
        int(passed.loc[passed["attempt"] == 1, "passed"].sum()),
        int(by_second.sum()),
        int(passed.loc[passed["attempt"] == passed["attempts"], "passed"].sum()),
    )


def selected_runs(frames: Frames, wanted: Selection) -> pd.DataFrame:
    """The runs that keep every condition of a selection."""
    runs, asked = frames.counted, wanted.runs
    lists: list[tuple[str, Any]] = [
        ("procedure_id", asked.procedure_ids),
        ("station_id", asked.created_by_station_ids),
        ("operator_id", asked.operated_by_ids),
        ("operator_name", asked.operated_by_names),
        ("outcome", asked.outcomes),
    ]
    for column, values in lists:
        if values is not None:
            runs = runs[runs[column].isin(list(values))]
    names: list[tuple[str, Any]] = [
        ("version", asked.procedure_versions),
        ("part", asked.part_numbers),
        ("revision", asked.revision_numbers),
        ("batch", asked.batch_numbers),
        ("serial", asked.serial_numbers),
    ]
    for column, values in names:
        if values is not None:
            runs = runs[runs[column].str.casefold().isin([value.casefold() for value in values])]
    if asked.started_after is not None:
        runs = runs[runs["started_at"] >= asked.started_after]
    if asked.started_before is not None:
        runs = runs[runs["started_at"] <= asked.started_before]
    classes = ["production"] if asked.samples is None else list(asked.samples)
    runs = runs[
        runs["sample"].map(lambda one: ("production" if pd.isna(one) else one) in classes).astype(bool)
    ]
    if wanted.attempts == "first":
        runs = runs[runs["attempt"] == 1]
    if wanted.attempts == "first_completed":
        runs = runs[runs["completed"] == 1]
    if wanted.attempts == "last":
        runs = runs[runs["attempt"] == runs["attempts"]]
    return runs


def group_names(runs: pd.DataFrame, group_by: GroupBy, zone: str) -> pd.Series:
    """The name of each run's group, as an answer's groups are named."""
    local = runs["started_at"].dt.tz_convert(zone)
    match group_by:
        case "hour":
            return local.dt.strftime("%Y-%m-%d %H:00")
        case "day":
            return local.dt.strftime("%Y-%m-%d")
        case "week":
            return local.dt.strftime("%G-W%V")
        case "month":
            return local.dt.strftime("%Y-%m")
        case "revision":
            return runs["part"] + " " + runs["revision"]
        case "operator":
            return runs["operator"].where(runs["operator"].notna(), runs["operator_name"])
        case _:
            return runs[group_by]


def _headers(connection: Connection, organization_id: UUID) -> pd.DataFrame:
    r = t.runs
    joined = (
        r.join(t.units, t.units.c.id == r.c.unit_id)
        .join(t.procedures, t.procedures.c.id == r.c.procedure_id)
        .join(t.parts, t.parts.c.id == r.c.part_id)
        .join(t.revisions, t.revisions.c.id == r.c.revision_id)
        .join(t.changes, (t.changes.c.entity_id == r.c.id) & (t.changes.c.kind == "run_recorded"))
        .outerjoin(t.batches, t.batches.c.id == r.c.batch_id)
        .outerjoin(t.procedure_versions, t.procedure_versions.c.id == r.c.version_id)
        .outerjoin(t.stations, t.stations.c.id == r.c.created_by_station_id)
        .outerjoin(t.users, t.users.c.id == r.c.operator_id)
    )
    columns = {
        "id": r.c.id,
        "seq": t.changes.c.seq,
        "unit_id": r.c.unit_id,
        "serial": t.units.c.serial_number,
        "sample": t.units.c.sample,
        "procedure_id": r.c.procedure_id,
        "procedure": t.procedures.c.name,
        "version": t.procedure_versions.c.tag,
        "part": t.parts.c.number,
        "revision": t.revisions.c.number,
        "batch": t.batches.c.number,
        "station_id": r.c.created_by_station_id,
        "station": t.stations.c.name,
        "operator_id": r.c.operator_id,
        "operator": t.users.c.name,
        "operator_name": r.c.operator_name,
        "outcome": r.c.outcome,
        "started_at": r.c.started_at,
        "ended_at": r.c.ended_at,
        "voided": r.c.voided_at.is_not(None),
    }
    query = select(*columns.values()).select_from(joined).where(r.c.organization_id == organization_id)
    frame = pd.DataFrame(connection.execute(query).all(), columns=list(columns))
    for name in ("started_at", "ended_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    return frame


def _gone(connection: Connection, organization_id: UUID) -> pd.DataFrame:
    """The runs that were deleted, as far as their tombstones tell."""
    d = t.deleted_things.c
    names = ["id", "unit_id", "procedure_id", "outcome", "started_at"]
    query = select(*(d[name] for name in names)).where(d.organization_id == organization_id, d.noun == "run")
    frame = pd.DataFrame(connection.execute(query).all(), columns=names)
    frame["started_at"] = pd.to_datetime(frame["started_at"], utc=True)
    return frame


def _with_attempts(runs: pd.DataFrame, gone: pd.DataFrame) -> pd.DataFrame:
    every = (
        pd.concat([runs.assign(gone=False), gone.assign(gone=True)]) if len(gone) else runs.assign(gone=False)
    )
    every = every.sort_values(["started_at", "id"]).reset_index(drop=True)
    of_unit = ["procedure_id", "unit_id"]
    every["attempt"] = every.groupby(of_unit, sort=False).cumcount() + 1
    verdicts = every[every["outcome"].isin(["PASS", "FAIL"])]
    every["completed"] = verdicts.groupby(of_unit, sort=False).cumcount() + 1
    runs = every[~every["gone"]].drop(columns="gone").reset_index(drop=True)
    runs["voided"] = runs["voided"].astype(bool)
    counted = runs["attempt"].where(~runs["voided"], 0)
    runs["attempts"] = counted.groupby([runs[name] for name in of_unit]).transform("max")
    return runs


def _phases(run: UUID, inside: RunDocument) -> Iterator[dict[str, Any]]:
    for position, phase, is_final, _ in attempts_of(inside):
        yield {
            "run": run,
            "position": position,
            "name": phase.name,
            "path": phase.sequence_path,
            "outcome": phase.outcome,
            "started_at": phase.started_at,
            "duration_s": (phase.ended_at - phase.started_at).total_seconds(),
            "is_final": is_final,
        }


def _measurements(run: UUID, inside: RunDocument) -> Iterator[dict[str, Any]]:
    for measured in measured_in(inside):
        one, phase = measured.measurement, measured.attempt.phase
        limits = effective_limits(one)
        yield {
            "run": run,
            "position": measured.position,
            "phase": phase.name,
            "path": phase.sequence_path,
            "started_at": _moment(phase.started_at),
            "is_final": measured.attempt.is_final,
            "name": one.name,
            "uom": one.uom,
            "kind": one.kind,
            "num": None if measured.number is None else float(measured.number),
            "value": one.value,
            "lower": limits.lower,
            "upper": limits.upper,
            "outcome": one.outcome,
        }


def _moment(moment: datetime) -> pd.Timestamp:
    return pd.Timestamp(moment)


def expected_durations(seconds: "pd.Series[float]") -> tuple[Any, ...]:
    """The figures of some durations, each as near as floats come: n, mean, median, 95 %, lowest, highest."""
    if seconds.empty:
        return (0, *[None] * 5)
    figures = (seconds.mean(), seconds.median(), seconds.quantile(0.95), seconds.min(), seconds.max())
    return len(seconds), *(pytest.approx(float(one)) for one in figures)
