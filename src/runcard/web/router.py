"""The pages."""

from fastapi import APIRouter

from runcard.web.pages import log_in, run, runs, set_up

router = APIRouter(include_in_schema=False)
for part in (log_in, set_up, runs, run):
    router.include_router(part.router)
