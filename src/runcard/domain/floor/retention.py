"""How long an organization keeps what it has recorded."""

from datetime import datetime, timedelta
from math import ceil
from typing import NamedTuple

from runcard.domain.errors import InvalidInput

# 50 years: longer than any record of a test must be kept.
MAX_DAYS = 18_250
# How long deleted things stay in the bin, if an organization says nothing else.
BIN_DAYS = 30

# A clock that shows more than this without any known activity may be wrong, and what it deletes is gone for good.
_MOST_SILENCE = timedelta(days=30)
# A day deletes at most a tenth, so a mistyped number of days is noticed before everything is gone.
_PARTS_OF_ALL = 10
_DAYS_AT_ONCE = 3


class Cutoffs(NamedTuple):
    """Runs recorded before `runs` are old, and so are files received before `files`; None: none is ever old."""

    runs: datetime | None
    files: datetime | None


class Retention(NamedTuple):
    """How many days runs, and files of runs, are kept after they were recorded; None: forever."""

    run_days: int | None
    file_days: int | None

    @property
    def is_set(self) -> bool:
        return self != Retention(None, None)

    def cutoffs(self, now: datetime) -> Cutoffs:
        return Cutoffs(_ago(self.run_days, now), _ago(self.file_days, now))


class Amount(NamedTuple):
    """A number of runs and of files. size_bytes: of all these files together."""

    runs: int = 0
    files: int = 0
    size_bytes: int = 0

    def with_more(self, more: "Amount") -> "Amount":
        return Amount(*map(sum, zip(self, more, strict=True)))


def is_doubtful(now: datetime, last_known: datetime | None) -> bool:
    """Whether the clock may be wrong. last_known: the last known activity; None where there was none."""
    return last_known is not None and now - last_known > _MOST_SILENCE


def most_of_a_day(kept: int, gone_today: int, days: int) -> int:
    """How many more things may be deleted today: a tenth of this morning's, or what ages out in three days if more.

    kept: how many exist now. gone_today: how many were deleted today. days: how long each is kept.
    """
    total = kept + gone_today
    most = max(ceil(total / _PARTS_OF_ALL), ceil(total * _DAYS_AT_ONCE / days))
    return max(0, min(total, most) - gone_today)


def check_days(field: str, days: int | None) -> None:
    """Check a number of days to keep something; None is valid. Raises InvalidInput."""
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise InvalidInput.at(
            field, f"{days} is no number of days to keep it; give one from 1 to {MAX_DAYS}, or none"
        )


def _ago(days: int | None, now: datetime) -> datetime | None:
    return None if days is None else now - timedelta(days=days)
