"""Markdown of comments: what people need is there, and nothing comes out that a page must not have."""

from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from runcard.web.notes.markdown import markdown_html

ALLOWED = {
    "p": set(), "br": set(), "em": set(), "strong": set(), "s": set(), "code": set(), "pre": set(), "hr": set(),
    "ul": set(), "li": set(), "blockquote": set(), "ol": {"start"}, "a": {"href", "title", "rel"}, "span": {"class"},
}  # fmt: skip
SCHEMES = ("http://", "https://", "mailto:", "/")
MENTIONS = {"@ada@acme.example": "Ada <b>Lovelace</b>", "@Ada": 'Ada" onclick="x'}


class Seen(HTMLParser):
    """Notes every element that a browser would make."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.wrong: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name not in ALLOWED.get(tag, set()):
                self.wrong.append(f"{tag} {name}={value}")
        if tag not in ALLOWED:
            self.wrong.append(tag)
        if tag == "a":
            href = dict(attrs).get("href")
            if href is None:  # no link, then
                return
            self.links.append(href)
            if not href.lower().startswith(SCHEMES) or href.startswith(("//", "/\\")):
                self.wrong.append(href)
            if dict(attrs).get("rel") != "nofollow noopener noreferrer":
                self.wrong.append("rel")

    def handle_decl(self, decl: str) -> None:
        self.wrong.append(decl)

    def handle_comment(self, data: str) -> None:
        self.wrong.append(data)

    def handle_pi(self, data: str) -> None:
        self.wrong.append(data)


def seen(text: str) -> Seen:
    parser = Seen()
    parser.feed(str(markdown_html(text, MENTIONS)))
    parser.close()
    return parser


PIECES = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "<!--", "-->", "<![CDATA[", "<?php", "<svg/onload=x>",
    "[a](", "](", ")", "[", "]", "(", "!", "![a](", "javascript:", "JaVaScRiPt:", "data:text/html,", "vbscript:",
    "//evil.example", "/\\evil.example", "\\", "/runs", "https://a.example", "mailto:a@b.example", "http:", "<", ">",
    "<https://a.example>", "<javascript:x>", '"', "'", "`", "```", "~~~", "*", "_", "~~", "#", "\n", "\n\n", "    ",
    "\t", "- ", "1. ", "> ", "&lt;", "&#106;", "&colon;", "%0a", "\0", "\u202e", "@ada@acme.example", "@Ada", "@",
    "[a]: javascript:x\n", "[a]", "|a|b|\n|-|-|\n", "ünï", "😀",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=25).map("".join))
@example("[a](javascript&colon;alert(1))")
@example("[a](//evil.example)\n[b](/\\evil.example)\n[c](\\\\evil.example)")
@example("<javascript:alert(1)>")
@example("[a]()")
@example('[a](https://a.example "x\\" onclick=\\"y")')
@example("```js onload=x\nx\n```")
@example("![a](https://a.example/x.png)")
def test_no_other_element_attribute_or_address_comes_out_of_any_text(text: str) -> None:
    assert seen(text).wrong == []


QUOTED = '<span class="mention">@Ada&quot; onclick=&quot;x</span>'


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("**a** *b* `c` ~~d~~", "<p><strong>a</strong> <em>b</em> <code>c</code> <s>d</s></p>"),
        ("one\ntwo", "<p>one<br />\ntwo</p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("# no heading", "<p># no heading</p>"),
        ("<b>x</b>", "<p>&lt;b&gt;x&lt;/b&gt;</p>"),
        ("```py\nx < 1\n```", "<pre><code>x &lt; 1\n</code></pre>"),
        (
            "[runs](/runs?outcome=FAIL)",
            '<p><a href="/runs?outcome=FAIL" rel="nofollow noopener noreferrer">runs</a></p>',
        ),
        ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>"),
        (
            "see @ada@acme.example, @Ada",
            '<p>see <span class="mention">@Ada &lt;b&gt;Lovelace&lt;/b&gt;</span>, ' + QUOTED + "</p>",
        ),
        ("@Bob and x@Ada", "<p>@Bob and x" + QUOTED + "</p>"),
        ("`@Ada`", "<p><code>@Ada</code></p>"),
    ],
)
def test_what_people_write(text: str, html: str) -> None:
    assert str(markdown_html(text, MENTIONS)).strip() == html


@pytest.mark.parametrize("piece", ["[", "*a_", "> ", "![", "<a", "(", "@Ada", "~~a", "- ", "[a](", "\\`"])
def test_a_long_text_of_one_piece_is_read_to_its_end(piece: str) -> None:
    assert seen((piece * 10_000)[:9_990] + "\n\n[end](/runs)").links[-1:] == ["/runs"]
