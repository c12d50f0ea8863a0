"""What can be wrong, as the caller of the client sees it."""

from __future__ import annotations


class RuncardClientError(Exception):
    """Everything that this package raises of its own."""


class InvalidReport(RuncardClientError, ValueError):
    """A report cannot be recorded as it is; the message names the field, its value and the mend."""


class InvalidSettings(RuncardClientError, ValueError):
    """An address, a key or a path is missing or unusable."""


class SpoolUnusable(RuncardClientError):
    """The spool cannot be opened, read or written, so a run is not safe in it."""


class NotSent(RuncardClientError):
    """What a request asked for was not done."""


class Refused(NotSent):
    """The server answered no, and will say so again. status: of the answer; None where it was not even asked."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Unavailable(NotSent):
    """Nobody answered, or with something that may be mended without touching the run.

    retry_after_s: how long the server asks to be left alone; None: it did not say.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
