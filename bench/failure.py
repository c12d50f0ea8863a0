"""The one way in which the bench ends early."""


class BenchFailed(Exception):
    """Something went otherwise than a measurement may; the message says what."""
