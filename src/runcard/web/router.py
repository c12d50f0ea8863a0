"""The pages."""

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute

from runcard.web.bin import bin as bin_pages
from runcard.web.bin import bulk as bin_bulk
from runcard.web.bin import deleting
from runcard.web.calls import call as api_call
from runcard.web.calls import calls as activity
from runcard.web.calls import exports as activity_exports
from runcard.web.corrections import run as run_correction
from runcard.web.corrections import unit as unit_correction
from runcard.web.evidence import trail
from runcard.web.files import picture
from runcard.web.floor import overview, search
from runcard.web.intake import file_import, imports, quarantine, quarantined_file, table_mapping
from runcard.web.lists.filters import refuse_unknown_parameters
from runcard.web.measurements import exports as measurement_exports
from runcard.web.measurements import measurement, values
from runcard.web.notes import causes as note_causes
from runcard.web.notes import changes as note_changes
from runcard.web.notes import page as notes
from runcard.web.notes import tags as note_tags
from runcard.web.people import invitation, log_in, members, organization, profile, set_up, settings
from runcard.web.procedures import change as change_procedure
from runcard.web.procedures import exports as procedure_exports
from runcard.web.procedures import merge as merge_procedure
from runcard.web.procedures import procedure, procedures
from runcard.web.products import batch, batches, part, parts, revision
from runcard.web.products import change as change_part
from runcard.web.products import merge as merge_part
from runcard.web.runs import bulk as run_bulk
from runcard.web.runs import comparison as run_comparison
from runcard.web.runs import exports as run_exports
from runcard.web.runs import measurements as run_measurements
from runcard.web.runs import run, runs, voiding
from runcard.web.runs import series as run_series
from runcard.web.stations import bulk as station_bulk
from runcard.web.stations import changes as station_changes
from runcard.web.stations import station, stations
from runcard.web.units import bulk as unit_bulk
from runcard.web.units import merge as merge_unit
from runcard.web.units import split as split_unit
from runcard.web.units import unit, units

router = APIRouter(include_in_schema=False, dependencies=[Depends(refuse_unknown_parameters)])
# The order matters: the path of a part would also match the path of its revision, so the revision comes first. For the
# same reason quarantine comes before the page of an import.
_PAGES = (
    log_in,
    set_up,
    overview,
    runs,
    run_bulk,
    run_exports,
    run,
    run_comparison,
    run_measurements,
    run_series,
    voiding,
    run_correction,
    unit_correction,
    merge_unit,
    split_unit,
    units,
    unit_bulk,
    unit,
    parts,
    revision,
    part,
    batches,
    batch,
    picture,
    search,
    stations,
    station_bulk,
    station,
    station_changes,
    settings,
    organization,
    members,
    note_tags,
    note_causes,
    notes,
    note_changes,
    profile,
    invitation,
    procedures,
    procedure,
    procedure_exports,
    change_procedure,
    change_part,
    merge_part,
    merge_procedure,
    measurement,
    measurement_exports,
    trail,
    bin_pages,
    bin_bulk,
    deleting,
    activity,
    activity_exports,
    api_call,
    imports,
    quarantine,
    values,
    quarantined_file,
    table_mapping,
    file_import,
)
for page in _PAGES:
    for route in page.router.routes:
        # HEAD is answered like GET, and the server leaves the body out. FastAPI does not add it by itself.
        if isinstance(route, APIRoute) and route.methods and "GET" in route.methods:
            route.methods.add("HEAD")
    router.include_router(page.router)
