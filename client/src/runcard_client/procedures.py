"""Which procedure of the server a run names."""

from __future__ import annotations

from uuid import UUID

from runcard_client.api import Api
from runcard_client.errors import Refused
from runcard_client.records import each_row, text_of


def id_in(reference: str) -> str | None:
    """The id that a reference is; None for an identifier or a name."""
    try:
        return str(UUID(reference))
    except ValueError:
        return None


def look_up(reference: str, api: Api) -> str:
    """Id of the procedure with this identifier, now or before, or else with this name, in any case.

    Of those with the name, the archived ones count where no other has it. Raises Refused, Unavailable.
    """
    wanted = reference.strip().casefold()
    in_use: dict[str, str] = {}
    archived: dict[str, str] = {}
    for procedure in each_row(api, "/procedures", {}):
        found, identifier = text_of(procedure, "id"), text_of(procedure, "identifier")
        former = procedure.get("former_identifiers")
        leading_here = [identifier, *former] if isinstance(former, list) else [identifier]
        if wanted in (str(one).casefold() for one in leading_here):
            return found
        if text_of(procedure, "name").strip().casefold() == wanted:
            (archived if procedure.get("archived_at") else in_use)[identifier] = found
    named = in_use or archived
    if not named:
        raise Refused(f"procedure {reference} is none of this server's; create it, then retry this run")
    if len(named) > 1:
        identifiers = ", ".join(sorted(named))
        raise Refused(
            f"procedure {reference} is the name of several; give one of the identifiers {identifiers}"
        )
    return next(iter(named.values()))
