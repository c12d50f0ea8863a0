"""Changes that somebody made, for the page of the history to have something to show."""

import httpx

from tests.servers import DEADLINE_S


def make_changes(url: str, api_key: str) -> None:
    """A part is named, a unit moved into a new batch, another unit changed twice, a station made, and a run deleted."""
    headers = {"Authorization": f"Bearer {api_key}"}
    with httpx.Client(base_url=f"{url}/api/v2", headers=headers, timeout=DEADLINE_S) as client:
        part = client.get("/parts").json()["data"][0]["number"]
        units = client.get("/units?limit=2").json()["data"]
        run = client.get("/runs?limit=1").json()["data"][0]["id"]
        first, second = (unit["serial_number"] for unit in units)
        for method, path, body in (
            ("PATCH", f"/parts/{part}", {"name": "Controller board"}),
            ("POST", "/batches", {"number": "L2648-REWORK"}),
            ("PATCH", f"/units/{first}", {"batch_number": "L2648-REWORK"}),
            ("PATCH", f"/units/{second}", {"metadata": {"shelf": "C-07"}}),
            ("PATCH", f"/units/{second}", {"metadata": {"shelf": "D-11", "inspected": True}}),
            ("POST", "/stations", {"name": "Cell 9"}),
            ("DELETE", f"/runs?ids={run}", None),
        ):
            client.request(method, path, json=body).raise_for_status()
