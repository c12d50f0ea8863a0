"""One of everything that the operations of v2 are about, each made through the official client once it is asked for."""

from functools import cached_property
from typing import Any, NamedTuple
from uuid import uuid4

from tofupilot.v2 import TofuPilot

from tests.acceptance.deploying import COMMIT, command_line, deploy
from tests.acceptance.files import openhtf_report
from tests.acceptance.v2.importing import uploaded
from tests.acceptance.v2.reporting import STARTED_AT, measurement, phase, report
from tests.servers import Server

CONTENT = b"a,b\n1,2\n"


class Thing(NamedTuple):
    """What one is called: its number, serial number, tag or name."""

    id: str
    name: str


class OneOfEach:
    """Things of Acme that no other test has seen, made by `user`. `new`: a name that nothing has yet."""

    def __init__(self, server: Server, user: TofuPilot, station: TofuPilot) -> None:
        self.server, self.acme, self.user, self.station = server, server.world.acme, user, station
        self.new = f"N{uuid4().hex[:10].upper()}"
        self.board, self.final = str(self.acme.board.id), str(self.acme.final.id)

    @cached_property
    def part(self) -> Thing:
        """With the revision A."""
        number = f"PART-{self.new}"
        return Thing(self.user.parts.create(number=number, revision_number="A").id, number)

    @cached_property
    def revision(self) -> Thing:
        """Another one of the part, which no unit is of."""
        return Thing(self.user.parts.revisions.create(part_number=self.part.name, number="B").id, "B")

    @cached_property
    def unit(self) -> Thing:
        return self._unit("UNIT")

    @cached_property
    def spare(self) -> Thing:
        return self._unit("SPARE")

    @cached_property
    def child(self) -> Thing:
        """Part of the unit."""
        child = self._unit("CHILD")
        self.user.units.add_child(serial_number=self.unit.name, child_serial_number=child.name)
        return child

    def _unit(self, prefix: str) -> Thing:
        serial = f"{prefix}-{self.new}"
        made = self.user.units.create(serial_number=serial, part_number=self.part.name, revision_number="A")
        return Thing(made.id, serial)

    @cached_property
    def unit_file(self) -> str:
        return self.user.units.create_attachment(serial_number=self.unit.name, name="a.txt").id

    @cached_property
    def batch(self) -> Thing:
        number = f"BATCH-{self.new}"
        return Thing(self.user.batches.create(number=number).id, number)

    @cached_property
    def procedure(self) -> Thing:
        """Without runs, and linked to no station."""
        name = f"Procedure {self.new}"
        return Thing(self.user.procedures.create(name=name).id, name)

    @cached_property
    def version(self) -> Thing:
        """Of the board, and of no run."""
        tag = f"v-{self.new}"
        return Thing(self.user.procedures.versions.create(procedure_id=self.board, tag=tag).id, tag)

    @cached_property
    def bench(self) -> Thing:
        """A station that has done nothing."""
        name = f"Bench {self.new}"
        return Thing(self.user.stations.create(name=name).id, name)

    @cached_property
    def upload(self) -> str:
        return uploaded(self.user, CONTENT, "a.csv")

    @cached_property
    def openhtf_upload(self) -> str:
        """A record of the board; its unit is called `new`."""
        return uploaded(self.user, openhtf_report(self.new, procedure_id="FVT1", part_number="PCB01"))

    @cached_property
    def deployment(self) -> Thing:
        """Of the board, brought to its stations. Called by the message of its commit."""
        message = f"Deployment {self.new}"
        with command_line(self.server, self.acme.engineer.api_key) as client:
            made = deploy(client, self.board, commit=COMMIT | {"message": message})
        return Thing(str(made["id"]), message)

    @cached_property
    def run(self) -> Thing:
        """Of the board. Its unit, part, batch and version have its name."""
        name = f"RUN-{self.new}"
        log = {
            "level": "INFO",
            "timestamp": STARTED_AT,
            "message": "power on",
            "source_file": "a.py",
            "line_number": 1,
        }
        return Thing(
            report(
                self.user,
                self.board,
                name,
                part_number=name,
                batch_number=name,
                procedure_version=name,
                phases=[phase("power", measurement("voltage", 3.3))],
                logs=[log],
            ),
            name,
        )

    @cached_property
    def phase(self) -> Thing:
        """Of the run, as are the next two."""
        return Thing(self._shown["phases"][0]["id"], "power")

    @cached_property
    def measurement(self) -> Thing:
        return Thing(self._shown["phases"][0]["measurements"][0]["id"], "voltage")

    @cached_property
    def log(self) -> Thing:
        return Thing(self._shown["logs"][0]["id"], "power on")

    @cached_property
    def _shown(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.user.runs.get(id=self.run.id).model_dump()
        return shown
