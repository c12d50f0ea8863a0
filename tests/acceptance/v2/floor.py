"""Parts and units as the tests make them through the official client, and what is known of a unit."""

from typing import Any, NamedTuple
from uuid import uuid4

import httpx
from sqlalchemy import select
from tofupilot.v2 import TofuPilot

from runcard.domain.text import lookup_key
from runcard.store.engine.database import Database
from runcard.store.engine.tables import unit_moves, units
from tests.servers import DEADLINE_S


class Part(NamedTuple):
    """A part with the revisions A and B."""

    number: str
    client: TofuPilot

    def unit(self, serial_number: str | None = None, **given: Any) -> str:
        """Serial number of a new unit of revision A."""
        serial_number = serial_number or f"SN-{uuid4().hex[:8].upper()}"
        values = {"part_number": self.number, "revision_number": "A"} | given
        self.client.units.create(serial_number=serial_number, **values)
        return serial_number


def make_part(client: TofuPilot) -> Part:
    number = f"PN-{uuid4().hex[:8].upper()}"
    client.parts.create(number=number, name="Main board", revision_number="A")
    client.parts.revisions.create(part_number=number, number="B")
    return Part(number, client)


def unit_of(client: TofuPilot, serial_number: str) -> dict[str, Any]:
    shown: dict[str, Any] = client.units.get(serial_number=serial_number).model_dump()
    return shown


def moves_of(record: Database, serial_number: str) -> list[tuple[str, bool, bool]]:
    """The traces of a unit's moves, oldest first: the kind, and whether it came from and went to some place."""
    m = unit_moves.c
    query = (
        select(m.kind, m.from_id, m.to_id)
        .join_from(unit_moves, units, units.c.id == m.unit_id)
        .where(units.c.serial_key == lookup_key(serial_number))
        .order_by(m.moved_at, m.id)
    )
    with record.read() as connection:
        return [
            (kind, from_id is not None, to_id is not None)
            for kind, from_id, to_id in connection.execute(query)
        ]


def put(url: str, content: bytes, content_type: str = "text/plain") -> httpx.Response:
    """Send bytes where an upload belongs, as clients do: without a key."""
    return httpx.put(url, content=content, headers={"Content-Type": content_type}, timeout=DEADLINE_S)


def fetched(url: str) -> bytes:
    """The bytes behind a link, got without a key."""
    answer = httpx.get(url, timeout=DEADLINE_S)
    assert answer.status_code == 200, answer.text
    return answer.content
