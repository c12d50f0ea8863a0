"""The error that ends the bench early."""


class BenchFailed(Exception):
    """Something happened that makes a measurement invalid; the message says what."""
