"""Who and what is on the floor: people, stations, procedures, parts, revisions and batches."""

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
    """What one step of the line makes: its part, how its serial numbers and batches begin, and the revisions that
    followed each other, each with the share of the history after which it came (0..1)."""

    part_number: str
    serial_prefix: str
    batch_prefix: str
    revisions: Sequence[tuple[float, str]]

    def revision_at(self, elapsed_ratio: float) -> str:
        return [revision for since, revision in self.revisions if since <= elapsed_ratio][-1]


ORGANIZATION = "Northwind Audio"
ADMIN = Person("admin@northwind.example", "Alma Reyes", "admin")
OPERATORS = (
    Person("bo.lindqvist@northwind.example", "Bo Lindqvist", "operator"),
    Person("chidi.okafor@northwind.example", "Chidi Okafor", "operator"),
    Person("dana.weiss@northwind.example", "Dana Weiss", "operator"),
    Person("emre.aydin@northwind.example", "Emre Aydin", "operator"),
)
PEOPLE = (
    ADMIN,
    Person("freya.holm@northwind.example", "Freya Holm", "engineer"),
    Person("gus.tanaka@northwind.example", "Gus Tanaka", "viewer"),
    *OPERATORS,
)

STATIONS = ("Cell 1", "Cell 2")
# Its output clamp is worn, so it reads low.
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

    deviations: by how many standard deviations each of its measurements lies off; stays the same in retests.
    defect: name of the measurement that a real fault spoils; None where there is none.
    has_wrong_resistor: it is of the bad batch.
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
    """The batch that is in production at a moment: two a week."""
    year, week, weekday = moment.isocalendar()
    return f"{product.batch_prefix}{year % 100:02}{week:02}-{1 if weekday <= 3 else 2}"
