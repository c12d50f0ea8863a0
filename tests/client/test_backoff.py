"""How long a server that does not answer is left alone."""

from hypothesis import given
from hypothesis import strategies as st

from runcard_client.backoff import Backoff


def test_it_doubles_up_to_a_minute_and_begins_anew():
    backoff = Backoff(lambda: 1.0)
    assert [backoff.failed() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    backoff.succeeded()
    assert backoff.failed() == 1


@given(chances=st.lists(st.floats(0, 1), min_size=1, max_size=20), asked_s=st.none() | st.floats(0, 1e9))
def test_chance_takes_away_at_most_half_and_what_is_asked_is_kept_up_to_a_minute(
    chances: list[float], asked_s: float | None
):
    left = iter(chances)
    backoff = Backoff(lambda: next(left))
    most_s = 1.0
    for _ in chances:
        pause_s = backoff.failed(asked_s)
        least_s = max(most_s / 2, min(asked_s or 0, 60))
        assert least_s <= pause_s <= max(most_s, least_s)
        most_s = min(2 * most_s, 60)
