"""The API to read and to try out, in a browser, with nothing fetched from elsewhere."""

from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, Response
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

_FILES = "/api/docs/files"

router = APIRouter(include_in_schema=False)


@router.get("/api/docs")
def show_docs() -> Response:
    """Swagger UI over the served document."""
    return get_swagger_ui_html(
        openapi_url="/api/openapi.json",
        title="Runcard API",
        swagger_js_url=f"{_FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{_FILES}/swagger-ui.css",
        swagger_favicon_url=f"{_FILES}/favicon.png",
        swagger_ui_parameters={"docExpansion": "none", "filter": True, "tagsSorter": "alpha"},
    )


# The package serves as a keeper of Swagger UI's files: its own way in is an application of another class.
router.routes.append(Mount(_FILES, StaticFiles(directory=Path(fastapi_offline.__file__).with_name("static"))))
