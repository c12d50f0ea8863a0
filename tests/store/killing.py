"""A process that does one deed in the database after the other, and is killed in the middle of one."""

import random
import subprocess
import sys
from contextlib import suppress
from typing import Protocol
from uuid import UUID

from runcard.domain.ids import new_id
from runcard.store.engine.database import Database

LONGEST_DEED_S = 0.2


class Home(Protocol):
    """An organization in a database."""

    database: Database
    home: UUID


def kill_in_the_middle(floor: Home, chance: random.Random, deeds: str, *arguments: str) -> None:
    """Let a process do some deeds, and kill it in the middle of one.

    deeds: its program, which is given the address of the database, the path of its file, the ids of the organization
    and of a user, and the arguments. It writes a line before each deed, and "done" if it comes to an end.
    """
    url = floor.database.url
    where = (
        [url.render_as_string(hide_password=False), ""]
        if floor.database.is_postgresql
        else ["", str(url.database)]
    )
    given = [*where, str(floor.home), str(new_id()), *arguments]
    process = subprocess.Popen([sys.executable, "-c", deeds, *given], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout is not None
        for _ in range(chance.randint(1, 5)):
            if process.stdout.readline() == "done\n":
                break
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=chance.uniform(0, LONGEST_DEED_S))
        process.kill()
