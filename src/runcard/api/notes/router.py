"""The routes of comments, tags and causes."""

from fastapi import APIRouter

from runcard.api.notes import causes, comments, tags, things

router = APIRouter()
for resource in (things, comments, tags, causes):
    router.include_router(resource.router)
