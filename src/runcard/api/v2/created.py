"""Lists of what was created within a period."""

from datetime import datetime
from typing import NamedTuple

from runcard.edge.requests.bounds import moment_bound
from runcard.edge.requests.paging import PageQuery


class CreatedQuery(PageQuery):
    created_after: datetime | None = None
    created_before: datetime | None = None


class CreatedPeriod(NamedTuple):
    """The period of creation, in UTC. Both ends are included; None: open."""

    after: datetime | None
    before: datetime | None


def period_of(query: CreatedQuery) -> CreatedPeriod:
    """The period of creation that a query names. Raises InvalidInput."""
    return CreatedPeriod(
        moment_bound("created_after", query.created_after),
        moment_bound("created_before", query.created_before),
    )
