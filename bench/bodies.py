"""The runs that the bench reports: 10 phases, 50 measurements and 50 logs each, about 16 kB of JSON."""

import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

PHASES = 10
MEASUREMENTS_PER_PHASE = 5
LOGS = 50
PROCEDURE = "FVT1"

# Units of a product share part, revision and batch. A retested unit stays of the same product.
_PRODUCTS = 8
# How long ago a retested unit was new, counted in units of its product: so it is never still on its way.
_RETEST_AFTER = (32, 1000)
_PLACEHOLDER = "SERIAL-NUMBER-HERE"

_QUANTITIES = (
    ("supply_voltage", "V", 3.3, 0.08),
    ("input_current", "mA", 182.0, 9.0),
    ("clock_frequency", "MHz", 25.0, 0.004),
    ("rf_output_power", "dBm", 14.2, 0.6),
    ("case_temperature", "degC", 41.5, 3.0),
)
_PHASES = ("power_on", "self_test", "flash_firmware", "calibrate_adc", "calibrate_dac")
_STARTED_AT = datetime(2026, 1, 5, 6, tzinfo=UTC)
_APART = timedelta(seconds=7.3)


# Makes a phase on the wire, given the start of its run and its number in the run.
PhaseOf = Callable[[random.Random, datetime, int], dict[str, Any]]


class Template(NamedTuple):
    """A body without its serial number."""

    product: int
    before: bytes
    after: bytes

    def with_serial(self, serial_number: str) -> bytes:
        return b"".join((self.before, serial_number.encode(), self.after))


class Requests:
    """Makes a whole request per call, without end. Half of them name a new unit, half a known one."""

    def __init__(self, templates: Sequence[Template], path: str, api_key: str) -> None:
        self._templates = templates
        self._random = random.Random(1)
        self._next = 0
        self._reports = [0] * _PRODUCTS
        self._units = [0] * _PRODUCTS
        serial_bytes = len(_serial(0, 0))
        self._heads = [
            f"POST {path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {api_key}\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(template.before) + serial_bytes + len(template.after)}\r\n\r\n".encode()
            for template in templates
        ]

    def __call__(self) -> bytes:
        position = self._next
        self._next = (position + 1) % len(self._templates)
        template = self._templates[position]
        serial = _serial(template.product, self._unit(template.product))
        return b"".join((self._heads[position], template.before, serial, template.after))

    def _unit(self, product: int) -> int:
        """The number of the unit to report next."""
        self._reports[product] += 1
        known = self._units[product]
        at_least, at_most = _RETEST_AFTER
        if self._reports[product] % 2 and known > at_least:
            return known - self._random.randint(at_least, min(at_most, known))
        self._units[product] += 1
        return known


def _serial(product: int, unit: int) -> bytes:
    return b"P%02d-%09d" % (product, unit)


def make_templates(
    count: int,
    started_at: datetime = _STARTED_AT,
    apart: timedelta = _APART,
    procedure: str = PROCEDURE,
    phase_of: PhaseOf | None = None,
) -> list[Template]:
    """`count` different bodies, always the same ones. The first run starts at `started_at`, each next `apart` later.

    phase_of: makes the phases; None: those of this module.
    """
    rng = random.Random(20260105)
    return [
        _template(rng, position, started_at + apart * position, procedure, phase_of or _phase)
        for position in range(count)
    ]


def _template(
    rng: random.Random, position: int, started_at: datetime, procedure: str, phase_of: PhaseOf
) -> Template:
    product = position % _PRODUCTS
    phases = [phase_of(rng, started_at, number) for number in range(PHASES)]
    passed = all(phase["outcome"] == "PASS" for phase in phases)
    body = {
        "procedure_id": procedure,
        "run_passed": passed,
        "outcome": "PASS" if passed else "FAIL",
        "started_at": _wire(started_at),
        "duration": "PT34.5S",
        "unit_under_test": {
            "serial_number": _PLACEHOLDER,
            "part_number": f"PCB-{product:02}",
            "revision": "AB"[product % 2],
            "batch_number": f"2026-W{product // 2:02}",
        },
        "phases": phases,
        "logs": [_log(rng, started_at, number) for number in range(LOGS)],
    }
    before, _, after = json.dumps(body).encode().partition(_PLACEHOLDER.encode())
    return Template(product, before, after)


def _phase(rng: random.Random, run_started_at: datetime, number: int) -> dict[str, Any]:
    measurements = [_measurement(rng, slot) for slot in range(MEASUREMENTS_PER_PHASE)]
    passed = all(measurement["outcome"] == "PASS" for measurement in measurements)
    started_ms = int(run_started_at.timestamp() * 1000) + 3450 * number
    return {
        "name": f"{_PHASES[number % len(_PHASES)]}_{number}",
        "outcome": "PASS" if passed else "FAIL",
        "start_time_millis": started_ms,
        "end_time_millis": started_ms + rng.randint(900, 3400),
        "measurements": measurements,
    }


def _measurement(rng: random.Random, slot: int) -> dict[str, Any]:
    """A value around its nominal; one in some thousands is beyond its limits of 4 sigma."""
    name, units, nominal, sigma = _QUANTITIES[slot]
    value = round(rng.gauss(nominal, sigma), 5)
    lower, upper = round(nominal - 4 * sigma, 5), round(nominal + 4 * sigma, 5)
    return {
        "name": name,
        "outcome": "PASS" if lower <= value <= upper else "FAIL",
        "measured_value": value,
        "units": units,
        "lower_limit": lower,
        "upper_limit": upper,
    }


def _log(rng: random.Random, run_started_at: datetime, number: int) -> dict[str, Any]:
    reading = rng.uniform(0, 5000)
    after = timedelta(seconds=0.69 * number, microseconds=rng.randrange(10_000))
    return {
        "level": rng.choices(("DEBUG", "INFO", "WARNING"), (3, 6, 1))[0],
        "timestamp": _wire(run_started_at + after),
        "message": f"{number}: reg 0x{rng.getrandbits(16):04x} = {reading:.3f}",
        "source_file": f"{rng.choice(_PHASES)}.py",
        "line_number": rng.randint(10, 900),
    }


def _wire(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
