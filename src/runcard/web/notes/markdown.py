"""Markdown of comments as HTML that is safe in a page.

The parser makes every element; HTML in a text stays text. There are no pictures, no headings and no tables, and links
lead to the web, to an e-mail address, or to a page of this server.
"""

import re
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from markupsafe import Markup

# The address as the parser has encoded it. Two slashes, or a slash and a backslash, would lead to another server.
_LINK = re.compile(r"(?:https?://|mailto:|/(?![/\\]))[^\x00-\x20\\]*", re.IGNORECASE)
_REL = "nofollow noopener noreferrer"


def markdown_html(text: str, mentions: Mapping[str, str]) -> Markup:
    """The HTML of a text. mentions: the present name of each member whom it mentions, by the handle in the text."""
    return Markup(_PARSER.render(text, {"mentions": mentions}))  # noqa: S704 (the parser escapes what is no element)


def _is_link(url: str) -> bool:
    return _LINK.fullmatch(url) is not None


def _mention(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 (the parser calls rules so)
    """Make a mention of a handle that stands here; false if none does."""
    if state.src[state.pos] != "@":
        return False
    handle = next((one for one in _longest_first(state.env) if state.src.startswith(one, state.pos)), None)
    if handle is None:
        return False
    if not silent:
        state.push("mention", "span", 0).content = state.env["mentions"][handle]
    state.pos += len(handle)
    return True


def _longest_first(env: MutableMapping[str, Any]) -> Sequence[str]:
    return sorted(env["mentions"], key=len, reverse=True)


def _show_mention(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: Any
) -> str:
    return f'<span class="mention">@{escapeHtml(tokens[at].content)}</span>'


def _open_link(
    renderer: RendererHTML, tokens: Sequence[Token], at: int, options: OptionsDict, env: Any
) -> str:
    token = tokens[at]
    token.attrSet("rel", _REL)
    # The parser asks about every address but the empty one. Without an address, it is no link.
    if not token.attrGet("href"):
        del token.attrs["href"]
    return renderer.renderToken(tokens, at, options, env)


def _show_fence(
    _renderer: RendererHTML, tokens: Sequence[Token], at: int, _options: OptionsDict, _env: Any
) -> str:
    """A block of code, without the language that it is said to be in."""
    return f"<pre><code>{escapeHtml(tokens[at].content)}</code></pre>\n"


def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True})
    parser.enable("strikethrough")
    parser.disable(["image", "heading", "lheading", "html_block", "html_inline"])
    parser.validateLink = _is_link  # type: ignore[method-assign]  # as its documentation says to
    parser.inline.ruler.before("link", "mention", _mention)
    parser.add_render_rule("mention", _show_mention)
    parser.add_render_rule("link_open", _open_link)
    parser.add_render_rule("fence", _show_fence)
    return parser


_PARSER = _parser()
