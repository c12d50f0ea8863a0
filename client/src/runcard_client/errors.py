"""The errors that callers of the client see."""

from __future__ import annotations


class RuncardClientError(Exception):
    """Root of all errors that this package itself raises."""


class InvalidReport(RuncardClientError, ValueError):
    """A report cannot be recorded as it is. The message names the field, its value and the mend."""


class InvalidSettings(RuncardClientError, ValueError):
    """An address, a key or a path is missing or unusable."""


class SpoolUnusable(RuncardClientError):
    """The spool cannot be opened, read or written, so no run is safe in it."""


class NotSent(RuncardClientError):
    """A request was not fulfilled."""


class Refused(NotSent):
    """The server refused a request, and would refuse it again. status: of the answer; None: no request was sent."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class Unavailable(NotSent):
    """The server did not answer, or gave an answer that may change without any change to the run.

    retry_after_s: how long the server wants the client to wait; None: it did not say.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s
