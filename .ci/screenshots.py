"""Writes pictures of every page of a demo to screenshots/, and those that the docs show to docs/images/."""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import httpx
from PIL import Image
from playwright.sync_api import Page, ViewportSize

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))  # so that this file can be run by its path

from tests.browser.calls import make_calls
from tests.browser.changes import make_changes
from tests.browser.chromium import VARIABLE, find_chromium, running_chromium
from tests.browser.imports import make_imports
from tests.browser.site import explore
from tests.browser.windows import DESK, PHONE, Account, Windows, settled
from tests.servers import AnyServer, Installation
from tests.web.browser import Browser

EVERYTHING = ROOT / "screenshots"
SHOWN = ROOT / "docs" / "images"
_COLOURS = 256


# The preview of a merge of two units.
MERGING = "two units, before a merge"
# Pages of runs that something was done to.
VOIDED = "a voided run"
CORRECTED = "a corrected run"


class Shown(NamedTuple):
    """A picture of the docs: the kind of page it is of, and how that is looked at."""

    kind: str
    size: ViewportSize = DESK
    is_dark: bool = False


DOCS = {
    "overview.png": Shown("/"),
    "overview-dark.png": Shown("/", is_dark=True),
    "runs.png": Shown("/runs"),
    "run.png": Shown("/runs/{run_id}"),
    "procedure.png": Shown("/procedures/{procedure_id}?tab=capability"),
    "measurement.png": Shown("/procedures/{procedure_id}/measurements"),
    "unit.png": Shown("/units/{serial_number:path}"),
    "station.png": Shown("/stations/{station_id}"),
    "history.png": Shown("/trail"),
    "notes.png": Shown("/notes/{thing_id}"),
    "voided.png": Shown(VOIDED),
    "corrected.png": Shown(CORRECTED),
    "merge-units.png": Shown(MERGING),
    "imports.png": Shown("/imports"),
    "quarantine.png": Shown("/imports/quarantine"),
    "mapping.png": Shown("/imports/quarantine/{file_id}/mapping"),
}


@contextmanager
def demo() -> Iterator[tuple[str, Account, str]]:
    """The address of a running demo, its admin, and a key of theirs."""
    with TemporaryDirectory(prefix="runcard-screenshots-") as directory:
        data_dir = Path(directory)
        installation = Installation(data_dir, None)
        access = installation.runcard("demo", "--no-serve")
        installation.runcard("rebuild", "analytics")
        server = AnyServer(data_dir, None)
        server.start()
        try:
            make_calls(server.url, access["api_key"])
            yield server.url, Account(access["email"], access["password"]), access["api_key"]
        finally:
            server.stop()


def noted_run(url: str, api_key: str) -> str:
    """The page of the notes on a run that has some."""
    headers = {"Authorization": f"Bearer {api_key}"}
    query: dict[str, str | int] = {"tags": "Sent to repair", "limit": 1}
    found = httpx.get(f"{url}/api/v2/runs", params=query, headers=headers).json()["data"]
    return f"/notes/{found[0]['id']}"


def take(page: Page, path: Path, *, whole: bool) -> None:
    """Write what a page looks like, in few colours."""
    shot = Image.open(BytesIO(settled(page).screenshot(full_page=whole, animations="disabled")))
    few = shot.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1000} kB", file=sys.stderr)


def changed_run(url: str, api_key: str, deed: str) -> str:
    """The page of a run of the demo that was "voided" or "corrected"."""
    headers = {"Authorization": f"Bearer {api_key}"}
    answer = httpx.get(f"{url}/api/v2/runs", params={deed: "true"}, headers=headers)
    return f"/runs/{answer.raise_for_status().json()['data'][0]['id']}"


def unit_merge(url: str, api_key: str) -> str:
    """The page that merges the newest unit of the demo that is tested as a whole into another of its part."""
    headers = {"Authorization": f"Bearer {api_key}"}
    query: dict[str, str | int] = {"outcomes": "FAIL", "limit": 50}
    found = httpx.get(f"{url}/api/v2/runs", params=query, headers=headers).raise_for_status().json()["data"]
    source = found[0]["unit"]
    same = (one["unit"] for one in found if one["unit"]["part"]["id"] == source["part"]["id"])
    other = next(unit["serial_number"] for unit in same if unit["id"] != source["id"])
    return f"/merge-unit/{source['id']}?into={other}"


def name_of(kind: str) -> str:
    return re.sub(r"\W+", "-", re.sub(r":path|_id|_number", "", kind)).strip("-") or "overview"


def main() -> int:
    program = find_chromium()
    if program is None:
        print(f"No Chromium on the PATH, and none named by {VARIABLE}.", file=sys.stderr)
        return 1
    EVERYTHING.mkdir(exist_ok=True)
    with demo() as (url, admin, api_key), running_chromium(program) as browser:
        reader = Browser(url)
        reader.log_in(*admin)
        pages = dict(explore(reader).pages)
        make_imports(url, api_key)
        make_changes(url, api_key)
        # Units of the demo have more to show than those of the files.
        pages = {**explore(reader).pages, **pages, "/notes/{thing_id}": noted_run(url, api_key)}
        reader.close()
        pages[VOIDED] = changed_run(url, api_key, "voided")
        pages[MERGING] = unit_merge(url, api_key)
        pages[CORRECTED] = changed_run(url, api_key, "corrected")
        windows = Windows(browser, url)
        cookies = windows.log_in(admin).context.storage_state()
        for name, size in (("desk", DESK), ("phone", PHONE)):
            for is_dark in (False, True):
                page = windows.open(size=size, is_dark=is_dark, cookies=cookies)
                theme = "dark" if is_dark else "light"
                entrance = windows.open("/log-in", size=size, is_dark=is_dark)
                take(entrance, EVERYTHING / f"log-in-{name}-{theme}.png", whole=True)
                for kind, address in pages.items():
                    page.goto(address)
                    take(page, EVERYTHING / f"{name_of(kind)}-{name}-{theme}.png", whole=True)
        for file, shown in DOCS.items():
            page = windows.open(pages[shown.kind], size=shown.size, is_dark=shown.is_dark, cookies=cookies)
            take(page, SHOWN / file, whole=False)
        windows.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
