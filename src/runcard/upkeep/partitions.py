"""A thread that makes the months of PostgreSQL's tables ahead, and drops those that are empty."""

import logging
from datetime import UTC, datetime

from runcard.intake.arrived_files import Stores
from runcard.store.engine.locks import Lock
from runcard.store.engine.partitions import drop_empty, make_months
from runcard.upkeep.repeated_work import RepeatedWork

_log = logging.getLogger(__name__)

_EVERY_S = 3600.0


class PartitionKeeper(RepeatedWork):
    """Looks every hour until it is closed. If several servers share a database, only one of them does."""

    def __init__(self, stores: Stores) -> None:
        super().__init__(
            stores,
            name="runcard-partitions",
            every_s=_EVERY_S,
            failing="making or dropping the months of documents failed",
        )

    def _work(self) -> None:
        database = self._stores.database
        if not database.is_postgresql:
            return
        with database.alone(Lock.PARTITIONS) as is_alone:
            if not is_alone:
                return
            now = datetime.now(UTC)
            made, dropped = make_months(database, now), drop_empty(database, now)
        if made or dropped:
            _log.info("months of documents: made %s, dropped %s", made, dropped)
