"""The page where people read and try the API in a browser. It loads nothing from another server."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path

import fastapi_offline
from fastapi import APIRouter, Response
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

_FILES = "/api/docs/files"
_INLINE_SCRIPT = re.compile(rb"<script>(.*?)</script>", re.DOTALL)

router = APIRouter(include_in_schema=False)


@router.get("/api/docs")
def show_docs() -> Response:
    """Swagger UI for the OpenAPI document of this server."""
    page = get_swagger_ui_html(
        openapi_url="/api/openapi.json",
        title="Runcard API",
        swagger_js_url=f"{_FILES}/swagger-ui-bundle.js",
        swagger_css_url=f"{_FILES}/swagger-ui.css",
        swagger_favicon_url=f"{_FILES}/favicon.png",
        swagger_ui_parameters={"docExpansion": "none", "filter": True, "tagsSorter": "alpha"},
    )
    page.headers["Content-Security-Policy"] = _policy_of(bytes(page.body))
    page.headers["X-Frame-Options"] = "DENY"
    page.headers["Referrer-Policy"] = "same-origin"
    return page


def _policy_of(page: bytes) -> str:
    """The security policy of the page: only files of this server may run, and the one script inside it, unchanged."""
    [script] = _INLINE_SCRIPT.findall(page)
    digest = b64encode(sha256(script).digest()).decode("ascii")
    # Swagger UI writes styles into its page, and pictures too.
    return (
        f"default-src 'self'; script-src 'self' 'sha256-{digest}'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )


# The package is used for its copy of Swagger UI's files. Its own entry point is an application of another class.
router.routes.append(Mount(_FILES, StaticFiles(directory=Path(fastapi_offline.__file__).with_name("static"))))
