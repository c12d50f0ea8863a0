"""The parameters that the lists of what is inside runs share."""

from uuid import UUID

from runcard.domain.floor.deployment import Environment
from runcard.edge.requests.paging import PageQuery
from runcard.store.lists.run_filter import RunFilter


class OfRunsQuery(PageQuery):
    """A list of what is inside runs, in pages."""

    procedure_versions: list[str] | None = None
    deployment_ids: list[UUID] | None = None
    environments: list[Environment] | None = None
    serial_numbers: list[str] | None = None
    part_numbers: list[str] | None = None
    revision_numbers: list[str] | None = None
    batch_numbers: list[str] | None = None
    created_by_user_ids: list[UUID] | None = None
    created_by_station_ids: list[UUID] | None = None
    tags: list[str] | None = None
    causes: list[str] | None = None

    def run_filter(self) -> RunFilter:
        """The filter that these parameters make. Each list adds its own conditions."""
        return RunFilter(
            procedure_versions=self.procedure_versions,
            deployment_ids=self.deployment_ids,
            environments=self.environments,
            serial_numbers=self.serial_numbers,
            part_numbers=self.part_numbers,
            revision_numbers=self.revision_numbers,
            batch_numbers=self.batch_numbers,
            created_by_user_ids=self.created_by_user_ids,
            created_by_station_ids=self.created_by_station_ids,
            tags=self.tags,
            causes=self.causes,
        )
