"""Lists of what was created within some time."""

from datetime import datetime
from typing import NamedTuple

from runcard.edge.requests.bounds import moment_bound
from runcard.edge.requests.paging import PageQuery


class CreatedQuery(PageQuery):
    created_after: datetime | None = None
    created_before: datetime | None = None


class CreatedPeriod(NamedTuple):
    """Both ends are inside; None: open."""

    after: datetime | None
    before: datetime | None


def period_of(query: CreatedQuery) -> CreatedPeriod:
    """When what is listed must have been created, in UTC. Raises InvalidInput."""
    return CreatedPeriod(
        moment_bound("created_after", query.created_after),
        moment_bound("created_before", query.created_before),
    )
