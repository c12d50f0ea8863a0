"""An organization and its policies."""

from datetime import timedelta
from uuid import UUID

from msgspec import Struct

from runcard.domain.floor.retention import BIN_DAYS, Retention


class Organization(Struct, frozen=True):
    """The tenant that owns everything else.

    serial_number_pattern: RE2 pattern that finds the part number in a serial number; None: no parsing.
    monthly_run_quota: runs that may be recorded in a calendar month (UTC); None: no limit.
    station_may_create_*: what a run from a station may create.
    run_retention_days, file_retention_days: how long runs, and files of runs, are kept; None: forever.
    bin_days: how long deleted things stay in the bin; None: BIN_DAYS.
    """

    id: UUID
    slug: str
    name: str
    serial_number_pattern: str | None = None
    monthly_run_quota: int | None = None
    station_may_create_parts: bool = True
    station_may_create_revisions: bool = True
    station_may_create_batches: bool = True
    station_may_create_units: bool = True
    station_may_create_versions: bool = True
    run_retention_days: int | None = None
    file_retention_days: int | None = None
    bin_days: int | None = None

    @property
    def retention(self) -> Retention:
        return Retention(self.run_retention_days, self.file_retention_days)

    @property
    def kept_in_bin(self) -> timedelta:
        """How long a deleted thing can be restored."""
        return timedelta(days=BIN_DAYS if self.bin_days is None else self.bin_days)
