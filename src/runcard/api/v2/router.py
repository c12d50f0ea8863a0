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
from runcard.edge.openapi import operation

__all__ = ["ANSWERS", "DESCRIPTIONS", "create_run", "router"]

create_run = runs.create_run

router = APIRouter()
router.routes.append(Route("/runs", create_run, methods=["POST"]))
# A path of a revision or of a unit's files is one of a part or unit too, whose number would hold slashes.
for part in (
    runs,
    attachments,
    unit_children,
    unit_lists,
    units,
    revisions,
    parts,
    procedures,
    versions,
    batches,
    stations,
    users,
    identity,
    deployments,
    phases,
    measurements,
    logs,
    imports,
    import_templates,
):
    router.include_router(part.router)

# What the OpenAPI document says of routes that FastAPI does not see, by path and method.
DESCRIPTIONS = {
    "/runs": {
        "post": {
            "summary": "Store one finished run",
            **operation(runs.RunCreateResponse, RunCreateBody, name="run-create"),
        }
    }
}
