"""All operations through the official client: what each caller gets of them, and as which class each refusal comes."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2 import errors as e

from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.v2.floor import fetched, put
from tests.acceptance.v2.importing import run_ids
from tests.acceptance.v2.one_of_each import CONTENT, OneOfEach
from tests.acceptance.v2.reporting import STARTED_AT, report
from tests.acceptance.v2.test_rights import OPERATIONS
from tests.acceptance.v2.test_server_errors import READS
from tests.conftest import DatabaseKind
from tests.servers import Server

_CONTRACT = Path(__file__).parents[2] / "api" / "v2" / "contract.json"

# The class of a status where the contract lists it for an operation, and the code that stands in the body.
CLASSES: dict[int, tuple[type[e.TofuPilotError], str]] = {
    400: (e.ErrorBADREQUEST, "BAD_REQUEST"),
    401: (e.ErrorUNAUTHORIZED, "UNAUTHORIZED"),
    403: (e.ErrorFORBIDDEN, "FORBIDDEN"),
    404: (e.ErrorNOTFOUND, "NOT_FOUND"),
    409: (e.ErrorCONFLICT, "CONFLICT"),
    422: (e.ErrorUNPROCESSABLECONTENT, "UNPROCESSABLE_CONTENT"),
}


@pytest.fixture(scope="module")
def database_kind() -> DatabaseKind:
    """All that is asked of the store here, other tests ask of both kinds."""
    return "sqlite"


class Operation(NamedTuple):
    """typed: the statuses that the client has a class of its own for; the others become an APIError."""

    method: str
    path: re.Pattern[str]
    typed: frozenset[int]


def _contract() -> dict[str, Operation]:
    paths = json.loads(_CONTRACT.read_text("utf-8"))["paths"]
    return {
        one["operationId"]: Operation(
            method.upper(),
            re.compile("/api" + re.sub(r"\{\w+\}", "[^/]+", path)),
            frozenset(map(int, one["responses"])) - {200},
        )
        for path, operations in paths.items()
        for method, one in operations.items()
    }


CONTRACT = _contract()

# How to do each operation with a client (which must be asked for that first), and the other way to know what it has
# to answer.
CALLS: dict[str, Callable[[Any, OneOfEach], tuple[object, object]]] = {
    "run-create": lambda c, t: ([report(c, t.board, t.new)], run_ids(t.user, t.new)),
    "run-list": lambda c, t: (_ids(c.runs.list(ids=[t.run.id])), [t.run.id]),
    "run-get": lambda c, t: (c.runs.get(id=t.run.id).unit.serial_number, t.run.name),
    "run-update": lambda c, t: (c.runs.update(id=t.run.id, attachments=[t.upload]).id, t.run.id),
    "run-updateMetadata": lambda c, t: (c.runs.update_metadata(id=t.run.id, metadata={"a": 1}).id, t.run.id),
    "run-delete": lambda c, t: (c.runs.delete(ids=[t.run.id]).id, [t.run.id]),
    "run-createAttachment": lambda c, t: (
        [c.runs.create_attachment(id=t.run.id, name="a.txt").id],
        [one.id for one in t.user.runs.get(id=t.run.id).attachments or []],
    ),
    "attachment-initialize": lambda c, t: (
        put(c.attachments.initialize(name="a.txt").upload_url, CONTENT).status_code,
        200,
    ),
    "attachment-finalize": lambda c, t: (fetched(c.attachments.finalize(id=t.upload).url), CONTENT),
    "unit-create": lambda c, t: (
        c.units.create(serial_number=t.new, part_number=t.part.name, revision_number="A").id,
        t.user.units.get(serial_number=t.new).id,
    ),
    "unit-list": lambda c, t: (_ids(c.units.list(serial_numbers=[t.unit.name])), [t.unit.id]),
    "unit-get": lambda c, t: (c.units.get(serial_number=t.unit.name).id, t.unit.id),
    "unit-update": lambda c, t: (c.units.update(serial_number=t.unit.name, sample="golden").id, t.unit.id),
    "unit-delete": lambda c, t: (c.units.delete(serial_numbers=[t.unit.name]).id, [t.unit.id]),
    "unit-addChild": lambda c, t: (
        c.units.add_child(serial_number=t.unit.name, child_serial_number=t.spare.name).id,
        t.spare.id,
    ),
    "unit-removeChild": lambda c, t: (
        c.units.remove_child(serial_number=t.unit.name, child_serial_number=t.child.name).id,
        t.child.id,
    ),
    "unit-createAttachment": lambda c, t: (
        [c.units.create_attachment(serial_number=t.unit.name, name="a.txt").id],
        [one.id for one in t.user.units.get(serial_number=t.unit.name).attachments or []],
    ),
    "unit-deleteAttachment": lambda c, t: (
        c.units.delete_attachment(serial_number=t.unit.name, ids=[t.unit_file]).ids,
        [t.unit_file],
    ),
    "part-create": lambda c, t: (c.parts.create(number=t.new).id, t.user.parts.get(number=t.new).id),
    "part-list": lambda c, t: (_ids(c.parts.list(search_query=t.part.name)), [t.part.id]),
    "part-get": lambda c, t: (c.parts.get(number=t.part.name).id, t.part.id),
    "part-update": lambda c, t: (c.parts.update(number=t.part.name, name="New").id, t.part.id),
    "part-delete": lambda c, t: (c.parts.delete(number=t.part.name).id, t.part.id),
    "part-createRevision": lambda c, t: (
        c.parts.revisions.create(part_number=t.part.name, number="C").id,
        t.user.parts.revisions.get(part_number=t.part.name, revision_number="C").id,
    ),
    "part-getRevision": lambda c, t: (
        c.parts.revisions.get(part_number=t.part.name, revision_number=t.revision.name).id,
        t.revision.id,
    ),
    "part-updateRevision": lambda c, t: (
        c.parts.revisions.update(part_number=t.part.name, revision_number=t.revision.name, number="C").id,
        t.revision.id,
    ),
    "part-deleteRevision": lambda c, t: (
        c.parts.revisions.delete(part_number=t.part.name, revision_number=t.revision.name).id,
        t.revision.id,
    ),
    "procedure-create": lambda c, t: (
        [c.procedures.create(name=t.new).id],
        _ids(t.user.procedures.list(search_query=t.new)),
    ),
    "procedure-list": lambda c, t: (
        _ids(c.procedures.list(search_query=t.procedure.name)),
        [t.procedure.id],
    ),
    "procedure-get": lambda c, t: (c.procedures.get(id=t.procedure.id).name, t.procedure.name),
    "procedure-update": lambda c, t: (c.procedures.update(id=t.procedure.id, name="New").id, t.procedure.id),
    "procedure-delete": lambda c, t: (c.procedures.delete(id=t.procedure.id).id, t.procedure.id),
    "procedure-createVersion": lambda c, t: (
        c.procedures.versions.create(procedure_id=t.board, tag=t.new).id,
        t.user.procedures.versions.get(procedure_id=t.board, tag=t.new).id,
    ),
    "procedure-getVersion": lambda c, t: (
        c.procedures.versions.get(procedure_id=t.board, tag=t.version.name).id,
        t.version.id,
    ),
    "procedure-deleteVersion": lambda c, t: (
        c.procedures.versions.delete(procedure_id=t.board, tag=t.version.name).id,
        t.version.id,
    ),
    "batch-create": lambda c, t: (c.batches.create(number=t.new).id, t.user.batches.get(number=t.new).id),
    "batch-list": lambda c, t: (_ids(c.batches.list(numbers=[t.batch.name])), [t.batch.id]),
    "batch-get": lambda c, t: (c.batches.get(number=t.batch.name).id, t.batch.id),
    "batch-update": lambda c, t: (c.batches.update(number=t.batch.name, new_number=t.new).id, t.batch.id),
    "batch-delete": lambda c, t: (c.batches.delete(number=t.batch.name).id, [t.batch.id]),
    "station-create": lambda c, t: (
        [c.stations.create(name=t.new).id],
        _ids(t.user.stations.list(search_query=t.new)),
    ),
    "station-list": lambda c, t: (_ids(c.stations.list(search_query=t.bench.name)), [t.bench.id]),
    "station-getCurrent": lambda c, t: (c.stations.get_current().name, t.acme.ict.name),
    "station-get": lambda c, t: (c.stations.get(id=t.bench.id).name, t.bench.name),
    "station-update": lambda c, t: (c.stations.update(id=t.bench.id, name=t.new).name, t.new),
    "station-remove": lambda c, t: (c.stations.remove(id=t.bench.id).id, t.bench.id),
    "user-list": lambda c, t: (
        {one.email for one in c.users.list()},
        {one.email for one in (t.acme.admin, t.acme.engineer, t.acme.viewer, t.acme.suspended)},
    ),
    "user-getCurrent": lambda c, t: (c.users.get_current().id, c.identity.whoami().user.id),
    "identity-whoami": lambda c, t: (c.identity.whoami().organization.id, str(t.acme.id)),
    "phase-list": lambda c, t: (
        _ids(c.phases.list(procedure_id=t.board, serial_numbers=[t.run.name])),
        [t.phase.id],
    ),
    "phase-get": lambda c, t: (c.phases.get(id=t.phase.id).name, t.phase.name),
    "measurement-list": lambda c, t: (
        _ids(c.measurements.list(procedure_id=t.board, serial_numbers=[t.run.name])),
        [t.measurement.id],
    ),
    "measurement-get": lambda c, t: (c.measurements.get(id=t.measurement.id).name, t.measurement.name),
    "log-list": lambda c, t: (_ids(c.logs.list(run_ids=[t.run.id])), [t.log.id]),
    "log-get": lambda c, t: (c.logs.get(id=t.log.id).message, t.log.name),
    "import-structured": lambda c, t: (
        [one.id for one in c.imports.structured(items=_items(t.openhtf_upload)).results],
        run_ids(t.user, t.new),
    ),
    "import-tabular": lambda c, t: (
        [c.imports.tabular(upload_id=t.upload, procedure_id=t.board, mapping=_mapping(t.new)).id],
        run_ids(t.user, t.new),
    ),
    "deployment-list": lambda c, t: (
        _ids(c.deployments.list(search_query=t.deployment.name)),
        [t.deployment.id],
    ),
    "deployment-get": lambda c, t: (c.deployments.get(id=t.deployment.id).commit.message, t.deployment.name),
}

NOWHERE = "00000000-0000-4000-8000-000000000000"
UNKNOWN = "UNKNOWN-1"
# No number, tag or name may have as many.
LONG = "x" * 2000

# What an operation refuses beyond callers who may not do it.
REFUSED: dict[tuple[str, int], Callable[[OneOfEach], object]] = {
    ("run-create", 400): lambda t: report(t.user, t.board, " "),
    ("run-create", 403): lambda t: report(t.station, t.final, t.new),
    ("run-create", 404): lambda t: report(t.user, NOWHERE, t.new),
    ("run-create", 409): lambda t: [
        report(t.user, t.board, t.new, execution_id=t.new, slot_key="1") for _ in range(2)
    ],
    ("run-create", 422): lambda t: report(t.user, t.board, t.new, part_number=None),
    ("run-list", 400): lambda t: t.user.runs.list(limit=0),
    ("run-get", 404): lambda t: t.user.runs.get(id=NOWHERE),
    ("run-update", 400): lambda t: t.user.runs.update(id=t.run.id, attachments=["x"]),
    ("run-update", 404): lambda t: t.user.runs.update(id=NOWHERE, attachments=[]),
    ("run-update", 409): lambda t: t.user.runs.update(id=t.run.id, attachments=[t.unit_file]),
    ("run-updateMetadata", 400): lambda t: t.user.runs.update_metadata(id=t.run.id, metadata={"a b": 1}),
    ("run-updateMetadata", 404): lambda t: t.user.runs.update_metadata(id=NOWHERE, metadata={}),
    ("run-delete", 400): lambda t: t.user.runs.delete(ids=[]),
    ("run-delete", 404): lambda t: t.user.runs.delete(ids=[NOWHERE]),
    ("run-createAttachment", 400): lambda t: t.user.runs.create_attachment(id=t.run.id, name=""),
    ("run-createAttachment", 404): lambda t: t.user.runs.create_attachment(id=NOWHERE, name="a.txt"),
    ("attachment-initialize", 400): lambda t: t.user.attachments.initialize(name=""),
    ("attachment-finalize", 404): lambda t: t.user.attachments.finalize(id=NOWHERE),
    ("unit-create", 400): lambda t: t.user.units.create(
        serial_number=" ", part_number=t.part.name, revision_number="A"
    ),
    ("unit-create", 404): lambda t: t.user.units.create(
        serial_number=t.new, part_number=t.part.name, revision_number=UNKNOWN
    ),
    ("unit-create", 409): lambda t: t.user.units.create(
        serial_number=t.unit.name, part_number=t.part.name, revision_number="A"
    ),
    ("unit-list", 400): lambda t: t.user.units.list(limit=0),
    ("unit-get", 404): lambda t: t.user.units.get(serial_number=UNKNOWN),
    ("unit-update", 400): lambda t: t.user.units.update(serial_number=t.unit.name, new_serial_number=" "),
    ("unit-update", 404): lambda t: t.user.units.update(serial_number=UNKNOWN, sample="golden"),
    ("unit-update", 409): lambda t: t.user.units.update(
        serial_number=t.unit.name, new_serial_number=t.spare.name
    ),
    ("unit-delete", 400): lambda t: t.user.units.delete(serial_numbers=[]),
    ("unit-delete", 404): lambda t: t.user.units.delete(serial_numbers=[UNKNOWN]),
    ("unit-delete", 409): lambda t: t.user.units.delete(serial_numbers=[t.run.name]),
    ("unit-addChild", 400): lambda t: t.user.units.add_child(
        serial_number=t.unit.name, child_serial_number=t.unit.name
    ),
    ("unit-addChild", 404): lambda t: t.user.units.add_child(
        serial_number=t.unit.name, child_serial_number=UNKNOWN
    ),
    ("unit-removeChild", 400): lambda t: t.user.units.remove_child(
        serial_number=t.unit.name, child_serial_number=t.spare.name
    ),
    ("unit-removeChild", 404): lambda t: t.user.units.remove_child(
        serial_number=t.unit.name, child_serial_number=UNKNOWN
    ),
    ("unit-createAttachment", 400): lambda t: t.user.units.create_attachment(
        serial_number=t.unit.name, name=""
    ),
    ("unit-createAttachment", 404): lambda t: t.user.units.create_attachment(
        serial_number=UNKNOWN, name="a.txt"
    ),
    ("unit-deleteAttachment", 400): lambda t: t.user.units.delete_attachment(
        serial_number=t.unit.name, ids=[]
    ),
    ("unit-deleteAttachment", 404): lambda t: t.user.units.delete_attachment(
        serial_number=t.unit.name, ids=[t.upload]
    ),
    ("part-create", 400): lambda t: t.user.parts.create(number=" "),
    ("part-create", 409): lambda t: t.user.parts.create(number=t.part.name.lower()),
    ("part-list", 400): lambda t: t.user.parts.list(limit=0),
    ("part-get", 404): lambda t: t.user.parts.get(number=UNKNOWN),
    ("part-update", 400): lambda t: t.user.parts.update(number=t.part.name),
    ("part-update", 404): lambda t: t.user.parts.update(number=UNKNOWN, name="New"),
    ("part-update", 409): lambda t: t.user.parts.update(number=t.part.name, new_number=t.run.name),
    ("part-delete", 404): lambda t: t.user.parts.delete(number=UNKNOWN),
    ("part-delete", 409): lambda t: t.user.parts.delete(number=t.run.name),
    ("part-createRevision", 400): lambda t: t.user.parts.revisions.create(
        part_number=t.part.name, number=LONG
    ),
    ("part-createRevision", 404): lambda t: t.user.parts.revisions.create(part_number=UNKNOWN, number="A"),
    ("part-createRevision", 409): lambda t: t.user.parts.revisions.create(
        part_number=t.part.name, number="a"
    ),
    ("part-getRevision", 404): lambda t: t.user.parts.revisions.get(
        part_number=t.part.name, revision_number=UNKNOWN
    ),
    ("part-updateRevision", 400): lambda t: t.user.parts.revisions.update(
        part_number=t.part.name, revision_number="A", number=LONG
    ),
    ("part-updateRevision", 404): lambda t: t.user.parts.revisions.update(
        part_number=t.part.name, revision_number=UNKNOWN, number="C"
    ),
    ("part-updateRevision", 409): lambda t: t.user.parts.revisions.update(
        part_number=t.part.name, revision_number="A", number=t.revision.name
    ),
    ("part-deleteRevision", 404): lambda t: t.user.parts.revisions.delete(
        part_number=t.part.name, revision_number=UNKNOWN
    ),
    ("part-deleteRevision", 409): lambda t: t.user.parts.revisions.delete(
        part_number=t.part.name, revision_number="A"
    ),
    ("procedure-create", 400): lambda t: t.user.procedures.create(name=LONG),
    ("procedure-list", 400): lambda t: t.user.procedures.list(limit=0),
    ("procedure-get", 404): lambda t: t.user.procedures.get(id=NOWHERE),
    ("procedure-update", 400): lambda t: t.user.procedures.update(id=t.procedure.id, name=""),
    ("procedure-update", 404): lambda t: t.user.procedures.update(id=NOWHERE, name="New"),
    ("procedure-delete", 404): lambda t: t.user.procedures.delete(id=NOWHERE),
    ("procedure-createVersion", 400): lambda t: t.user.procedures.versions.create(procedure_id="x", tag="1"),
    ("procedure-createVersion", 403): lambda t: t.station.procedures.versions.create(
        procedure_id=NOWHERE, tag="1"
    ),
    ("procedure-createVersion", 404): lambda t: t.user.procedures.versions.create(
        procedure_id=NOWHERE, tag="1"
    ),
    ("procedure-createVersion", 409): lambda t: t.user.procedures.versions.create(
        procedure_id=t.board, tag=t.version.name.upper()
    ),
    ("procedure-getVersion", 404): lambda t: t.user.procedures.versions.get(
        procedure_id=t.board, tag=UNKNOWN
    ),
    ("procedure-deleteVersion", 404): lambda t: t.user.procedures.versions.delete(
        procedure_id=t.board, tag=UNKNOWN
    ),
    ("procedure-deleteVersion", 409): lambda t: t.user.procedures.versions.delete(
        procedure_id=t.board, tag=t.run.name
    ),
    ("batch-create", 400): lambda t: t.user.batches.create(number="a b"),
    ("batch-create", 409): lambda t: t.user.batches.create(number=t.batch.name.lower()),
    ("batch-list", 400): lambda t: t.user.batches.list(limit=0),
    ("batch-get", 404): lambda t: t.user.batches.get(number=UNKNOWN),
    ("batch-update", 400): lambda t: t.user.batches.update(number=t.batch.name, new_number=""),
    ("batch-update", 404): lambda t: t.user.batches.update(number=UNKNOWN, new_number=t.new),
    ("batch-update", 409): lambda t: t.user.batches.update(number=t.batch.name, new_number=t.run.name),
    ("batch-delete", 404): lambda t: t.user.batches.delete(number=UNKNOWN),
    ("station-create", 400): lambda t: t.user.stations.create(name=""),
    ("station-create", 404): lambda t: t.user.stations.create(name=t.new, procedure_id=NOWHERE),
    ("station-create", 409): lambda t: t.user.stations.create(name=t.bench.name),
    ("station-list", 400): lambda t: t.user.stations.list(limit=0),
    ("station-get", 404): lambda t: t.user.stations.get(id=NOWHERE),
    ("station-update", 400): lambda t: t.user.stations.update(id=t.bench.id, name=""),
    ("station-update", 404): lambda t: t.user.stations.update(id=NOWHERE, name=t.new),
    ("station-update", 409): lambda t: t.user.stations.update(id=t.bench.id, name=t.acme.ict.name),
    ("station-remove", 404): lambda t: t.user.stations.remove(id=NOWHERE),
    ("phase-list", 400): lambda t: t.user.phases.list(procedure_id="x"),
    ("phase-get", 404): lambda t: t.user.phases.get(id=NOWHERE),
    ("measurement-list", 400): lambda t: t.user.measurements.list(procedure_id="x"),
    ("measurement-get", 404): lambda t: t.user.measurements.get(id=NOWHERE),
    ("log-list", 400): lambda t: t.user.logs.list(limit=0),
    ("log-get", 404): lambda t: t.user.logs.get(id=NOWHERE),
    ("import-structured", 400): lambda t: t.user.imports.structured(items=[]),
    ("import-tabular", 400): lambda t: t.user.imports.tabular(upload_id=t.upload, procedure_id=t.board),
    ("import-tabular", 403): lambda t: t.station.imports.tabular(
        upload_id=t.upload, procedure_id=t.final, mapping=_mapping(t.new)
    ),
    ("import-tabular", 404): lambda t: t.user.imports.tabular(
        upload_id=NOWHERE, procedure_id=t.board, mapping=_mapping(t.new)
    ),
    ("deployment-list", 400): lambda t: t.user.deployments.list(limit=0),
    ("deployment-get", 404): lambda t: t.user.deployments.get(id=NOWHERE),
}

# Typed statuses that other files bring about, with servers that are set up for it.
ELSEWHERE: dict[tuple[str, int], str] = {
    ("phase-list", 408): "test_slow_lists.py",
    ("measurement-list", 408): "test_slow_lists.py",
    ("log-list", 408): "test_slow_lists.py",
    ("attachment-initialize", 502): "test_server_errors.py",
} | {(name, 500): "test_server_errors.py" for name in READS}

# Typed statuses that nobody can bring about from outside.
NEVER: dict[tuple[str, int], str] = {
    ("run-get", 400): "what is no id is no run's, so it is a 404",
    ("unit-get", 400): "any text may be looked for",
    ("batch-get", 400): "any text may be looked for",
    ("procedure-delete", 400): "what is no id is no procedure's, so it is a 404",
    ("station-remove", 400): "what is no id is no station's, so it is a 404",
    ("attachment-initialize", 404): "it names nothing that there could not be",
    ("user-getCurrent", 404): "the key of a user who is gone is refused with 401",
    ("identity-whoami", 404): "the key of a station or user that is gone is refused with 401",
    ("import-structured", 404): "an upload that is not there fails by itself, in the answer",
    ("deployment-list", 404): "a filter that finds nothing makes an empty list",
} | {
    (name, status): reason
    for status, reason in {
        408: "only lists of what lies inside of runs have a limit of time",
        500: "it opens no document, so only a defect of the server does",
    }.items()
    for name, one in CONTRACT.items()
    if status in one.typed and (name, status) not in ELSEWHERE
}


def _ids(listed: Any) -> list[str]:
    return [one.id for one in listed.data]


def _items(upload_id: str) -> list[dict[str, str]]:
    return [{"upload_id": upload_id, "importer": "OPENHTF"}]


def _mapping(serial_number: str) -> Any:
    """Makes a run of any table."""
    moment = {"value": STARTED_AT.isoformat()}
    fields = {
        "serial_number": {"value": serial_number},
        "part_number": {"value": "PCB-1"},
        "outcome": {"value": "PASS"},
        "started_at": moment,
        "ended_at": moment,
    }
    return {"fields": fields, "measurements": {"layout": "none"}}


@pytest.fixture(scope="module")
def callers(sdk: Sdk, server: Server) -> dict[str, TofuPilot]:
    acme = server.world.acme
    keys = {"nobody": "rc_unknown", "engineer": acme.engineer.api_key} | {
        "viewer": acme.viewer.api_key,
        "station": acme.ict.api_key,
    }
    return {who: sdk(key) for who, key in keys.items()}


@pytest.fixture
def things(server: Server, callers: Mapping[str, TofuPilot]) -> OneOfEach:
    return OneOfEach(server, callers["engineer"], callers["station"])


def test_the_tables_hold_every_operation_and_each_typed_status() -> None:
    assert set(CALLS) == set(CONTRACT)
    typed = {(name, status) for name, one in CONTRACT.items() for status in one.typed}
    brought_about = {(name, 401) for name in CALLS} | set(REFUSED) | set(ELSEWHERE)
    brought_about |= {
        (name, 403) for name in CALLS if {"engineer", "viewer", "station"} - OPERATIONS[name].who
    }
    assert typed - brought_about == set(NEVER)
    assert all(Path(__file__).with_name(name).is_file() for name in ELSEWHERE.values())


@pytest.mark.parametrize("who", ["nobody", "engineer", "viewer", "station"])
@pytest.mark.parametrize("name", CALLS)
def test_each_caller_gets_it_or_the_right_class(
    callers: Mapping[str, TofuPilot], things: OneOfEach, name: str, who: str
) -> None:
    if who in OPERATIONS[name].who:
        found, known = CALLS[name](callers[who], things)
        assert found == known
    else:
        status = 401 if who == "nobody" else 403
        _assert_refused(name, status, lambda: CALLS[name](callers[who], things))


@pytest.mark.parametrize(("name", "status"), REFUSED)
def test_each_refusal_is_of_the_right_class(things: OneOfEach, name: str, status: int) -> None:
    _assert_refused(name, status, lambda: REFUSED[name, status](things))


def _assert_refused(name: str, status: int, call: Callable[[], object]) -> None:
    operation, (typed, code) = CONTRACT[name], CLASSES[status]
    with pytest.raises(e.TofuPilotError) as raised:
        call()
    error = raised.value
    asked = error.raw_response.request
    assert (asked.method, bool(operation.path.fullmatch(asked.url.path))) == (operation.method, True), (
        asked.url
    )
    assert error.raw_response.status_code == status, str(error)
    assert type(error) is (typed if status in operation.typed else e.APIError), str(error)
    assert json.loads(error.body)["code"] == code
