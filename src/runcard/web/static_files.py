"""The files that pages are made with: one style sheet, one icon."""

from pathlib import Path

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from runcard.web.render import SAFETY_HEADERS


class WebFiles(StaticFiles):
    def __init__(self) -> None:
        super().__init__(directory=Path(__file__).parent / "static")

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        # Browsers ask each time whether theirs is still the one (ETag), so an upgrade shows at once.
        response.headers.update({**SAFETY_HEADERS, "Cache-Control": "no-cache"})
        return response
