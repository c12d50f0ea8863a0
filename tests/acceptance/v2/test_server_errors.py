"""What is nobody's fault who asks: a damaged record, and an object store whose credentials are lost."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import update
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import APIError, ErrorBADGATEWAY, ErrorINTERNALSERVERERROR

from runcard.store.engine.tables import run_documents
from tests.acceptance.v2.conftest import Sdk
from tests.acceptance.v2.one_of_each import OneOfEach
from tests.conftest import Template
from tests.servers import Server
from tests.trails import changed_past_runcard

# With a role and a token file the store takes its credentials from the file, which is not there.
NO_CREDENTIALS = {
    "RUNCARD_ATTACHMENTS_URL": "s3://station-files/runcard",
    "AWS_REGION": "eu-central-1",
    "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/runcard",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/no/such/token",
}


@pytest.fixture(scope="module")
def server(module_data_dir: Path, peopled_database_url: str | None, peopled: Template) -> Iterator[Server]:
    """A server that may meet such errors: it is not asked afterwards whether it did."""
    assert peopled.world is not None
    running = Server(module_data_dir, peopled_database_url, peopled.world, NO_CREDENTIALS)
    running.start()
    yield running
    running.close()


@pytest.fixture(scope="module")
def things(server: Server, sdk: Sdk) -> OneOfEach:
    """A run whose inside cannot be read any more, and what was in there."""
    made = OneOfEach(server, sdk(server.world.acme.engineer.api_key), sdk(server.world.acme.ict.api_key))
    assert made.log.name == "power on"  # the run was read while it could be
    damaged = update(run_documents).where(run_documents.c.run_id == UUID(made.run.id))
    changed_past_runcard(UUID(made.run.id))
    server.change(lambda tx: tx.connection.execute(damaged.values(body=b"no document")))
    return made


READS: dict[str, Callable[[TofuPilot, OneOfEach], object]] = {
    "run-list": lambda c, t: c.runs.list(ids=[t.run.id], include_sequences=True),
    "run-get": lambda c, t: c.runs.get(id=t.run.id),
    "phase-list": lambda c, t: c.phases.list(procedure_id=t.board),
    "phase-get": lambda c, t: c.phases.get(id=t.phase.id),
    "measurement-list": lambda c, t: c.measurements.list(procedure_id=t.board),
    "measurement-get": lambda c, t: c.measurements.get(id=t.measurement.id),
    "log-list": lambda c, t: c.logs.list(run_ids=[t.run.id]),
    "log-get": lambda c, t: c.logs.get(id=t.log.id),
}


@pytest.mark.parametrize("name", READS)
def test_a_damaged_record_tells_nothing_of_itself(things: OneOfEach, name: str) -> None:
    for client in (things.user, things.station):
        with pytest.raises(ErrorINTERNALSERVERERROR) as raised:
            READS[name](client, things)
        assert (raised.value.data.code, raised.value.data.message) == (
            "INTERNAL_SERVER_ERROR",
            "Internal server error",
        )


def test_without_its_store_no_file_is_announced(
    things: OneOfEach, unchanged: Callable[[], AbstractContextManager[None]]
) -> None:
    assert things.run.id
    assert things.unit.name  # made before the block that must change nothing
    with unchanged():
        _announce_in_vain(things)


def _announce_in_vain(things: OneOfEach) -> None:
    for client in (things.user, things.station):
        with pytest.raises(ErrorBADGATEWAY, match="object store did not answer") as raised:
            client.attachments.initialize(name="a.txt")
        assert raised.value.data.code == "BAD_GATEWAY"
        untyped: list[Callable[[Any], object]] = [
            lambda c: c.runs.create_attachment(id=things.run.id, name="a.txt"),
            lambda c: c.units.create_attachment(serial_number=things.unit.name, name="a.txt"),
        ]
        for call in untyped:
            with pytest.raises(APIError, match="BAD_GATEWAY") as answer:
                call(client)
            assert answer.value.raw_response.status_code == 502
