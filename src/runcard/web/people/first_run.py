"""How to send a first run: texts to copy, with the address of the server and the reader's key."""

import json
import shlex
from collections.abc import Sequence
from typing import NamedTuple

# The identifier to send a first run to if there is no procedure yet; the first one will get it.
SOME_PROCEDURE = "FVT1"
_SERIAL_NUMBER = "SN-0001"
_PART_NUMBER = "PCB-01"

_CLIENT = """\
# pip install ./client  (in a checkout of Runcard)
from runcard_client import Client

with Client({root}, {api_key}) as client:
    with client.run(procedure={procedure}, serial_number={serial}, part_number={part}) as run:
        with run.phase("power_on") as phase:
            phase.measure("vcc", 3.31, unit="V", low=3.2, high=3.4)
"""

_OPENHTF = """\
# pip install openhtf tofupilot
# export DISABLE_TELEMETRY=true  (or the client reports its own errors to its vendor)
import openhtf as htf
from openhtf.util import units
from tofupilot.openhtf import upload


@htf.measures(htf.Measurement("vcc").in_range(3.2, 3.4).with_units(units.VOLT))
def power_on(test):
    test.measurements.vcc = 3.31


test = htf.Test(power_on, procedure_id={procedure}, part_number={part})
test.add_output_callbacks(upload(url={root}, api_key={api_key}))
test.execute(lambda: {serial})
"""


class Snippet(NamedTuple):
    """id: of its element on the page."""

    id: str
    title: str
    text: str


def snippets(root: str, api_key: str, procedure: str) -> Sequence[Snippet]:
    """The texts to copy, for each way to send a run. root: the address of the server. procedure: its identifier."""
    filled = {
        "root": json.dumps(root),
        "api_key": json.dumps(api_key),
        "procedure": json.dumps(procedure),
        "serial": json.dumps(_SERIAL_NUMBER),
        "part": json.dumps(_PART_NUMBER),
    }
    return [
        Snippet("send-client", "Python, with runcard-client", _CLIENT.format(**filled)),
        Snippet("send-openhtf", "OpenHTF, with the tofupilot client", _OPENHTF.format(**filled)),
        Snippet("send-curl", "Anything else, such as curl", curl_command(root, api_key, procedure)),
    ]


def curl_command(root: str, api_key: str, procedure: str) -> str:
    body = {
        "procedure_id": procedure,
        "unit_under_test": {"serial_number": _SERIAL_NUMBER, "part_number": _PART_NUMBER},
        "run_passed": True,
    }
    lines = [
        f"curl {shlex.quote(f'{root}/api/v1/runs')}",
        f"-H {shlex.quote(f'Authorization: Bearer {api_key}')}",
        "-H 'Content-Type: application/json'",
        f"-d {shlex.quote(json.dumps(body))}",
    ]
    return " \\\n  ".join(lines)
