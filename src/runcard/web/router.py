"""The pages."""

from fastapi import APIRouter
from fastapi.routing import APIRoute

from runcard.web.pages import activity, api_call, log_in, overview, run, runs, set_up

router = APIRouter(include_in_schema=False)
for part in (log_in, set_up, overview, runs, run, activity, api_call):
    for route in part.router.routes:
        # HEAD is asked as GET is; the server leaves the body out. FastAPI does not add it by itself.
        if isinstance(route, APIRoute) and route.methods and "GET" in route.methods:
            route.methods.add("HEAD")
    router.include_router(part.router)
