"""The people, stations, procedures, parts, revisions and batches of the line."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from runcard.domain.actor import Role


class Person(NamedTuple):
    email: str
    name: str
    role: Role


class Product(NamedTuple):
    """What one step of the line makes. serial_prefix, batch_prefix: of its serial numbers and batches. revisions: each
    with the share of the history, from 0 to 1, after which it came.
    """

    part_number: str
    serial_prefix: str
    batch_prefix: str
    revisions: Sequence[tuple[float, str]]

    def revision_at(self, elapsed_ratio: float) -> str:
        return [revision for since, revision in self.revisions if since <= elapsed_ratio][-1]


ORGANIZATION = "Northwind Audio"
ADMIN = Person("admin@northwind.example", "Alma Reyes", "admin")
ENGINEER = Person("freya.holm@northwind.example", "Freya Holm", "engineer")
OPERATORS = (
    Person("bo.lindqvist@northwind.example", "Bo Lindqvist", "operator"),
    Person("chidi.okafor@northwind.example", "Chidi Okafor", "operator"),
    Person("dana.weiss@northwind.example", "Dana Weiss", "operator"),
    Person("emre.aydin@northwind.example", "Emre Aydin", "operator"),
)
PEOPLE = (
    ADMIN,
    ENGINEER,
    Person("gus.tanaka@northwind.example", "Gus Tanaka", "viewer"),
    *OPERATORS,
)

STATIONS = ("Cell 1", "Cell 2")
# The output clamp of this station is worn, so it measures too low.
BAD_STATION = "Cell 2"

# By identifier, in the order in which an organization numbers them.
PROCEDURES = {
    "FVT1": "PCB in-circuit test",
    "FVT2": "Module functional test",
    "FVT3": "Final assembly test",
}

BOARD = Product("PCB-1040", "AB", "L", ((0, "A"), (0.35, "B"), (0.75, "C")))
MODULE = Product("MOD-2040", "AM", "M", ((0, "A"), (0.5, "B")))
AMPLIFIER = Product("AMP-2200", "AX", "P", ((0, "A"), (0.6, "B")))


@dataclass
class DemoUnit:
    """A unit on its way through the line.

    deviations: how many standard deviations each of its measurements is off; the same in retests.
    defect: name of the measurement that a real fault spoils; None where the unit has no fault.
    has_wrong_resistor: the unit is from the bad batch.
    """

    product: Product
    serial_number: str
    revision: str
    batch: str
    sub_units: tuple[str, ...] = ()
    deviations: dict[str, float] = field(default_factory=dict)
    defect: str | None = None
    has_wrong_resistor: bool = False
    attempts: int = 0


def batch_of(product: Product, moment: datetime) -> str:
    """The batch that is in production at a moment; there are two a week."""
    year, week, weekday = moment.isocalendar()
    return f"{product.batch_prefix}{year % 100:02}{week:02}-{1 if weekday <= 3 else 2}"
