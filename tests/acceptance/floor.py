"""Stations that send runs as fast as they are answered."""

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from tests.acceptance.wire import Json, measurement_of, phase_of, run_of
from tests.servers import DEADLINE_S, Server

CLIENTS = 32
# Each serial number stands for one body, so that what was recorded can be compared with what was sent.
FIRST_SUB_UNIT = "CHILD"


def number_of(serial: str) -> int:
    return int(serial.rpartition("-")[2])


def body_of(serial: str) -> Json:
    """A run that touches every table that a run can."""
    n = number_of(serial)
    phases = [
        phase_of(*(measurement_of(n + m, name=f"m{m}") for m in range(p * 3)), name=f"phase {p}")
        for p in range(n % 5 + 1)
    ]
    log = {"level": "INFO", "timestamp": "2024-03-01T12:00:00Z", "message": serial}
    return run_of(
        serial,
        unit={"part_number": f"P-{n % 7}", "revision": f"R-{n % 3}", "batch_number": f"B-{n % 11}"},
        procedure_version=f"V-{n % 13}",
        phases=phases,
        logs=[log] * (n % 4),
        sub_units=[FIRST_SUB_UNIT] if n % 10 == 0 else [],
    )


class Floor:
    """32 stations that send runs as fast as they are answered, until told to stop.

    is_patient: whether they send a run again that is refused for an outage, and connect again after a connection broke.
    """

    def __init__(self, server: Server, *, is_patient: bool = False) -> None:
        self._server = server
        self._is_patient = is_patient
        self._lock = threading.Condition()
        self._next = 0
        self.answered: dict[str, str] = {}
        self.surprises: list[str] = []
        self._is_over = False

    @contextmanager
    def sending(self, end: Callable[[], None]) -> Iterator[None]:
        """Send from all stations during the block, whose end this is: it must stop them."""
        self._is_over = False
        stations = [threading.Thread(target=self._send) for _ in range(CLIENTS)]
        for station in stations:
            station.start()
        try:
            yield
        finally:
            end()
            for station in stations:
                station.join(DEADLINE_S)
        assert not self.surprises, self.surprises

    def wait_for(self, more: int) -> None:
        """Until so many more runs were answered."""
        with self._lock:
            goal = len(self.answered) + more
            reached = self._lock.wait_for(lambda: len(self.answered) >= goal or self.surprises, DEADLINE_S)
        assert reached, self._server.log

    def stop(self) -> None:
        """Send no more."""
        self._is_over = True

    def _send(self) -> None:
        self._send_until_it_breaks()
        while self._is_patient and not self._is_over:
            self._send_until_it_breaks()

    def _send_until_it_breaks(self) -> None:
        key = self._server.world.acme.fct.api_key
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(urlsplit(self._server.url).netloc, timeout=DEADLINE_S)
        try:
            while not self._is_over:
                serial = self._new_serial()
                status = None
                while status is None or (status == 503 and self._is_patient):
                    connection.request("POST", "/api/v1/runs", json.dumps(body_of(serial)), headers)
                    answer = connection.getresponse()
                    status, body = answer.status, answer.read()
                self._note(serial, status, body)
        except (OSError, http.client.HTTPException):
            return  # the server is gone
        finally:
            connection.close()

    def _new_serial(self) -> str:
        with self._lock:
            self._next += 1
            return f"CRASH-{self._next}"

    def _note(self, serial: str, status: int, body: bytes) -> None:
        with self._lock:
            if status == 200:
                self.answered[serial] = json.loads(body)["id"]
            else:
                self.surprises.append(f"{serial}: {status} {body.decode()}")
            self._lock.notify_all()
