"""Lists that take longer than the server gives them: here it gives them no time at all."""

from uuid import uuid4

import pytest
from tofupilot.v2 import TofuPilot
from tofupilot.v2.errors import ErrorTIMEOUT

from tests.acceptance.v2.inside import Line, make_line
from tests.servers import Server


@pytest.fixture(scope="module")
def server(own_server: Server) -> Server:
    """It has settings of its own."""
    return own_server


@pytest.fixture(scope="module")
def server_settings() -> dict[str, str]:
    return {"RUNCARD_LIST_TIMEOUT_S": "0", "RUNCARD_COLUMNAR_COPY": "false"}


@pytest.fixture(scope="module")
def line(server: Server, user: TofuPilot, station: TofuPilot) -> Line:
    return make_line(server, user, station)


def test_they_are_refused_with_a_mend(user: TofuPilot, station: TofuPilot, line: Line) -> None:
    for client in (user, station):
        with pytest.raises(ErrorTIMEOUT, match="Narrow its filters"):
            client.phases.list(procedure_id=line.procedure_id)
        with pytest.raises(ErrorTIMEOUT):
            client.measurements.list(procedure_id=line.procedure_id)
        with pytest.raises(ErrorTIMEOUT):
            client.logs.list()


def test_what_needs_no_reading_is_answered(user: TofuPilot, line: Line) -> None:
    assert user.phases.list(procedure_id=str(uuid4())).data == []
    assert user.logs.list(run_ids=[str(uuid4())]).data == []
    assert [run.id for run in user.runs.list(ids=[line.a]).data] == [line.a]
