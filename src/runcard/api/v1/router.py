"""The routes of the v1 API."""

from fastapi import APIRouter
from starlette.routing import Route

from runcard.api.v1 import bodies as b
from runcard.api.v1 import live, runs, units, uploads
from runcard.edge.answers.openapi import operation

create_run = runs.CreateRun()

router = APIRouter()
router.routes.append(Route("/runs", create_run, methods=["POST"]))
for part in (runs, uploads, units, live):
    router.include_router(part.router)

# The OpenAPI descriptions of routes that FastAPI does not see, by path and method.
DESCRIPTIONS = {
    "/runs": {"post": {"summary": "Create Run", "tags": ["v1"], **operation(b.IdBody, b.CreateRunBody)}}
}
