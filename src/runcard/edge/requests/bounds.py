"""The bounds of a query: reads moments and durations from its parameters."""

from datetime import datetime, timedelta

from runcard.domain.errors import InvalidInput, Issue
from runcard.domain.instant import as_utc, parse_duration


def moment_bound(name: str, moment: datetime | None) -> datetime | None:
    """The moment of the parameter `name`, in UTC; None for None. Raises InvalidInput."""
    try:
        return None if moment is None else as_utc(moment)
    except ValueError as error:
        raise InvalidInput.at(name, str(error)) from error


def duration_bound(name: str, text: str | None) -> timedelta | None:
    """The ISO 8601 duration of the parameter `name`; None for None. Raises InvalidInput."""
    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise InvalidInput.at(name, str(error)) from error


class QueryBounds:
    """Reads several bounds, and gathers what is wrong with them for `check`."""

    def __init__(self) -> None:
        self._issues: list[Issue] = []

    def moment(self, name: str, moment: datetime | None) -> datetime | None:
        try:
            return moment_bound(name, moment)
        except InvalidInput as error:
            self._issues += error.issues
            return None

    def duration(self, name: str, text: str | None) -> timedelta | None:
        try:
            return duration_bound(name, text)
        except InvalidInput as error:
            self._issues += error.issues
            return None

    def check(self) -> None:
        """Return if all bounds are valid. Raises InvalidInput with an issue for each that is not."""
        if self._issues:
            raise InvalidInput(self._issues)
