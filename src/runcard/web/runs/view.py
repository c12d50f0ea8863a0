"""The query of the page of a run: which part of its phases and logs is shown, and how."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from runcard.domain.runs.outcome import LogLevel


class RunQuery(Struct, kw_only=True):
    """phases: the page of them. show: all that lies inside, or only what failed.

    level: the lowest of logs that is shown. log: text in the message or source file. first: lines before the page of
    logs.
    """

    phases: Annotated[int, Meta(ge=1, lt=1 << 53)] = 1
    show: Literal["all", "failed"] = "all"
    level: LogLevel | None = None
    log: str | None = None
    time: Literal["clock", "run"] = "clock"
    first: Annotated[int, Meta(ge=0, lt=1 << 53)] = 0
