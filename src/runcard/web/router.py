"""The pages."""

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute

from runcard.web.filters import refuse_unknown_parameters
from runcard.web.pages import (
    activity,
    api_call,
    batch,
    batches,
    change_procedure,
    file_import,
    imports,
    invitation,
    log_in,
    measurement,
    members,
    merge_procedure,
    organization,
    overview,
    part,
    parts,
    picture,
    procedure,
    procedure_exports,
    procedures,
    profile,
    quarantine,
    quarantined_file,
    revision,
    run,
    run_comparison,
    run_exports,
    run_series,
    runs,
    search,
    set_up,
    settings,
    station,
    station_changes,
    stations,
    table_mapping,
    unit,
    units,
    values,
)

router = APIRouter(include_in_schema=False, dependencies=[Depends(refuse_unknown_parameters)])
# The path of a revision goes on after that of its part, which would take it as its own, and so does quarantine after
# imports.
_PAGES = (
    log_in,
    set_up,
    overview,
    runs,
    run_exports,
    run,
    run_comparison,
    run_series,
    units,
    unit,
    parts,
    revision,
    part,
    batches,
    batch,
    picture,
    search,
    stations,
    station,
    station_changes,
    settings,
    organization,
    members,
    profile,
    invitation,
    procedures,
    procedure,
    procedure_exports,
    change_procedure,
    merge_procedure,
    measurement,
    activity,
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
        # HEAD is asked as GET is; the server leaves the body out. FastAPI does not add it by itself.
        if isinstance(route, APIRoute) and route.methods and "GET" in route.methods:
            route.methods.add("HEAD")
    router.include_router(page.router)
