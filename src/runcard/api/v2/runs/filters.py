"""The parameters that lists of runs, and of what lies inside them, share."""

from uuid import UUID

from runcard.domain.floor.deployment import Environment
from runcard.edge.requests.paging import PageQuery


class OfRunsQuery(PageQuery):
    """A list of runs, or of what lies inside runs, in pages."""

    procedure_versions: list[str] | None = None
    deployment_ids: list[UUID] | None = None
    environments: list[Environment] | None = None
    serial_numbers: list[str] | None = None
    part_numbers: list[str] | None = None
    revision_numbers: list[str] | None = None
    batch_numbers: list[str] | None = None
    created_by_user_ids: list[UUID] | None = None
    created_by_station_ids: list[UUID] | None = None
