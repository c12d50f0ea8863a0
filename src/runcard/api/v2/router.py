"""The routes of the v2 API."""

from fastapi import APIRouter
from starlette.routing import Route

from runcard.api.v2 import (
    attachments,
    batches,
    deployments,
    identity,
    import_templates,
    imports,
    logs,
    measurements,
    parts,
    phases,
    procedures,
    revisions,
    runs,
    stations,
    unit_children,
    unit_lists,
    units,
    users,
    versions,
)
from runcard.api.v2.errors import ANSWERS
from runcard.api.v2.run_bodies import RunCreateBody
from runcard.edge.answers.openapi import operation

__all__ = ["ANSWERS", "DESCRIPTIONS", "create_run", "router"]

create_run = runs.create_run

router = APIRouter()
router.routes.append(Route("/runs", create_run, methods=["POST"]))
# By tag. A path of a revision or of a unit's files is one of a part or unit too, whose number would hold slashes: so
# those come first.
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

# What the OpenAPI document says of routes that FastAPI does not see, by path and method.
DESCRIPTIONS = {
    "/runs": {
        "post": {
            "tags": ["v2 runs"],
            **operation(runs.RunCreateResponse, RunCreateBody, name="run-create"),
        }
    }
}
