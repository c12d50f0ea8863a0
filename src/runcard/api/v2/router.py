"""The routes of the v2 API."""

from fastapi import APIRouter
from starlette.routing import Route

from runcard.api.v2.errors import ANSWERS
from runcard.api.v2.files import attachments, import_templates, imports
from runcard.api.v2.people import identity, users
from runcard.api.v2.procedures import deployments, procedures, versions
from runcard.api.v2.products import batches, parts, revisions
from runcard.api.v2.runs import logs, measurements, phases, runs
from runcard.api.v2.runs.bodies import RunCreateBody
from runcard.api.v2.stations import stations
from runcard.api.v2.units import children as unit_children
from runcard.api.v2.units import lists as unit_lists
from runcard.api.v2.units import units
from runcard.edge.answers.openapi import operation

__all__ = ["ANSWERS", "DESCRIPTIONS", "create_run", "router"]

create_run = runs.create_run

router = APIRouter()
router.routes.append(Route("/runs", create_run, methods=["POST"]))
# By tag. Revisions and the files of units come first: their paths also match those of parts and units, whose numbers
# may contain slashes.
_RESOURCES = {
    "runs": (runs,),
    "attachments": (attachments,),
    "units": (unit_children, unit_lists, units),
    "parts": (revisions, parts),
    "procedures": (procedures, versions),
    "batches": (batches,),
    "stations": (stations,),
    "users": (users, identity),
    "deployments": (deployments,),
    "phases, measurements, logs": (phases, measurements, logs),
    "imports": (imports, import_templates),
}
for tag, modules in _RESOURCES.items():
    for module in modules:
        router.include_router(module.router, tags=[f"v2 {tag}"])

# The OpenAPI descriptions of routes that FastAPI does not see, by path and method.
DESCRIPTIONS = {
    "/runs": {
        "post": {
            "tags": ["v2 runs"],
            **operation(runs.RunCreateResponse, RunCreateBody, name="run-create"),
        }
    }
}
