"""The query of the page of a run: which of its phases and logs are shown, and how."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from runcard.domain.runs.outcome import LogLevel


class RunQuery(Struct, kw_only=True):
    """phases: the page of phases. show: everything, or only what failed. level: the lowest level of logs that is shown.

    log: a text in the message or source file of logs. first: how many lines of logs stand before the page.
    """

    phases: Annotated[int, Meta(ge=1, lt=1 << 53)] = 1
    show: Literal["all", "failed"] = "all"
    level: LogLevel | None = None
    log: str | None = None
    time: Literal["clock", "run"] = "clock"
    first: Annotated[int, Meta(ge=0, lt=1 << 53)] = 0
