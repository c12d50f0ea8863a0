"""Renders a template with its view model, as an answer that is safe in a browser."""

from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse, RedirectResponse, Response

from runcard.web.frame.assets import asset_url
from runcard.web.frame.visit import Visit

# Everything comes from this server (the style sheet of Tabler holds its small pictures itself). No script stands inside
# a page, and no other site may frame one.
_CONTENT_SECURITY_POLICY = (
    "default-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
SAFETY_HEADERS = {
    "Content-Security-Policy": _CONTENT_SECURITY_POLICY,
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
}
# Pages hold records and tokens, so no cache keeps a copy.
_PAGE_HEADERS = {**SAFETY_HEADERS, "Cache-Control": "no-store"}

# The longest word that is kept whole: a number with all its digits.
_LONGEST = 24

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    auto_reload=False,
)
_templates.globals["asset"] = asset_url


def _whole_words(text: str) -> Markup:
    """A text that breaks only between its words, so that 3.4e-07 stays in one piece; very long words may break."""
    words = (escape(word) for word in text.split(" "))
    return Markup(" ").join(
        Markup('<span class="whole">{}</span>').format(word)
        if "-" in word and len(word) <= _LONGEST
        else word
        for word in words
    )


_templates.filters["whole_words"] = _whole_words


def render(template: str, page: NamedTuple, visit: Visit | None = None, status: int = 200) -> HTMLResponse:
    """The page that a template makes of its view model. visit: None if nobody is logged in.

    A page of figures has a field `voided`: how many voided runs its figures leave out.
    """
    html = _templates.get_template(template).render(page=page, visit=visit)
    return HTMLResponse(html, status, headers=_PAGE_HEADERS)


def redirect(url: str) -> Response:
    """An answer that sends the browser on to another page, with a GET."""
    return RedirectResponse(url, 303, headers=_PAGE_HEADERS)
