"""The other records of a large test floor beside its runs, so that every list has a 100th page."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from runcard.domain.actor import StationActor, SystemActor
from runcard.domain.ids import new_id
from runcard.domain.text import lookup_key
from runcard.store.commit.lookups import UnitRow
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.engine.tables import procedures, station_procedures
from runcard.store.intake.templates import create_template
from runcard.store.lists.refs import Named
from runcard.store.people.users import create_user
from runcard.store.products.staged import stage_batch, stage_part
from runcard.store.stations.deployments import Commit, NewDeployment, Repository, create_deployment
from runcard.store.stations.rows import create_station
from runcard.store.units.rows import stage_unit

# All users are on one page.
USERS = 300

_PROCEDURES_OF_A_STATION = 3
_STATIONS_OF_A_DEPLOYMENT = 2
# One unit in this many has the others as its sub-units.
_ASSEMBLED = 4
_BRANCHES = ("main", "release", "new-fixture", "limits")


class _Place(NamedTuple):
    part: UUID
    revision: UUID
    batch: UUID


class Floor:
    """Adds records in the name of a station. Later ones refer to earlier ones."""

    def __init__(self, writer: Writer, actor: StationActor, many: int) -> None:
        """many: of parts, batches, procedures, stations, deployments and import templates each."""
        self._writer = writer
        self._many = many
        self._organization_id = actor.organization_id
        self._creator = Creator.of(actor)

    def furnish(self, units: int) -> None:
        """Add `many` of each kind, USERS users, and this many units that never ran."""
        places = self._writer.write_shared(self._add_places)
        self._writer.write_shared(self._add_users)
        self._writer.write_shared(self._add_templates)
        procedure_ids = self._writer.write_shared(self._add_procedures)
        stations = self._writer.write_shared(lambda tx: self._add_stations(tx, procedure_ids))
        self._writer.write_shared(lambda tx: self._add_deployments(tx, procedure_ids, stations))
        for first in range(0, units, self._many):
            self._add_units(places, range(first, min(first + self._many, units)))

    def _add_places(self, tx: SharedTransaction) -> list[_Place]:
        places = []
        for number in range(self._many):
            name = f"Assembly {number}"
            part_id = stage_part(
                tx.of(SystemActor(self._organization_id, "test")),
                f"ASM-{number:05}",
                self._creator,
                name=name,
            )
            revision_id = tx.catalog.default_revision(part_id)
            assert revision_id is not None
            batch_id = stage_batch(
                tx.of(SystemActor(self._organization_id, "test")), f"LOT-{number:05}", self._creator
            )
            places.append(_Place(part_id, revision_id, batch_id))
        return places

    def _add_users(self, tx: SharedTransaction) -> None:
        for number in range(USERS):
            email, name = f"user.{number}@example.com", f"User {number}"
            create_user(
                tx.of(SystemActor(self._organization_id, "test")),
                email,
                name=name,
                role="operator",
                password_hash=None,
            )

    def _add_templates(self, tx: SharedTransaction) -> None:
        for number in range(self._many):
            create_template(
                tx.of(SystemActor(self._organization_id, "test")), f"Template {number}", "{}", self._creator
            )

    def _add_procedures(self, tx: SharedTransaction) -> list[UUID]:
        """As `create_procedure`, but without its look at all identifiers to find the next one."""
        ids = [new_id() for _ in range(self._many)]
        for number, procedure_id in enumerate(ids):
            row = {
                "id": procedure_id,
                "organization_id": self._organization_id,
                "identifier": f"BENCH{number}",
                "identifier_key": lookup_key(f"BENCH{number}"),
                "name": f"Procedure {number}",
                "auto_push_enabled": False,
                "created_at": tx.now,
                **self._creator.columns,
            }
            tx.stage(procedures, row)
            tx.note_change(self._organization_id, "procedure_created", procedure_id)
        return ids

    def _add_stations(self, tx: SharedTransaction, procedure_ids: Sequence[UUID]) -> list[Named]:
        stations = []
        for number in range(self._many):
            station = create_station(tx.of(SystemActor(self._organization_id, "test")), f"Station {number}")
            stations.append(Named(station.id, station.name))
            for at in range(_PROCEDURES_OF_A_STATION):
                procedure_id = procedure_ids[(number + at) % self._many]
                row = {
                    "station_id": station.id,
                    "procedure_id": procedure_id,
                    "organization_id": self._organization_id,
                }
                tx.stage(station_procedures, row)
        return stations

    def _add_deployments(
        self, tx: SharedTransaction, procedure_ids: Sequence[UUID], stations: Sequence[Named]
    ) -> None:
        for number, procedure_id in enumerate(procedure_ids):
            branch = _BRANCHES[number % len(_BRANCHES)]
            new = NewDeployment(
                procedure_id=procedure_id,
                environment="production" if branch == "main" else "preview",
                artifact_id=new_id(),
                artifact_sha256=f"{number:064x}",
                deployment_mode="sync",
                platform="linux-x86_64",
                language="python",
                runtime_version="3.13",
                commit=Commit(f"{number:040x}", f"Change {number}", "ada", None, tx.now, branch),
                repository=Repository(f"acme/board-{number % 50}", "github"),
            )
            reached = [stations[(number + at) % self._many] for at in range(_STATIONS_OF_A_DEPLOYMENT)]
            create_deployment(
                tx.of(SystemActor(self._organization_id, "test")),
                new,
                reached,
                ["Checked", "Pushed"],
                self._creator,
            )

    def _add_units(self, places: Sequence[_Place], numbers: range) -> None:
        def add(tx: SharedTransaction) -> None:
            parent_id: UUID | None = None
            for number in numbers:
                is_whole = number % _ASSEMBLED == 0
                unit_id = new_id()
                place = places[number % len(places)]
                unit = UnitRow(unit_id, f"A{number:09}", *place, None if is_whole else parent_id)
                stage_unit(tx.of(SystemActor(self._organization_id, "test")), unit, self._creator, None)
                parent_id = unit_id if is_whole else parent_id

        self._writer.write_shared(add)
