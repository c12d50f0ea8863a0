"""Corrections of runs: what is true, where the report was wrong. What was reported stays beside it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, get_args

import msgspec
from msgspec import UNSET, Struct, UnsetType

from runcard.domain.errors import InvalidInput
from runcard.domain.runs.report import name_issues

CorrectedField = Literal[
    "serial_number", "part_number", "revision_number", "batch_number", "operator", "procedure", "started_at"
]


class RunCorrection(Struct, frozen=True, kw_only=True):
    """What is true of runs. UNSET: it stays as it is. None: no batch, or nobody.

    procedure: its id or identifier. operator: the e-mail of a member, or the name of somebody else. started_at: the run
    keeps its length.
    """

    procedure: str | UnsetType = UNSET
    serial_number: str | UnsetType = UNSET
    part_number: str | UnsetType = UNSET
    revision_number: str | UnsetType = UNSET
    batch_number: str | UnsetType | None = UNSET
    operator: str | UnsetType | None = UNSET
    started_at: datetime | UnsetType = UNSET


def check_correction(correction: Struct, names: Collection[str]) -> Collection[str]:
    """The fields with these names that a correction gives. Raises InvalidInput if it gives none, or an empty text."""
    given = {name: value for name in names if (value := getattr(correction, name)) is not UNSET}
    if not given:
        raise InvalidInput.at("correction", "Nothing is corrected; give at least one field")
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    for name, text in texts.items():
        if not text.strip():
            raise InvalidInput.at(name, f"{name} is empty; give at least 1 character")
    if issues := [issue for name, text in texts.items() for issue in name_issues((name,), text)]:
        raise InvalidInput(issues)
    return given.keys()


class ReportedField(Struct, frozen=True):
    """What a report said of one field. said: in the words of people; None: nothing. columns: of the row of the run."""

    said: str | None
    columns: dict[str, Any]


AsReported = Mapping[CorrectedField, ReportedField]

_DECODER = msgspec.json.Decoder(dict[CorrectedField, ReportedField])


def decode_as_reported(kept: str | None) -> AsReported:
    """What a report said of the fields that were corrected; empty for a run that was not."""
    return {} if kept is None else _DECODER.decode(kept)


def encode_as_reported(reported: AsReported) -> str | None:
    """The same as JSON, as a run keeps it; None if nothing is corrected."""
    fields: Sequence[CorrectedField] = get_args(CorrectedField)
    kept = {field: reported[field] for field in fields if field in reported}
    return msgspec.json.encode(kept).decode() if kept else None
