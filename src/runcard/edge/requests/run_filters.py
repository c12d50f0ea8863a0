"""The conditions of a `RunFilter` as parameters of a query."""

from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import Struct

from runcard.domain.errors import InvalidInput
from runcard.domain.floor.deployment import Environment
from runcard.domain.floor.sample import SampleChoice
from runcard.domain.runs.outcome import RunOutcome
from runcard.edge.requests.bounds import QueryBounds
from runcard.store.lists.run_filter import RunFilter
from runcard.store.metadata import MetadataTest

_MAX_TESTS = 5


class RunFilterQuery(Struct, kw_only=True):
    """The conditions of a `RunFilter`, with the same names, as the parameters of a query.

    duration_min, duration_max: ISO 8601. metadata: for `metadata_tests`.
    """

    search_query: str | None = None
    ids: list[UUID] | None = None
    outcomes: list[RunOutcome] | None = None
    procedure_ids: list[UUID] | None = None
    procedure_versions: list[str] | None = None
    deployment_ids: list[UUID] | None = None
    environments: list[Environment] | None = None
    execution_ids: list[str] | None = None
    slot_keys: list[str] | None = None
    slot_names: list[str] | None = None
    serial_numbers: list[str] | None = None
    samples: list[SampleChoice] | None = None
    voided: bool | None = None
    corrected: bool | None = None
    part_numbers: list[str] | None = None
    revision_numbers: list[str] | None = None
    batch_numbers: list[str] | None = None
    duration_min: str | None = None
    duration_max: str | None = None
    started_after: datetime | None = None
    started_before: datetime | None = None
    ended_after: datetime | None = None
    ended_before: datetime | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    created_by_user_ids: list[UUID] | None = None
    created_by_station_ids: list[UUID] | None = None
    operated_by_ids: list[UUID] | None = None
    operated_by_names: list[str] | None = None
    tags: list[str] | None = None
    causes: list[str] | None = None
    metadata: str | None = None

    def run_filter(self) -> RunFilter:
        """The same conditions as a `RunFilter`. Raises InvalidInput with an issue for each wrong bound."""
        tests, bounds = metadata_tests(self.metadata), QueryBounds()
        run_filter = RunFilter(
            search_query=self.search_query,
            ids=self.ids,
            outcomes=self.outcomes,
            procedure_ids=self.procedure_ids,
            procedure_versions=self.procedure_versions,
            deployment_ids=self.deployment_ids,
            environments=self.environments,
            execution_ids=self.execution_ids,
            slot_keys=self.slot_keys,
            slot_names=self.slot_names,
            serial_numbers=self.serial_numbers,
            samples=self.samples,
            voided=self.voided,
            corrected=self.corrected,
            part_numbers=self.part_numbers,
            revision_numbers=self.revision_numbers,
            batch_numbers=self.batch_numbers,
            duration_min=bounds.duration("duration_min", self.duration_min),
            duration_max=bounds.duration("duration_max", self.duration_max),
            started_after=bounds.moment("started_after", self.started_after),
            started_before=bounds.moment("started_before", self.started_before),
            ended_after=bounds.moment("ended_after", self.ended_after),
            ended_before=bounds.moment("ended_before", self.ended_before),
            created_after=bounds.moment("created_after", self.created_after),
            created_before=bounds.moment("created_before", self.created_before),
            created_by_user_ids=self.created_by_user_ids,
            created_by_station_ids=self.created_by_station_ids,
            operated_by_ids=self.operated_by_ids,
            operated_by_names=self.operated_by_names,
            tags=self.tags,
            causes=self.causes,
            metadata=tests,
        )
        bounds.check()
        return run_filter


class MetadataTestBody(Struct, forbid_unknown_fields=True):
    """What a value must be. in: one of these texts. contains: a text with this in it. eq: this number or boolean.

    gte, lte, gt, lt: a number within these bounds.
    """

    in_: list[str] | None = msgspec.field(default=None, name="in")
    contains: str | None = None
    eq: float | bool | None = None
    gte: float | None = None
    lte: float | None = None
    gt: float | None = None
    lt: float | None = None


_tests = msgspec.json.Decoder(dict[str, MetadataTestBody])


def metadata_tests(text: str | None) -> list[MetadataTest]:
    """The tests in the `metadata` parameter of a list, which is one JSON object as a text. Raises InvalidInput."""
    if text is None:
        return []
    try:
        tests = _tests.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidInput.at(
            "metadata", f'cannot be read: {error}; send a JSON object such as {{"humidity": {{"gte": 40}}}}'
        ) from error
    if len(tests) > _MAX_TESTS:
        raise InvalidInput.at("metadata", f"names {len(tests)} keys; use at most {_MAX_TESTS}")
    return [
        MetadataTest(key, one.in_, one.contains, one.eq, one.gte, one.lte, one.gt, one.lt)
        for key, one in tests.items()
    ]
