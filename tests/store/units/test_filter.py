"""Which filters of units ask for nothing, so that faster ways to a page are open."""

from collections.abc import Sequence

import pytest

from runcard.edge.requests.run_filters import metadata_tests
from runcard.store.metadata import MetadataTest
from runcard.store.units.lists import UnitFilter


@pytest.mark.parametrize("metadata", [(), [], metadata_tests(None)], ids=["tuple", "list", "not asked"])
def test_a_filter_without_conditions_is_empty(metadata: Sequence[MetadataTest]) -> None:
    assert UnitFilter(metadata=metadata).is_empty


@pytest.mark.parametrize(
    "wanted",
    [
        UnitFilter(ids=[]),
        UnitFilter(without_parent=True),
        UnitFilter(metadata=[MetadataTest("site", equals=1)]),
    ],
    ids=["ids", "without parent", "metadata"],
)
def test_one_with_a_condition_asks_for_something(wanted: UnitFilter) -> None:
    assert not wanted.is_empty
