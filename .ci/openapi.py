"""Writes docs/api/openapi.json: what this server says of its APIs. The suite compares the two."""

import asyncio
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from runcard.app import create_app
from runcard.settings import Settings

SNAPSHOT = Path(__file__).parents[1] / "docs" / "api" / "openapi.json"


async def served() -> object:
    """The document, asked of an application that has not been started."""
    with TemporaryDirectory() as unused:
        transport = httpx.ASGITransport(create_app(Settings(data_dir=Path(unused))))
        async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
            return (await client.get("/api/openapi.json")).json()


if __name__ == "__main__":
    SNAPSHOT.write_text(json.dumps(asyncio.run(served()), indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{SNAPSHOT} written", file=sys.stderr)
