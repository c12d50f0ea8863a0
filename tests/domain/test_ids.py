"""Ids: in time order, and derived inside a run so that the run is found from them."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.ids import MAX_PARTS_PER_KIND, RunPart, first_id_at, new_id, new_run_id, part_id, run_of


def test_ids_made_later_sort_later() -> None:
    made = [make() for _ in range(500) for make in (new_id, new_run_id)]
    of_runs = made[1::2]
    assert of_runs == sorted(of_runs)
    assert len(set(of_runs)) == len(of_runs)
    assert {(identifier.version, identifier.variant) for identifier in made} == {(7, "specified in RFC 4122")}


@given(st.sampled_from(RunPart), st.integers(0, MAX_PARTS_PER_KIND - 1))
def test_the_run_is_found_from_what_lies_in_it(kind: RunPart, position: int) -> None:
    run_id = new_run_id()
    inner = part_id(run_id, kind, position)
    assert run_of(inner) == (run_id, kind, position)
    assert (inner.version, inner.variant) == (run_id.version, run_id.variant)


def test_a_run_is_no_part_of_itself() -> None:
    assert run_of(new_run_id()) is None


@pytest.mark.parametrize("position", [-1, MAX_PARTS_PER_KIND])
def test_positions_beyond_the_room_are_refused(position: int) -> None:
    with pytest.raises(ValueError, match="position"):
        part_id(new_run_id(), RunPart.LOG, position)


def test_first_id_at_a_moment_parts_before_from_after() -> None:
    now = datetime.now(UTC)
    assert first_id_at(now - timedelta(seconds=1)) < new_id() < first_id_at(now + timedelta(minutes=1))
    assert isinstance(first_id_at(now), UUID)
