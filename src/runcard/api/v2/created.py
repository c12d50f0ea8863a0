"""Lists of what was created within some time."""

from datetime import datetime
from typing import NamedTuple

from runcard.domain.errors import InvalidInput
from runcard.domain.instant import as_utc
from runcard.edge.paging import PageQuery


class CreatedQuery(PageQuery):
    created_after: datetime | None = None
    created_before: datetime | None = None


class Period(NamedTuple):
    """Both ends are inside; None: open."""

    after: datetime | None
    before: datetime | None


def period_of(asked: CreatedQuery) -> Period:
    """When what is listed must have been created, in UTC. Raises InvalidInput."""
    return Period(_utc("created_after", asked.created_after), _utc("created_before", asked.created_before))


def _utc(field: str, moment: datetime | None) -> datetime | None:
    try:
        return None if moment is None else as_utc(moment)
    except ValueError as error:
        raise InvalidInput.at(field, str(error)) from error
