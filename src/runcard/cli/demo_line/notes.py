"""What people of the line noted: tags, a tree of causes, and comments on failed runs and what they belong to."""

from collections.abc import Iterable
from itertools import cycle
from uuid import UUID

from runcard.cli.demo_line.fill import MadeFloor
from runcard.cli.demo_line.floor import ADMIN, BAD_STATION, BOARD, ENGINEER, OPERATORS, PEOPLE
from runcard.cli.demo_line.history import DemoRun
from runcard.domain.actor import UserActor
from runcard.domain.ids import RunPart, part_id
from runcard.domain.notes.tag import TagColour
from runcard.ingest.note import comment_on, give_cause, tag
from runcard.store.commit.transaction import Transaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine.scope import Scope
from runcard.store.lists.run_filter import RunFilter
from runcard.store.notes.causes import create_cause
from runcard.store.notes.tags import create_tag
from runcard.store.people.users import get_user
from runcard.store.products.batches import get_batch
from runcard.store.runs.records import RunRecord, list_latest_runs

_TAGS: tuple[tuple[str, TagColour], ...] = (
    ("Retest planned", "orange"),
    ("Sent to repair", "purple"),
    ("Customer return", "red"),
    ("First article", "green"),
    ("Watch closely", "yellow"),
)
# Each with the code of the cause above it; empty: it stands at the top.
_CAUSES = (
    ("P", "Product", ""),
    ("P-SOLDER", "Solder", "P"),
    ("P-SOLDER-COLD", "Cold joint", "P-SOLDER"),
    ("P-SOLDER-BRIDGE", "Bridge", "P-SOLDER"),
    ("P-WRONG", "Wrong part fitted", "P"),
    ("T", "Test", ""),
    ("T-CONTACT", "Bad contact of the fixture", "T"),
    ("T-LIMIT", "Limit too tight", "T"),
    ("H", "Handling", ""),
    ("H-ESD", "Electrostatic discharge", "H"),
)
# The cause, the tag and the comment of a failed run.
_ON_RUNS = (
    (
        "P-SOLDER-COLD",
        "Sent to repair",
        f"Cold joint, seen under the microscope. @{ENGINEER.name}: please rework and test again.",
    ),
    (
        "T-CONTACT",
        "Retest planned",
        "A pin of the fixture was bent. **Not a fault of the unit**:\n\n- pin straightened\n- retest on the other cell",
    ),
    (
        "T-LIMIT",
        "Watch closely",
        f"Just outside of the limit, as on four others this week. @{ADMIN.email}, should we look at it?",
    ),
    ("P-SOLDER-BRIDGE", "Sent to repair", "Bridge between pins 3 and 4. Photos are with the repair."),
)
_FAILED = 12


def note_on_line(writer: Writer, floor: MadeFloor, scope: Scope, history: Iterable[DemoRun]) -> None:
    """Make the tags and the causes, and note something on the last failed runs and what they belong to."""
    people = {person.email: _actor(scope, floor, person.email) for person in PEOPLE}
    admin, engineer = people[ADMIN.email], floor.engineer
    writer.write(admin, lambda tx: _make_tags_and_causes(tx, Creator.of(admin)))
    failed = list_latest_runs(scope, RunFilter(outcomes=["FAIL"]), _FAILED).rows
    operators = cycle([people[operator.email] for operator in OPERATORS])
    for run, said, operator in zip(failed, cycle(_ON_RUNS), operators, strict=False):
        _note_run(writer, run, said, operator)
    if failed:
        _answer(writer, engineer, failed[0])
        _note_around(writer, floor, engineer, failed[-1])
    _note_first_batch(writer, engineer, scope, history)


def _make_tags_and_causes(tx: Transaction, creator: Creator) -> None:
    for name, colour in _TAGS:
        create_tag(tx, name, colour, creator)
    for code, name, parent in _CAUSES:
        create_cause(tx, code, name, parent or None, creator)


def _note_run(writer: Writer, run: RunRecord, said: tuple[str, str, str], author: UserActor) -> None:
    cause, tag_name, text = said

    def apply(tx: Transaction) -> None:
        _note(tx, author, run.id, text, tag_name)
        give_cause(tx, author, [run.id], cause)

    writer.write(author, apply)


def _answer(writer: Writer, engineer: UserActor, run: RunRecord) -> None:
    text = f"Thanks. I reworked it and [looked at the other failures](/runs?outcome=FAIL&part={run.part.number})."
    phase_id = part_id(run.id, RunPart.PHASE, 0)

    def apply(tx: Transaction) -> None:
        comment_on(tx, engineer, run.id, text)
        comment_on(tx, engineer, phase_id, "The probe settles late here; see the plot.")

    writer.write(engineer, apply)


def _note_around(writer: Writer, floor: MadeFloor, engineer: UserActor, run: RunRecord) -> None:
    """Note something on the unit of a run, and on the station that reads low."""
    station_id = floor.stations[BAD_STATION].station_id

    def apply(tx: Transaction) -> None:
        _note(
            tx,
            engineer,
            run.unit.id,
            "Back from the customer: no sound on the left channel.",
            "Customer return",
        )
        _note(tx, engineer, station_id, "The output clamp is worn. A new one is ordered.", "Watch closely")

    writer.write(engineer, apply)


def _note_first_batch(writer: Writer, engineer: UserActor, scope: Scope, history: Iterable[DemoRun]) -> None:
    boards = (run.report for run in history if run.report.part_number == BOARD.part_number)
    number = min((report.batch_number for report in boards if report.batch_number), default=None)
    if number is None:
        return
    batch_id = get_batch(scope, number).id
    text = "First batch after the change of the stencil. *Look at the joints of U3.*"
    writer.write(engineer, lambda tx: _note(tx, engineer, batch_id, text, "First article"))


def _note(tx: Transaction, author: UserActor, thing_id: UUID, text: str, tag_name: str) -> None:
    comment_on(tx, author, thing_id, text)
    tag(tx, author, [thing_id], add=[tag_name])


def _actor(scope: Scope, floor: MadeFloor, email: str) -> UserActor:
    user = get_user(scope, email)
    return UserActor(user.id, floor.organization_id, user.role)
