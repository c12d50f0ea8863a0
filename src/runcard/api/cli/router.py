"""The routes of the API for command lines."""

from fastapi import APIRouter

from runcard.api.cli import deployments, identity, pull

router = APIRouter()
for part in (identity, deployments, pull):
    router.include_router(part.router)
