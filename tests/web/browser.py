"""A browser without JavaScript: it follows links and redirects, keeps cookies and sends forms."""

from html.parser import HTMLParser
from typing import NamedTuple

import httpx

from tests.servers import DEADLINE_S
from tests.world import PASSWORD, Member

_VOID = frozenset({"input", "link", "meta", "img"})


class Element(NamedTuple):
    tag: str
    attributes: dict[str, str]


class Page(HTMLParser):
    """What a browser makes of an answer: elements in order, the text between them, and the cells of table rows."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.answer = answer
        self.status = answer.status_code
        self.path = answer.url.raw_path.decode()
        self.elements: list[Element] = []
        self.text = ""
        self.open_tags: list[str] = []
        self.rows: list[list[str]] = []
        self._open_rows: list[list[str]] = []
        self.feed(answer.text)
        self.close()
        assert self.open_tags == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))
        if tag == "tr":
            self.rows.append([])
            self._open_rows.append(self.rows[-1])
        if tag in ("td", "th"):
            self._open_rows[-1].append("")
        if tag not in _VOID:
            self.open_tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open_tags.pop() == tag
        if tag == "tr":
            self._open_rows.pop()

    def handle_data(self, data: str) -> None:
        self.text += data
        if self._open_rows and self._open_rows[-1]:
            self._open_rows[-1][-1] += data.strip()

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of this kind."""
        return [element.attributes for element in self.elements if element.tag == tag]

    @property
    def links(self) -> list[str]:
        return [link["href"] for link in self.all("a")]

    @property
    def run_links(self) -> list[str]:
        return [link for link in self.links if link.startswith("/runs/")]

    @property
    def outcomes(self) -> list[str]:
        """The outcome badges, in order."""
        badges = [one for one in self.all("span") if one.get("class") == "outcome"]
        return [badge["data-outcome"] for badge in badges]

    @property
    def hidden_fields(self) -> dict[str, str]:
        return {field["name"]: field["value"] for field in self.all("input") if field.get("type") == "hidden"}


class Browser:
    def __init__(self, url: str, cookies: httpx.Cookies | None = None) -> None:
        self.http = httpx.Client(base_url=url, cookies=cookies, timeout=DEADLINE_S, follow_redirects=True)

    def open(self, path: str) -> Page:
        return Page(self.http.get(path))

    def send(self, path: str, fields: dict[str, str]) -> Page:
        """Send a form as it is given: without the hidden fields of any page."""
        return Page(self.http.post(path, data=fields))

    def fill(self, path: str, fields: dict[str, str]) -> Page:
        """Open the page of a form, which is also where it is sent to, fill it in and send it."""
        return self.send(path, {**self.open(path).hidden_fields, **fields})

    def log_in(self, email: str, password: str = PASSWORD) -> Page:
        return self.fill("/log-in", {"email": email, "password": password})

    def log_out(self) -> Page:
        return self.send("/log-out", self.open("/runs").hidden_fields)

    def close(self) -> None:
        self.http.close()


def logged_in(url: str, member: Member) -> Browser:
    browser = Browser(url)
    assert browser.log_in(member.email).path == "/"
    return browser
