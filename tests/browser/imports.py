"""Report files that were imported and refused, for the pages of imports to have something to show."""

import httpx

from tests.importers.many_runs import junit_of
from tests.servers import DEADLINE_S


def make_imports(url: str, api_key: str) -> None:
    """Two files that were recorded, of runs of a procedure and a part that there are, and three that were refused."""
    headers = {"Authorization": f"Bearer {api_key}", "X-Client-Type": "line-agent"}
    with httpx.Client(base_url=f"{url}/api/v2", headers=headers, timeout=DEADLINE_S) as client:
        procedure = client.get("/procedures").json()["data"][0]["name"]
        part = client.get("/parts").json()["data"][0]["number"]
        for name, content in {
            "burn-in-07.xml": junit_of([f"BI07-{at:03}" for at in range(1, 25)], procedure, part),
            "burn-in-08.xml": junit_of(["BI08-001"], procedure, part),
            "burn-in-09.xml": junit_of(["BI09-001"], procedure, part)[:-30],
            "rework.xml": junit_of(["RW-0001"], procedure, None),
            "screenshot.png": b"\x89PNG\r\n",
        }.items():
            slot = client.post("/attachments", json={"name": name}).json()
            httpx.put(slot["upload_url"], content=content, timeout=DEADLINE_S).raise_for_status()
            item = {"upload_id": slot["id"], "importer": "JUNIT"}
            client.post("/imports/structured", json={"items": [item]}).raise_for_status()
