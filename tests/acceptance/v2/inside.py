"""Two runs with something of everything inside, for the lists of phases, measurements and logs."""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from tofupilot.v2 import TofuPilot

from runcard.domain.actor import SystemActor
from runcard.store.stations.rows import link_procedures
from tests.acceptance.v2.reporting import STARTED_AT, measurement, phase, report
from tests.servers import Server

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


class Line(NamedTuple):
    """A procedure of its own, with a run of the unit `<prefix>-A`, by the user, and one of `<prefix>-B`, by the station
    a day later. Unit A is golden.
    """

    procedure_id: str
    prefix: str
    a: str
    b: str


def make_line(server: Server, user: TofuPilot, station: TofuPilot) -> Line:
    prefix = f"L-{uuid4().hex[:8].upper()}"
    procedure_id = user.procedures.create(name=f"Procedure {prefix}").id
    acme = server.world.acme
    server.change(
        lambda tx: link_procedures(
            tx.of(SystemActor(acme.id, "test")), acme.ict.actor.station_id, [UUID(procedure_id)]
        )
    )
    a = report(user, procedure_id, f"{prefix}-A", **_run_a(prefix, acme.admin.email))
    b = report(station, procedure_id, f"{prefix}-B", **_run_b(prefix))
    user.units.update(serial_number=f"{prefix}-A", sample="golden")
    return Line(procedure_id, prefix, a, b)


def _run_a(prefix: str, operator: str) -> dict[str, Any]:
    times = {"started_at": STARTED_AT, "ended_at": STARTED_AT + 2 * SECOND}
    return {
        "outcome": "FAIL",
        "part_number": f"{prefix}-PA",
        "revision_number": "R2",
        "batch_number": f"{prefix}-B1",
        "procedure_version": f"{prefix}-v1",
        "operated_by": operator,
        "sequences": [{"path": "main", "name": "Main", "outcome": "FAIL"}],
        "phases": [
            phase("power", measurement("voltage", 2.9, outcome="FAIL"), outcome="FAIL", **times),
            phase(
                "power",
                measurement("voltage", 3.25, units="V", lower_limit=3, upper_limit=3.5),
                retry_count=1,
                started_at=STARTED_AT + 2 * SECOND,
                ended_at=STARTED_AT + 3.0004 * SECOND,
            ),
            phase(
                "radio",
                measurement("locked", True),
                measurement("firmware", "v7"),
                measurement("sweep", outcome="FAIL", **_SWEEP),
                measurement("skipped", outcome="UNSET"),
                measurement("registers", {"a": [1, 2]}),
                outcome="FAIL",
                sequence_path="main",
                docstring="Locks to the carrier.",
                started_at=STARTED_AT + 10 * SECOND,
                ended_at=STARTED_AT + 70 * SECOND,
            ),
        ],
        "logs": [
            _log("INFO", 0, "Power on", "power.py"),
            _log("ERROR", 12, "No carrier: 100% LOSS", "radio.py", line_number=42),
        ],
    }


def _run_b(prefix: str) -> dict[str, Any]:
    times = {"started_at": STARTED_AT + DAY, "ended_at": STARTED_AT + DAY + 30 * SECOND}
    return {
        "part_number": f"{prefix}-PB",
        "revision_number": "R1",
        "operated_by": "Jo",
        "phases": [phase("power", measurement("voltage", 5, units="V"), **times)],
        "logs": [_log("WARNING", 86_400, "warm-up skipped", "power.py")],
        **times,
    }


_SWEEP: dict[str, Any] = {
    "x_axis": {"data": [1, 2, 3], "units": "MHz", "name": "frequency"},
    "y_axis": [
        {
            "data": [0.5, -2.5, 1],
            "units": "dB",
            "validators": [{"operator": ">=", "expected_value": -1, "outcome": "FAIL"}],
            "aggregations": [{"type": "min", "value": -2.5, "outcome": "FAIL"}],
        }
    ],
    "aggregations": [{"type": "count", "value": 3}],
    "docstring": "Gain over frequency",
}


def _log(level: str, second: float, message: str, file: str, line_number: int = 1) -> dict[str, Any]:
    return {
        "level": level,
        "timestamp": STARTED_AT + second * SECOND,
        "message": message,
        "source_file": file,
        "line_number": line_number,
    }
