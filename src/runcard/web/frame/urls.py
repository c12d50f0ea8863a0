"""The addresses of records, by the names that people use. A number is one step of the path, even with slashes in it."""

from urllib.parse import quote
from uuid import UUID

BIN = "/bin"


def unit_url(serial_number: str) -> str:
    return f"/units/{_step(serial_number)}"


def correct_unit_url(unit_id: UUID) -> str:
    """The address of the page that corrects a unit."""
    return f"/correct/{unit_id}"


def merge_unit_url(unit_id: UUID) -> str:
    """The address of the page that merges a unit into another."""
    return f"/merge-unit/{unit_id}"


def split_unit_url(unit_id: UUID) -> str:
    """The address of the page that splits a merged unit from the one that it was merged into."""
    return f"/split-unit/{unit_id}"


def part_url(number: str) -> str:
    return f"/parts/{_step(number)}"


def change_part_url(part_id: UUID) -> str:
    """The address of the forms that change a part. By its id: any other path below its page could be a number."""
    return f"/change/part/{part_id}"


def revision_url(part_number: str, number: str) -> str:
    return f"{part_url(part_number)}/revisions/{_step(number)}"


def batch_url(number: str) -> str:
    return f"/batches/{_step(number)}"


def run_url(run_id: UUID) -> str:
    return f"/runs/{run_id}"


def comparison_url(run_id: UUID) -> str:
    """The address of the page that compares a run with another one."""
    return f"{run_url(run_id)}/comparison"


def notes_url(thing_id: UUID) -> str:
    """The address of the page of comments, tags and cause of a thing, or of a comment."""
    return f"/notes/{thing_id}"


def procedure_url(procedure_id: UUID) -> str:
    return f"/procedures/{procedure_id}"


def station_url(station_id: UUID) -> str:
    return f"/stations/{station_id}"


def bin_url(thing_id: UUID) -> str:
    """The address of the page of a deleted thing."""
    return f"{BIN}/{thing_id}"


def thing_url(noun: str, thing_id: UUID, name: str) -> str:
    """The page of a thing. noun: as in `store.trail.things`. Empty if things of its kind have no page of their own."""
    match noun:
        case "run":
            return run_url(thing_id)
        case "unit":
            return unit_url(name)
        case "part":
            return part_url(name)
        case "batch":
            return batch_url(name)
        case "procedure":
            return procedure_url(thing_id)
        case "station":
            return station_url(thing_id)
    return ""


def _step(name: str) -> str:
    # Browsers resolve "." and ".." even if they are encoded. A blank behind them does not change the name.
    return quote(f"{name} " if name in (".", "..") else name, safe="")
