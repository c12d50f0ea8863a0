"""The cycle collector of the processes that runs go through."""

import gc


def look_less_often() -> None:
    """A run makes hundreds of objects and no cycles: to look for these less often gains a tenth at 32 connections."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
