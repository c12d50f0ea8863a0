"""Put the history of the line into an empty installation, recorded the same way as every other run."""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from io import BytesIO
from itertools import islice
from typing import NamedTuple
from uuid import UUID

from runcard.auth.api_keys import NewKey
from runcard.cli.demo_line.brought_files import BroughtFile
from runcard.cli.demo_line.files import DemoFile
from runcard.cli.demo_line.floor import ORGANIZATION, PEOPLE, PROCEDURES, STATIONS
from runcard.cli.demo_line.history import DemoRun
from runcard.domain.actor import StationActor, SystemActor, UserActor
from runcard.ingest.attach_file import attach_file
from runcard.ingest.record_run import RunClient, prepare_run, record_run
from runcard.intake.arrived_files import Stores
from runcard.intake.choices import ImportChoice
from runcard.intake.report_files import ReportFiles
from runcard.store.commit.transaction import SharedTransaction, Transaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.files.attachments import AnnouncedFile, Attachment, create_attachment, mark_stored
from runcard.store.files.blobs import BlobMeta, Blobs
from runcard.store.people.api_keys import create_station_key, create_user_key
from runcard.store.people.organizations import create_organization
from runcard.store.people.users import create_user
from runcard.store.procedures.rows import create_procedure
from runcard.store.stations.rows import create_station, link_procedures
from runcard.store.units.classes import classify_unit

# How many runs are recorded at once, so that many share a commit.
_IN_FLIGHT = 256


class MadeFloor(NamedTuple):
    """The new organization, its stations by name, and the engineer who imports report files."""

    organization_id: UUID
    stations: Mapping[str, StationActor]
    engineer: UserActor


def build_floor(
    shared: SharedTransaction, password_hash: str, user_key: NewKey, station_keys: Mapping[str, NewKey]
) -> MadeFloor:
    """Create the organization with its people, procedures and stations. All people have the same password.

    The first person is an admin and gets `user_key`. station_keys: by the name of the station; a station that is not
    named gets no key.
    """
    organization = create_organization(shared, ORGANIZATION)
    tx = shared.of(SystemActor(organization.id, "runcard demo"))
    users = [
        create_user(
            tx,
            person.email,
            name=person.name,
            role=person.role,
            password_hash=password_hash,
        )
        for person in PEOPLE
    ]
    admin = users[0]
    create_user_key(tx, admin.id, user_key.secret)
    creator = Creator.of(UserActor(admin.id, organization.id, admin.role))
    procedures = [create_procedure(tx, name, creator) for name in PROCEDURES.values()]
    stations = {name: create_station(tx, name) for name in STATIONS}
    for station in stations.values():
        link_procedures(tx, station.id, [procedure.id for procedure in procedures])
        if station.name in station_keys:
            create_station_key(tx, station.id, station_keys[station.name].secret)
    return MadeFloor(
        organization.id,
        {name: StationActor(station.id, organization.id) for name, station in stations.items()},
        next(UserActor(user.id, organization.id, user.role) for user in users if user.role == "engineer"),
    )


def record_history(
    writer: Writer, blobs: Blobs, floor: MadeFloor, history: Iterable[DemoRun], tell: Callable[[int], None]
) -> None:
    """Record all runs in order and attach their files. tell: called with the number of runs of each finished group."""
    remaining = iter(history)
    while group := list(islice(remaining, _IN_FLIGHT)):
        recorded = [_submit(writer, floor, run) for run in group]
        for run, future in zip(group, recorded, strict=True):
            run_id = future.result()
            for file in run.files:
                _attach(writer, blobs, floor.stations[run.station], run_id, file)
        tell(len(group))


def classify_golden(writer: Writer, floor: MadeFloor, serial_number: str) -> None:
    """Make a unit and its runs a golden sample, which does not count in the figures of production."""

    def classify(tx: Transaction) -> None:
        unit = tx.catalog.get_unit(tx.organization_id, serial_number)
        classify_unit(tx, unit.id, "golden", with_runs=True)

    writer.write_catalog(floor.engineer, classify)


def bring_in_files(stores: Stores, floor: MadeFloor, files: Iterable[BroughtFile]) -> None:
    """Import report files as the engineer does on the import page. Unreadable files go to quarantine."""
    bringing = ReportFiles(stores, floor.engineer, RunClient("runcard demo"), ImportChoice())
    for file in files:
        bringing.bring_in(file.name, BytesIO(file.content))


def _submit(writer: Writer, floor: MadeFloor, run: DemoRun) -> "Future[UUID]":
    report, station = run.report, floor.stations[run.station]
    received_at = None if report.started_at is None else report.started_at + report.duration
    prepared = prepare_run(report, received_at=received_at, client="runcard demo")
    return writer.submit(
        lambda shared: record_run(shared.of(station), station, prepared),
        prepared.unit_keys(floor.organization_id),
    )


def _attach(writer: Writer, blobs: Blobs, station: StationActor, run_id: UUID, file: DemoFile) -> None:
    def announce(tx: Transaction) -> Attachment:
        return create_attachment(
            tx,
            AnnouncedFile(file.name, file.content_type, len(file.content)),
            Creator.of(station),
        )

    attachment = writer.write(station, announce)
    blobs.write(attachment.blob_key, BytesIO(file.content))
    meta = BlobMeta(len(file.content), file.content_type)

    def finish(tx: Transaction) -> None:
        mark_stored(tx, attachment, meta)
        attach_file(tx, station, attachment.id, run_id)

    writer.write(station, finish)
