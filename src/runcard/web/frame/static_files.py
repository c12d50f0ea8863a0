"""The files that pages load: style sheets, scripts, one icon."""

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from runcard.web.frame.assets import FOLDER
from runcard.web.frame.render import SAFETY_HEADERS

_YEAR = "public, max-age=31536000, immutable"


class WebFiles(StaticFiles):
    def __init__(self) -> None:
        super().__init__(directory=FOLDER)

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        # An address with a digest never changes its content. Without one, browsers ask whether their copy is current.
        caching = _YEAR if scope["query_string"] else "no-cache"
        response.headers.update({**SAFETY_HEADERS, "Cache-Control": caching})
        return response
