"""Addresses of records."""

from urllib.parse import unquote, urljoin

import httpx
from hypothesis import given
from hypothesis import strategies as st

from runcard.domain.text import lookup_key
from runcard.web.frame.urls import batch_url, part_url, revision_url, unit_url

HOME = "http://runcard.test"
# Whatever a record may be called: no half surrogates, no NUL, not only blanks.
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1).filter(
    lambda text: text.strip() != ""
)


@given(names)
def test_a_name_is_one_step_that_no_browser_takes_as_another(name: str):
    for url, depth in (
        (unit_url(name), 2),
        (part_url(name), 2),
        (batch_url(name), 2),
        (revision_url("P", name), 4),
    ):
        steps = urljoin(f"{HOME}/runs", url).removeprefix(HOME).split("/")
        assert len(steps) == depth + 1
        assert lookup_key(unquote(steps[-1])) == lookup_key(name)
        assert httpx.URL(HOME).join(url).raw_path.decode() == url


@given(names, names)
def test_a_revision_stands_under_its_part(part: str, number: str):
    assert revision_url(part, number).startswith(f"{part_url(part)}/revisions/")
