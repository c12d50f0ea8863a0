"""The phases of the three procedures."""

from collections.abc import Sequence
from typing import NamedTuple

from runcard.cli.demo_line.checks import Check, Flag, Numeric, Record, Sweep, Text, Trial
from runcard.cli.demo_line.floor import AMPLIFIER, BOARD, MODULE, Product
from runcard.domain.runs.measurement import JsonValue


class PhasePlan(NamedTuple):
    """seconds: its approximate duration. max_attempts: a failed phase is repeated at once, up to this number.
    needs_pass: it is skipped after a failed phase.
    """

    name: str
    docstring: str
    seconds: float
    checks: Sequence[Check]
    max_attempts: int = 1
    needs_pass: bool = False


class ProcedurePlan(NamedTuple):
    """versions: of the test software, in the first and the second half of the history. source_file: the name in its
    logs. defect_ratio: the share of units with a real fault, from 0 to 1.
    """

    identifier: str
    product: Product
    docstring: str
    source_file: str
    versions: tuple[str, str]
    defect_ratio: float
    phases: Sequence[PhasePlan]

    @property
    def spoilable(self) -> list[str]:
        """The measurements that a real fault of the unit may spoil; not those of the fixture's contact."""
        checks = [check for phase in self.phases if phase is not _CONTACT for check in phase.checks]
        return [
            check.name
            for check in checks
            if isinstance(check, Flag) or (isinstance(check, Numeric) and check.broken is not None)
        ]


def _firmware(trial: Trial) -> str:
    return "2.3.1" if trial.elapsed_ratio < 0.45 else "2.4.0"


def _read_back(trial: Trial) -> str:
    return trial.unit.serial_number


def _calibration(trial: Trial) -> JsonValue:
    def channel() -> JsonValue:
        return {
            "gain": round(trial.rng.gauss(1.0, 0.002), 5),
            "offset_mv": round(trial.rng.gauss(0, 0.3), 3),
        }

    return {"left": channel(), "right": channel(), "reference": "CAL-0417", "points": [0.1, 1.0, 10.0]}


_CONTACT = PhasePlan(
    "fixture_contact",
    "Clamp the unit and check every probe.",
    4,
    (
        Numeric(
            "contact_resistance", "Ω", 0.08, 0.015, upper=0.25, docstring="Worst of all probes, four-wire."
        ),
        Flag("fixture_closed"),
    ),
    max_attempts=2,
)

IN_CIRCUIT = ProcedurePlan(
    "FVT1",
    BOARD,
    "Bed-of-nails test of the bare amplifier board, before it goes into its module.",
    "in_circuit.py",
    ("1.4.2", "1.5.0"),
    0.035,
    (
        _CONTACT,
        PhasePlan(
            "power_rails",
            "Switch the board on with its current limited and measure both rails.",
            6,
            (
                Numeric("rail_5v", "V", 5.0, 0.018, 4.9, 5.1, broken=4.2),
                Numeric("rail_3v3", "V", 3.3, 0.012, 3.23, 3.37, broken=0.02),
                Numeric("standby_current", "A", 0.046, 0.0015, upper=0.055, broken=0.31, digits=4),
            ),
        ),
        PhasePlan(
            "passive_components",
            "Measure what sets gain and bandwidth, with the neighbours guarded.",
            9,
            (
                Numeric(
                    "feedback_resistance",
                    "Ω",
                    10_000,
                    24,
                    9_900,
                    10_100,
                    digits=1,
                    docstring="R14, 0.1 % type.",
                ),
                Numeric("coupling_capacitance", "µF", 2.2, 0.03, 2.0, 2.4, broken=0.001, digits=4),
            ),
        ),
        PhasePlan(
            "program_firmware",
            "Write the firmware and read back what runs.",
            14,
            (
                Text("firmware_version", r"^\d+\.\d+\.\d+$", _firmware),
                Numeric("programming_time", "s", 11.8, 0.35, upper=20, digits=2),
                Flag("checksum_matches"),
            ),
        ),
    ),
)

MODULE_TEST = ProcedurePlan(
    "FVT2",
    MODULE,
    "Functional test of one amplifier channel: a tested board on its heat sink.",
    "module_functional.py",
    ("3.0.1", "3.1.0"),
    0.045,
    (
        _CONTACT,
        PhasePlan(
            "bias",
            "Let the output stage settle and measure it without a signal.",
            20,
            (
                Numeric("supply_voltage", "V", 36.0, 0.08, 35.5, 36.5, digits=2),
                Numeric(
                    "bias_current",
                    "A",
                    0.42,
                    0.009,
                    0.38,
                    0.48,
                    broken=0.91,
                    digits=4,
                    docstring="Rises with the temperature of the load.",
                ),
                Numeric("dc_offset", "mV", 0.0, 4.5, -20, 20, broken=-61, digits=2),
            ),
        ),
        PhasePlan(
            "frequency_response",
            "Sweep a sine of 1 V from 20 Hz to 100 kHz.",
            45,
            (
                Numeric("gain_1khz", "dB", 26.0, 0.08, 25.6, 26.4, broken=23.1),
                Numeric("bandwidth", "kHz", 96.0, 2.4, lower=85, broken=61, digits=2, docstring="At -3 dB."),
                Sweep("gain_sweep", 25.0),
            ),
        ),
        PhasePlan(
            "distortion",
            "Measure at 1 kHz and half of full power.",
            15,
            (
                Numeric("thd", "%", 0.021, 0.004, upper=0.045, broken=0.38, digits=4),
                Numeric("noise_floor", "dB", -104, 1.4, upper=-98, digits=1),
            ),
        ),
        PhasePlan(
            "thermal_soak",
            "Two minutes at a third of full power.",
            120,
            (
                Numeric("ambient_temperature", "°C", 23.0, 0.9, digits=1),
                Numeric("heatsink_temperature", "°C", 54.0, 1.9, upper=65, broken=79, digits=1),
            ),
        ),
    ),
)

FINAL_TEST = ProcedurePlan(
    "FVT3",
    AMPLIFIER,
    "The finished amplifier with its two modules, as the customer gets it.",
    "final_assembly.py",
    ("2.0.0", "2.1.0"),
    0.025,
    (
        PhasePlan(
            "identification",
            "Read the unit's identity over USB.",
            5,
            (
                Text("serial_readback", r"^AX\d{4}-\d+$", _read_back),
                Text("firmware_version", r"^\d+\.\d+\.\d+$", _firmware),
            ),
        ),
        PhasePlan(
            "output_level",
            "Compare the level at the terminals with the reference.",
            30,
            (
                Numeric(
                    "output_level", "dB", 0.0, 0.08, -0.3, 0.3, docstring="At 1 kHz into 8 Ω, against 2.83 V."
                ),
                Numeric("channel_balance", "dB", 0.0, 0.05, -0.25, 0.25, broken=-0.71),
                Numeric("mains_frequency", "Hz", 50.0, 0.012, digits=3),
            ),
        ),
        PhasePlan(
            "crosstalk",
            "One channel driven, the other terminated.",
            18,
            (Numeric("crosstalk", "dB", -82, 1.9, upper=-74, broken=-58, digits=1),),
        ),
        PhasePlan(
            "safety",
            "Insulation at 500 V and earth bond at 10 A, as IEC 62368-1 asks for.",
            22,
            (
                Numeric("insulation_resistance", "MΩ", 480, 45, lower=100, broken=3.2, digits=1),
                Numeric("earth_bond", "Ω", 0.042, 0.006, upper=0.1, broken=0.36),
            ),
        ),
        PhasePlan(
            "calibration",
            "Store the correction of both channels.",
            12,
            (Record("calibration", _calibration), Flag("calibration_stored")),
            needs_pass=True,
        ),
    ),
)

PLANS = (IN_CIRCUIT, MODULE_TEST, FINAL_TEST)
