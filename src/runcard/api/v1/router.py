"""The routes of the v1 API."""

from fastapi import APIRouter
from starlette.routing import Route

from runcard.api.v1.runs import CreateRun

router = APIRouter()
router.routes.append(Route("/runs", CreateRun(), methods=["POST"]))
