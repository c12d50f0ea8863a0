"""The client that a station's program uses."""

from __future__ import annotations

import atexit
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from uuid import uuid4

from runcard_client.api import Api
from runcard_client.backoff import Backoff
from runcard_client.delivery import Delivery
from runcard_client.live_run import LiveRun
from runcard_client.notes import Notes
from runcard_client.procedures import id_in, look_up
from runcard_client.records import map_pages
from runcard_client.report import MeasurementOutcome, Metadata, RunOutcome, RunReport
from runcard_client.row import MeasurementRow, RunRow, measurement_row, run_row
from runcard_client.run_body import instant, run_body
from runcard_client.run_clock import RunClock
from runcard_client.sender import Sender
from runcard_client.settings import read_settings
from runcard_client.spool import Spool
from runcard_client.tables import Table
from runcard_client.version import __version__

_CLOSE_TIMEOUT_S = 5.0
# Another sender, such as this client's own thread, is soon done.
_LEAST_LOCK_WAIT_S = 5.0


@dataclass(frozen=True)
class Flushed:
    """The result of a flush.

    sent: how many runs were sent. refused: for each run that was parked, why. waiting, parked: how many are in the
    spool now. error: why some still wait.
    """

    sent: int
    refused: Sequence[str]
    waiting: int
    parked: int
    error: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the server has every run."""
        return self.waiting == 0 and self.parked == 0


class Client:
    """Records runs. Each run is first kept on this station's disk, and then sent from there, once and in order.

    url, api_key: the server and the station's key; None: RUNCARD_URL and RUNCARD_API_KEY.
    spool: the file in which runs wait; None: RUNCARD_SPOOL, or this user's own spool. Several processes may share one.
        If a computer is several stations, each needs its own.
    sends: False: runs wait until `flush` or until another process sends them.

    notes: comments, tags and causes of what the server has.
    """

    def __init__(
        self,
        url: str | None = None,
        api_key: str | None = None,
        *,
        spool: str | Path | None = None,
        sends: bool = True,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        settings = read_settings(url, api_key, spool)
        self._clock = clock
        self._sleep = sleep
        self._api = Api(settings.url, settings.api_key, __version__)
        self.notes = Notes(self._api)
        self._spool = Spool(settings.spool)
        self._delivery = Delivery(self._spool, self._api)
        self._sender = Sender(self._delivery) if sends else None
        if self._sender is not None:
            self._sender.start()
        atexit.register(self.close)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self, timeout_s: float = _CLOSE_TIMEOUT_S) -> None:
        """Send waiting runs while the server answers, for at most `timeout_s`. A later process sends the rest."""
        atexit.unregister(self.close)
        if self._sender is not None:
            self._sender.stop(timeout_s)
        self._spool.close()
        self._api.close()

    def record_run(self, report: RunReport) -> str:
        """Keep a run on this station's disk, to be sent, and return its `client_run_ref`.

        Raises InvalidReport, and SpoolUnusable where the run could not be kept.
        """
        ref = str(uuid4()) if report.client_run_ref is None else report.client_run_ref.strip()
        body = run_body(report, ref)
        self._spool.add(ref, report.procedure.strip(), report.serial_number.strip(), body, report.files)
        if self._sender is not None:
            self._sender.wake()
        return ref

    def run(
        self,
        procedure: str,
        serial_number: str,
        *,
        part_number: str | None = None,
        revision_number: str | None = None,
        batch_number: str | None = None,
        procedure_version: str | None = None,
        operator: str | None = None,
        sub_units: Sequence[str] = (),
        execution_id: str | None = None,
        slot_key: str | None = None,
        slot_name: str | None = None,
        docstring: str | None = None,
        metadata: Metadata | None = None,
        unit_metadata: Metadata | None = None,
        client_run_ref: str | None = None,
    ) -> LiveRun:
        """A run that begins now and is recorded at the end of its `with`. The parameters are those of RunReport.

        Raises InvalidReport at once where the run could not be recorded.
        """
        clock = RunClock()
        given = RunReport(
            procedure,
            serial_number,
            "PASS",
            clock.started_at,
            clock.started_at,
            client_run_ref=client_run_ref,
            procedure_version=procedure_version,
            operator=operator,
            part_number=part_number,
            revision_number=revision_number,
            batch_number=batch_number,
            sub_units=sub_units,
            execution_id=execution_id,
            slot_key=slot_key,
            slot_name=slot_name,
            docstring=docstring,
            metadata=metadata or {},
            unit_metadata=unit_metadata or {},
        )
        run_body(given, "")
        return LiveRun(self.record_run, given, clock)

    def runs(
        self,
        procedure: str | None = None,
        *,
        serial_numbers: Sequence[str] = (),
        part_numbers: Sequence[str] = (),
        revision_numbers: Sequence[str] = (),
        batch_numbers: Sequence[str] = (),
        procedure_versions: Sequence[str] = (),
        outcomes: Sequence[RunOutcome] = (),
        tags: Sequence[str] = (),
        causes: Sequence[str] = (),
        started_after: datetime | None = None,
        started_before: datetime | None = None,
    ) -> Table[RunRow]:
        """The runs on the server that match, the latest start first. The bounds are inclusive.

        causes: codes, each of which stands for what is below it too. Raises Refused where there is no such procedure,
        and Unavailable.
        """
        query = {
            "procedure_ids": [] if procedure is None else [self._procedure_id(procedure)],
            "serial_numbers": serial_numbers,
            "part_numbers": part_numbers,
            "revision_numbers": revision_numbers,
            "batch_numbers": batch_numbers,
            "procedure_versions": procedure_versions,
            "outcomes": outcomes,
            "tags": tags,
            "causes": causes,
            "started_after": _bound("started_after", started_after),
            "started_before": _bound("started_before", started_before),
        }
        return Table(RunRow, lambda: map_pages(self._api, "/runs", query, run_row))

    def measurements(
        self,
        procedure: str,
        *,
        phase_names: Sequence[str] = (),
        name: str | None = None,
        serial_numbers: Sequence[str] = (),
        part_numbers: Sequence[str] = (),
        revision_numbers: Sequence[str] = (),
        batch_numbers: Sequence[str] = (),
        procedure_versions: Sequence[str] = (),
        outcomes: Sequence[MeasurementOutcome] = (),
        started_after: datetime | None = None,
        started_before: datetime | None = None,
        final_attempts: bool = True,
    ) -> Table[MeasurementRow]:
        """The measurements of a procedure in all runs that match, the latest start of a phase first.

        The bounds are inclusive. final_attempts: False: also the measurements of phases that were retried. Raises
        Refused where there is no such procedure, and Unavailable.
        """
        query = {
            "procedure_id": self._procedure_id(procedure),
            "phase_names": phase_names,
            "measurement_name": name,
            "serial_numbers": serial_numbers,
            "part_numbers": part_numbers,
            "revision_numbers": revision_numbers,
            "batch_numbers": batch_numbers,
            "procedure_versions": procedure_versions,
            "measurement_outcomes": outcomes,
            "started_after": _bound("started_after", started_after),
            "started_before": _bound("started_before", started_before),
            "exclude_retries": final_attempts,
        }
        return Table(MeasurementRow, lambda: map_pages(self._api, "/measurements", query, measurement_row))

    def flush(self, timeout_s: float = 0.0) -> Flushed:
        """Send waiting runs. If the server does not answer, try again for `timeout_s`. Raises SpoolUnusable."""
        deadline = self._clock() + timeout_s
        backoff = Backoff()
        sent = 0
        refused: list[str] = []
        while True:
            left_s = max(0.0, deadline - self._clock())
            done = self._delivery.send_all(lock_timeout_s=max(left_s, _LEAST_LOCK_WAIT_S))
            sent += done.sent
            refused += done.refused
            if done.sent or done.error is None:
                backoff.succeeded()
            pause_s = backoff.failed(done.retry_after_s) if done.error is not None else 0.0
            counts = self._spool.counts()
            left_s = deadline - self._clock()
            if counts.waiting == 0 or pause_s > left_s or left_s <= 0:
                error = "another process is sending them" if done.is_elsewhere else done.error
                return Flushed(sent, refused, counts.waiting, counts.parked, error)
            self._sleep(pause_s)

    def _procedure_id(self, reference: str) -> str:
        return id_in(reference) or look_up(reference, self._api)


def _bound(field: str, moment: datetime | None) -> str | None:
    return None if moment is None else instant(field, moment)
