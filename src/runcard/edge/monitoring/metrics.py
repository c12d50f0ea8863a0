"""The figures of this server for Prometheus."""

import asyncio
import platform
from collections.abc import Iterator, Mapping
from contextlib import suppress
from itertools import accumulate
from typing import NamedTuple

from prometheus_client import CollectorRegistry, GCCollector, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from runcard import __version__
from runcard.counted_values import CountedValues
from runcard.edge.monitoring.bounded_look import BoundedLook, NotAnswered
from runcard.edge.monitoring.readiness import HealthCheck, Probed, Readiness, seconds_behind
from runcard.edge.monitoring.request_counts import Answered, RequestCounts
from runcard.store.commit.writer import Writer
from runcard.store.installation.state import DatabaseState, IntakeState, read_intake

# How long a scrape waits for what the database must be asked, and how long it counts as new.
_WITHIN_S = 1.0
_KEEP_S = 10.0


class Sources(NamedTuple):
    """Where figures come from, besides what readiness watches."""

    probed: Probed
    writer: Writer
    requests: RequestCounts


class _Scrape(NamedTuple):
    """What a scrape has asked beforehand. state, intake: None if the database has never answered."""

    checks: tuple[HealthCheck, ...]
    state: DatabaseState | None
    intake: IntakeState | None


class Metrics(Collector):
    """Makes the text of `/metrics`. What counts is counted elsewhere, in plain objects, and read at each scrape."""

    def __init__(self, sources: Sources, readiness: Readiness) -> None:
        self._sources = sources
        self._readiness = readiness
        database = sources.probed.database
        self._intake: BoundedLook[IntakeState] = BoundedLook(lambda: read_intake(database), _KEEP_S)
        self._scrape = _Scrape((), None, None)
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)
        ProcessCollector("runcard_recorder", self._recorder_process, registry=self._registry)
        GCCollector(registry=self._registry)

    async def text(self, accept: str) -> tuple[bytes, str]:
        """All figures and their content type: the text format, or OpenMetrics if the Accept header asks for it."""
        checks = tuple(await self._readiness.checks())
        with suppress(NotAnswered):  # then the last answer is told again
            await self._intake.answer(_WITHIN_S)
        self._scrape = _Scrape(checks, self._readiness.latest, self._intake.latest)
        encode, content_type = choose_encoder(accept)
        # A thread makes the text, because a few thousand lines take longer than a station should wait.
        return await asyncio.to_thread(encode, self._registry), content_type

    def collect(self) -> Iterator[Metric]:
        build = GaugeMetricFamily(
            "runcard_build_info", "The version that runs.", labels=["version", "python"]
        )
        build.add_metric([__version__, platform.python_version()], 1)
        yield build
        yield from self._health()
        yield from _requests(self._sources.requests.snapshot())
        yield from self._recording()
        yield from self._copy()
        yield from self._waiting_files()

    def _health(self) -> Iterator[Metric]:
        ready = GaugeMetricFamily("runcard_ready", "Whether a check of /readyz holds.", labels=["check"])
        for check in self._scrape.checks:
            ready.add_metric([check.name], check.holds)
        yield ready

    def _recording(self) -> Iterator[Metric]:
        recorder, writer = self._sources.probed.recorder, self._sources.writer
        yield GaugeMetricFamily(
            "runcard_runs_waiting", "Runs that wait to be recorded.", recorder.waiting_count
        )
        yield CounterMetricFamily(
            "runcard_recorder_restarts",
            "Recording processes that ended and had to be replaced.",
            recorder.counts.restarts,
        )
        write_s = HistogramMetricFamily(
            "runcard_run_write_seconds", "From the hand-over of a run until it was durable."
        )
        write_s.add_metric([], *_buckets(recorder.counts.write_s))
        yield write_s
        groups = HistogramMetricFamily(
            "runcard_commit_group_size", "Writes that were committed together.", labels=["writer"]
        )
        groups.add_metric(["recorder"], *_buckets(recorder.counts.groups))
        groups.add_metric(["server"], *_buckets(writer.groups))
        yield groups

    def _copy(self) -> Iterator[Metric]:
        copy, state = self._sources.probed.copy, self._scrape.state
        if copy is None or copy.seen is None or state is None:
            return
        lag = max(0, state.newest_change - copy.seen)
        yield GaugeMetricFamily("runcard_copy_lag_changes", "Changes that the columnar copy lacks.", lag)
        behind_s = seconds_behind(state) if lag else 0.0
        yield GaugeMetricFamily("runcard_copy_lag_seconds", "Age of the oldest of these changes.", behind_s)

    def _waiting_files(self) -> Iterator[Metric]:
        intake = self._scrape.intake
        if intake is None:
            return
        yield GaugeMetricFamily("runcard_quarantined_files", "Files in quarantine.", intake.quarantined)
        yield GaugeMetricFamily(
            "runcard_imports_unfinished", "Imports under way or cut short.", intake.unfinished
        )

    def _recorder_process(self) -> int:
        """The id of the recording process; 0, which has no figures, if there is none."""
        return self._sources.probed.recorder.process_id or 0


def _requests(spreads: Mapping[Answered, CountedValues]) -> Iterator[Metric]:
    total = CounterMetricFamily(
        "runcard_requests", "Requests that were answered.", labels=["route", "method", "status"]
    )
    seconds = HistogramMetricFamily(
        "runcard_request_seconds", "From the headers of a request to its answer.", labels=["route", "method"]
    )
    by_route: dict[tuple[str, str], CountedValues] = {}
    for kind, spread in sorted(spreads.items()):
        total.add_metric([kind.route, kind.method, str(kind.status)], spread.count)
        joined = by_route.setdefault((kind.route, kind.method), CountedValues(spread.bounds))
        joined.counts = [mine + more for mine, more in zip(joined.counts, spread.counts, strict=True)]
        joined.total += spread.total
    for labels, spread in by_route.items():
        seconds.add_metric(list(labels), *_buckets(spread))
    yield total
    yield seconds


def _buckets(spread: CountedValues) -> tuple[list[tuple[str, float]], float]:
    """The cumulated buckets of a histogram, and the sum of its values."""
    bounds = [f"{bound:g}" for bound in spread.bounds] + ["+Inf"]
    return list(zip(bounds, accumulate(spread.counts), strict=True)), spread.total
