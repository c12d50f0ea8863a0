"""A floor that is hard on pages: many stations, procedures, batches and measurements, with long and foreign names."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from runcard.auth.passwords import hash_password
from runcard.cli.demo_line.fill import MadeFloor, record_history
from runcard.cli.demo_line.history import DemoRun
from runcard.cli.installation.opened import open_or_create
from runcard.domain.actor import StationActor, SystemActor, UserActor
from runcard.domain.notes.cause import MAX_DEPTH
from runcard.domain.notes.tag import TAG_COLOURS
from runcard.domain.runs.measurement import Measurement
from runcard.domain.runs.outcome import RunOutcome
from runcard.domain.runs.phase import Log, Phase
from runcard.domain.runs.report import RunReport
from runcard.ingest.note import comment_on, give_cause, tag
from runcard.opening import open_blobs
from runcard.settings import load_settings
from runcard.store.commit.transaction import SharedTransaction, Transaction
from runcard.store.creator import Creator
from runcard.store.lists.run_filter import RunFilter
from runcard.store.notes.causes import create_cause
from runcard.store.notes.tags import create_tag
from runcard.store.people.organizations import create_organization
from runcard.store.people.users import create_user
from runcard.store.procedures.rows import Procedure, create_procedure
from runcard.store.runs.records import list_latest_runs
from runcard.store.stations.rows import create_station
from tests.browser.windows import Account
from tests.world import PASSWORD

UNBROKEN = "feedback_resistance_of_the_second_channel_" * 3
SPACED = "The voltage of the output stage at the highest load that the data sheet allows " * 2
# Han, Arabic, Hebrew, combining marks, capitals that are wide.
FOREIGN = (
    "最终功能测试・第二条生产线",
    "اختبار الوظيفة النهائي للوحدة",
    "בדיקה סופית של היחידה",
    "Me\u0301thode d'e\u0301tuve No\u0308rdlingen",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
)
STATIONS, _PROCEDURES, _BATCHES, _MEASUREMENTS, _PHASES = 30, 14, 40, 200, 40
_RUNS = 700
_DAYS = 24
_OUTCOMES: tuple[RunOutcome, ...] = ("PASS",) * 12 + ("FAIL", "FAIL", "ERROR", "TIMEOUT", "ABORTED")


# A unit of which all phases were recorded, many of them failed.
LONG_RUN = "SN2648-00300"


class CrowdedFloor(NamedTuple):
    """admin: a member. procedure_id, station_id: those with the longest names."""

    data_dir: Path
    admin: Account
    procedure_id: UUID
    station_id: UUID

    @property
    def measurement_url(self) -> str:
        """The page of the measurement with the longest name."""
        query = urlencode({"name": f"{UNBROKEN} Measurement"})
        return f"/procedures/{self.procedure_id}/measurements?{query}"


def make_crowded_floor(data_dir: Path) -> CrowdedFloor:
    """Record it all in an installation of its own."""
    admin = Account(f"{'a' * 60}@{'long-name-of-a-company.' * 2}example", PASSWORD)
    with open_or_create(load_settings(data_dir=data_dir)) as installation:
        floor, procedures = installation.writer.write_shared(lambda tx: _build(tx, admin))
        history = _history(floor, procedures)
        record_history(
            installation.writer, open_blobs(installation.settings), floor, history, lambda count: None
        )
        with installation.database.read_in(floor.organization_id) as scope:
            noted = list_latest_runs(scope, RunFilter(outcomes=["FAIL"]), 3).rows
        station_id = next(iter(floor.stations.values())).station_id
        ids = [station_id, *(run.id for run in noted), *(run.unit.id for run in noted)]
        ids += [run.batch.id for run in noted if run.batch is not None]
        installation.writer.write(floor.engineer, lambda tx: _note(tx, floor.engineer, ids))
    return CrowdedFloor(data_dir, admin, procedures[0].id, next(iter(floor.stations.values())).station_id)


def _build(tx: SharedTransaction, admin: Account) -> tuple[MadeFloor, list[Procedure]]:
    home = create_organization(tx, f"Gesellschaft für Prüftechnik {FOREIGN[0]} mit beschränkter Haftung").id
    made = create_user(
        tx.of(SystemActor(home, "test")),
        admin.email,
        name=SPACED.strip(),
        role="admin",
        password_hash=hash_password(PASSWORD),
    )
    creator = Creator.of(UserActor(made.id, home, "admin"))
    procedures = [
        create_procedure(tx.of(SystemActor(home, "test")), name, creator)
        for name in _names("Procedure", _PROCEDURES)
    ]
    stations = {
        name: StationActor(
            create_station(tx.of(SystemActor(home, "test")), name, all_procedures=True).id, home
        )
        for name in _names("Station", STATIONS)
    }
    return MadeFloor(home, stations, UserActor(made.id, home, "admin")), procedures


def _note(tx: Transaction, author: UserActor, ids: Sequence[UUID]) -> None:
    """Note on these things what has the longest names, and a comment of the longest words."""
    creator = Creator.of(author)
    names = [f"{name} {UNBROKEN}"[:60] for name in (*FOREIGN, SPACED)]
    for name, colour in zip(names, cycle(TAG_COLOURS), strict=False):
        create_tag(tx, name, colour, creator)
    above = None
    for level in range(MAX_DEPTH):
        code = f"{level} {UNBROKEN}"[:60]
        create_cause(tx, code, f"{FOREIGN[level % 5]} {SPACED}"[:100].strip(), above, creator)
        above = code
    tag(tx, author, ids, add=names)
    give_cause(tx, author, ids, above)
    quoted = f"> {FOREIGN[1]}\n\n1. `{UNBROKEN}`\n\n```\n{UNBROKEN * 3}\n```"
    text = f"{UNBROKEN} **{SPACED.strip()}**\n\n{quoted}"
    for thing_id in dict.fromkeys(ids):
        for words in (text, *FOREIGN):
            comment_on(tx, author, thing_id, f"[{words}](/runs)" if words in FOREIGN else words)


def _names(noun: str, count: int) -> list[str]:
    """The ugliest first, all of them different."""
    ugly = [UNBROKEN, SPACED.strip(), *FOREIGN]
    return [*(f"{one} {noun}" for one in ugly), *(f"{noun} {at}" for at in range(1, count + 1))][:count]


def _history(floor: MadeFloor, procedures: list[Procedure]) -> Iterator[DemoRun]:
    rng = Random(13)
    batches, stations = _names("Batch", _BATCHES), cycle(floor.stations)
    # Days without runs lie between, as on weekends.
    days = [day for day in range(_DAYS) if day % 7 < 5]
    # Yesterday's, so that every station is silent at any hour.
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    for at, station in enumerate(islice(stations, _RUNS)):
        day = midnight - timedelta(days=days[at * len(days) // _RUNS])
        started_at = day - timedelta(minutes=at % 400 + 1)
        outcome = rng.choice(_OUTCOMES)
        # A third of the runs on the first procedure, so that all stations and batches stand side by side there.
        procedure = 0 if at % 3 == 0 else at % len(procedures)
        report = RunReport(
            procedure=procedures[procedure].identifier,
            serial_number=f"SN2648-{'0' * (at % 3 * 20)}{at:05}" if at % 9 else f"{FOREIGN[at % 5]}{at}",
            outcome=outcome,
            started_at=started_at,
            duration=timedelta(seconds=rng.uniform(1, 900)),
            part_number=_names("Part", 12)[at % 12],
            revision_number=f"{FOREIGN[at % 5]} {at % 4}",
            batch_number=batches[at // 3 % len(batches)],
            procedure_version=f"{UNBROKEN}{at % 3}",
            operator=SPACED.strip(),
            phases=tuple(_phases(rng, at, outcome, started_at)),
            logs=(Log("ERROR", started_at, UNBROKEN, f"{UNBROKEN[:80]}.py", 7),) if at % 50 == 0 else (),
            metadata={UNBROKEN[:40]: UNBROKEN, "a.b": SPACED},
        )
        yield DemoRun(station, report, ())


def _phases(rng: Random, at: int, outcome: RunOutcome, started_at: datetime) -> Iterator[Phase]:
    """Of every hundredth run all phases and measurements that there are; else a few."""
    names = _names("Measurement", _MEASUREMENTS if at % 100 == 0 else 8)
    phases = _names("Phase", _PHASES if at % 100 == 0 else 2)
    share = -(-len(names) // len(phases))
    for place, phase in enumerate(phases):
        here = names[place * share : (place + 1) * share]
        failing = outcome == "FAIL" or at % 100 == 0
        yield Phase(
            phase,
            "FAIL" if failing and place % 3 == 0 else "PASS",
            started_at,
            started_at + timedelta(seconds=1),
            tuple(
                _measurement(rng, name, is_failed=failing and place % 3 == 0 and order == 0)
                for order, name in enumerate(here)
            ),
            docstring=SPACED if place == 0 else None,
        )


def _measurement(rng: Random, name: str, *, is_failed: bool) -> Measurement:
    value = 3.3e-7 + rng.gauss(0, 1e-9) + (2e-8 if is_failed else 0)
    return Measurement(name, "FAIL" if is_failed else "PASS", value, "µA/√Hz", 3.2e-7, 3.4e-7)
