"""Corrections of runs: what is true, where the report was wrong. What was reported stays beside it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

CorrectedField = Literal[
    "procedure", "serial_number", "part_number", "revision_number", "batch_number", "operator", "started_at"
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
    return msgspec.json.encode(reported, order="sorted").decode() if reported else None
