"""Find the procedure on the server that a run names."""

from __future__ import annotations

from uuid import UUID

from runcard_client.api import Api
from runcard_client.errors import Refused
from runcard_client.records import each_row, text_of


def id_in(reference: str) -> str | None:
    """The reference as an id; None where it is an identifier or a name."""
    try:
        return str(UUID(reference))
    except ValueError:
        return None


def look_up(reference: str, api: Api) -> str:
    """The id of the procedure with this present or former identifier, or else with this name. Case does not count.

    An archived procedure is found by its name only where no other has this name. Raises Refused where there is no such
    procedure or several have the name, and Unavailable.
    """
    key = reference.strip().casefold()
    in_use: dict[str, str] = {}
    archived: dict[str, str] = {}
    for procedure in each_row(api, "/procedures", {}):
        found, identifier = text_of(procedure, "id"), text_of(procedure, "identifier")
        former = procedure.get("former_identifiers")
        identifiers = [identifier, *former] if isinstance(former, list) else [identifier]
        if key in (str(name).casefold() for name in identifiers):
            return found
        if text_of(procedure, "name").strip().casefold() == key:
            (archived if procedure.get("archived_at") else in_use)[identifier] = found
    named = in_use or archived
    if not named:
        raise Refused(f"procedure {reference} is not on this server; create it, then retry this run")
    if len(named) > 1:
        raise Refused(
            f"procedure {reference} is the name of several; give one of the identifiers {', '.join(sorted(named))}"
        )
    return next(iter(named.values()))
