"""Bounds in queries: moments and durations as the record knows them."""

from datetime import datetime, timedelta

from runcard.domain.errors import InvalidInput
from runcard.domain.instant import as_utc, parse_duration


def moment_bound(name: str, moment: datetime | None) -> datetime | None:
    """The moment that the parameter `name` gives, in UTC. Raises InvalidInput."""
    try:
        return None if moment is None else as_utc(moment)
    except ValueError as error:
        raise InvalidInput.at(name, str(error)) from error


def duration_bound(name: str, text: str | None) -> timedelta | None:
    """The ISO 8601 duration that the parameter `name` gives. Raises InvalidInput."""
    try:
        return None if text is None else parse_duration(text)
    except ValueError as error:
        raise InvalidInput.at(name, str(error)) from error
