"""How many examples properties are tried on."""

from hypothesis import HealthCheck, settings

# Examples that are always the same, and how soon one is made is not what is tested.
settings.register_profile(
    "fast",
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],
)
# Fresh ones each time; one that fails is printed, to be kept as an @example.
settings.register_profile(
    "long",
    max_examples=500,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def one_in(count: int) -> settings:
    """The profile that runs, with a `count`-th of its examples: where each of them takes long."""
    return settings(max_examples=max(1, examples() // count))


def examples() -> int:
    """How many there are in the profile that runs."""
    return settings().max_examples
