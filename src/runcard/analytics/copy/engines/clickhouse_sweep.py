"""Removal of rows of ClickHouse that hold no longer, once no query can need them."""

import time

from clickhouse_connect.driver.client import Client

from runcard.analytics.copy.engines.clickhouse_tables import GONE, SINCE

# Longer than a reader looks at one state.
REST_S = 600.0


class RowSweep:
    """Sweeps every `rest_s`. What a sweep removes has been gone since before the one before."""

    def __init__(self, rest_s: float) -> None:
        self._rest_s = rest_s
        self._last = time.monotonic()
        # The changes that the copy had seen when it was swept last, and the time before that.
        self._seen = self._seen_before = 0

    def after(self, client: Client, seen: int) -> None:
        """Sweep if it is time. seen: the last change in the copy."""
        now = time.monotonic()
        if now - self._last < self._rest_s:
            return
        for gone in GONE:
            # Entries rest once more: a query may still look for them while it reads rows that are being removed.
            client.command(f"DELETE FROM {gone.name} WHERE until <= {self._seen_before}")
            ended = f"SELECT {gone.key}, {SINCE} FROM {gone.name} WHERE until <= {self._seen}"
            for table in gone.tables:
                client.command(f"DELETE FROM {table} WHERE ({gone.key}, {SINCE}) IN ({ended})")
        client.command(f"DELETE FROM copy_state WHERE seq < {self._seen}")
        self._last, self._seen_before, self._seen = now, self._seen, seen
