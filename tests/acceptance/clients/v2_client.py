"""What engineers and stations do with the v2 module of tofupilot 2.2.4: every operation, with both kinds of key.

Prints what came back as JSON. Its orders, as JSON: the server's URL, the keys of a station and of an admin, the admin's
e-mail, the ids of that station, of a procedure that it is linked to and of one that it is not, a file to attach.
"""

# mypy: ignore-errors

import json
import sys
from datetime import UTC, datetime, timedelta
from operator import attrgetter

import httpx
from tofupilot.v2 import TofuPilot, TofuPilotBase
from tofupilot.v2.basesdk import BaseSDK
from tofupilot.v2.errors import TofuPilotError

orders = json.loads(sys.argv[1])
board, final, file = orders["board"], orders["final"], orders["file"]
STARTED_AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
NOWHERE = "00000000-0000-4000-8000-000000000000"
LISTS = ["runs.list", "procedures.list", "units.list", "parts.list", "batches.list", "stations.list"]
told = []
got = {"told": told, "contents": {}}


class Person:
    """Somebody with a key. Keeps what came back of each call, and what each operation was asked with first."""

    def __init__(self, name, api_key):
        self.name = name
        self.first = {}
        self._sent = []
        http = httpx.Client(event_hooks={"request": [self._sent.append]}, timeout=60)
        self.client = TofuPilot(api_key=api_key, server_url=f"{orders['url']}/api", client=http)

    def __call__(self, operation, case="", /, **arguments):
        """The answer; None where there is none."""
        self.first.setdefault(operation, arguments)
        answer, came = None, {"who": self.name, "operation": operation, "case": case}
        try:
            answer = attrgetter(operation)(self.client)(**arguments)
            came["answer"] = plain(answer)
        except TofuPilotError as error:
            came |= {"error": type(error).__name__, "status": error.status_code, "text": str(error)}
            print(came)  # noqa: T201 (shown where the script falls over)
        came["query"] = self._sent[-1].url.query.decode()
        came["body"] = self._sent[-1].content.decode()
        told.append(came)
        return answer


def plain(answer):
    if isinstance(answer, list):
        return [plain(one) for one in answer]
    return answer.model_dump(mode="json", by_alias=True)


def operations_of(sdk, path=""):
    """Names of everything that the SDK can ask a server for; each has an asynchronous twin."""
    for name in dir(sdk):
        member = None if name.startswith("_") else getattr(sdk, name)
        if isinstance(member, BaseSDK):
            yield from operations_of(member, f"{path}{name}.")
        elif callable(member) and not hasattr(BaseSDK, name) and not name.endswith("_async"):
            yield path + name


def ask_about_people_and_stations():
    bench = user("stations.create", name="Bench 1", procedure_id=board)
    user("stations.create", "taken", name="BENCH 1")
    station("stations.create", name="Bench 2")
    for who in everyone:
        who("user.list")
        who("user.list", "current", current=True)
        who("stations.list", search_query="bench", procedure_ids=[board])
        who("stations.get_current")
        who("stations.get", id=bench.id)
        who("stations.update", id=bench.id, name="Bench 1b", image_id="", team_id=None)
    user("stations.update", "taken", id=bench.id, name="ict-1")
    for who in everyone:
        who("stations.remove", id=bench.id)
    user("stations.get", "removed", id=bench.id)


def ask_about_procedures():
    station("procedures.create", name="Burn-in")
    burn_in = user("procedures.create", name="Burn-in")
    for who in everyone:
        who("procedures.versions.create", procedure_id=board, tag=f"v1-{who.name}")
        who("procedures.versions.create", "taken", procedure_id=board, tag=f"V1-{who.name}")
        who("procedures.versions.create", "malformed", procedure_id="FVT1", tag="v1")
        who("procedures.versions.get", procedure_id=board, tag=f"v1-{who.name}")
        who("procedures.versions.delete", procedure_id=board, tag="v1-station")
        who("procedures.update", id=burn_in.id, name="Burn-in 2")
        times = {"created_after": STARTED_AT - timedelta(days=365), "created_before": datetime.now(UTC)}
        who("procedures.list", search_query="board", **times)
        who("procedures.get", "renamed", id=burn_in.id)
        who("procedures.delete", id=burn_in.id)
    station("procedures.versions.create", "not linked", procedure_id=final, tag="v1")


def ask_about_parts_and_batches():
    for who in everyone:
        part, batch = f"PCB-{who.name}", f"LOT-{who.name}"
        who("parts.create", number=part, name="Main board", revision_number="A")
        who("parts.create", "taken", number=part.lower())
        who("parts.revisions.create", part_number=part, number="B")
        who("parts.revisions.create", "taken", part_number=part, number="b")
        who("parts.list", search_query=part, sort_by="number", sort_order="asc")
        who("parts.get", number=part)
        who("parts.revisions.get", part_number=part, revision_number="B")
        who("batches.create", number=batch)
        who("batches.create", "taken", number=batch.lower())
    user("parts.create", "spare", number="SPARE", name="Spare", revision_number="A")
    user("parts.revisions.create", "spare", part_number="SPARE", number="B")
    user("batches.create", "spare", number="SPARE")
    picture = user("attachments.initialize", "picture", name="picture.png")
    for who in everyone:
        spare = {"part_number": "SPARE", "revision_number": "B"}
        who("parts.revisions.update", **spare, number="C", image_id=picture.id)
        who("parts.revisions.update", "taken", **spare | {"revision_number": "C"}, number="A")
        who("parts.revisions.delete", **spare | {"revision_number": "C"})
        who("parts.update", number="SPARE", new_number="SPARE-2", name="Spare part")
        who("parts.update", "taken", number="SPARE-2", new_number="pcb-user")
        who("parts.delete", number="SPARE-2")
        who("batches.update", number="SPARE", new_number="SPARE-2")
        who("batches.update", "taken", number="SPARE-2", new_number="lot-user")
        who("batches.delete", number="SPARE-2")


def ask_about_units(who):
    part, serial, child = f"PCB-{who.name}", f"SN-{who.name}", f"CHILD-{who.name}"
    for number in (serial, child):
        who("units.create", number, serial_number=number, part_number=part, revision_number="A")
    who("units.create", "taken", serial_number=serial.lower(), part_number=part, revision_number="A")
    who("units.add_child", serial_number=serial, child_serial_number=child)
    who("units.add_child", "itself", serial_number=serial, child_serial_number=serial)
    who("units.get", "as a child", serial_number=child)
    who("units.list", "without parent", search_query=f"-{who.name}", exclude_units_with_parent=True)
    who("units.list", search_query=f"-{who.name}", part_numbers=[part], sort_by="serial_number")
    who("units.remove_child", serial_number=serial, child_serial_number=child)
    who("units.remove_child", "not a child", serial_number=serial, child_serial_number=child)
    slot = who("attachments.initialize", name="note.txt")
    httpx.put(slot.upload_url, content=b"note", headers={"Content-Type": "text/plain"}).raise_for_status()
    changes = {"revision_number": "B", "batch_number": f"LOT-{who.name}", "attachments": [slot.id]}
    who("units.update", serial_number=serial, **changes)
    url = who("attachments.finalize", id=slot.id).url
    got["contents"][f"{who.name} note.txt"] = httpx.get(url).text
    who("units.get", serial_number=serial.lower())


def run_of(who, **changes):
    minute = timedelta(minutes=1)
    power = {"name": "power", "started_at": STARTED_AT, "ended_at": STARTED_AT + minute}
    log = {"timestamp": STARTED_AT, "source_file": "station.py", "level": "WARNING"}
    usual = {
        "outcome": "FAIL",
        "procedure_id": board,
        "procedure_version": "1.2.3",
        "operated_by": orders["email"],
        "serial_number": f"SN-{who.name}",
        "part_number": f"PCB-{who.name}",
        "revision_number": "B",
        "batch_number": f"LOT-{who.name}",
        "sub_units": [f"CHILD-{who.name}"],
        "started_at": STARTED_AT,
        "ended_at": STARTED_AT + 5 * minute,
        "docstring": "Whole board",
        "phases": [
            power | {"outcome": "FAIL", "measurements": MEASUREMENTS, "docstring": "Power up"},
            power | {"outcome": "PASS", "retry_count": 1},
        ],
        "logs": [log | {"message": "hot", "line_number": 3}],
    }
    return usual | changes


LOW = {"outcome": "PASS", "operator": ">=", "expected_value": 3.1, "is_decisive": False}
PASSED = {"outcome": "PASS"}
MEASUREMENTS = [
    PASSED | {"name": "vcc", "measured_value": 3.3, "units": "V", "validators": [LOW]},
    {"name": "limits", "outcome": "FAIL", "measured_value": 7, "lower_limit": 5, "upper_limit": 6},
    PASSED | {"name": "firmware", "measured_value": "1.2.3"},
    PASSED | {"name": "led", "measured_value": True},
    PASSED | {"name": "settings", "measured_value": {"gain": [1, 2]}},
    PASSED | {"name": "list", "measured_value": ["a", "b"]},
    PASSED | {"name": "table", "measured_value": [[0, 1.5], [10, 2.5]], "units": ["Hz", "V"]},
    {
        "name": "sweep",
        "outcome": "PASS",
        "x_axis": {"data": [0, 10], "units": "Hz"},
        "y_axis": [
            {
                "data": [1.5, 2.5],
                "units": "V",
                "validators": [{"outcome": "PASS", "expression": "no spikes"}],
                "aggregations": [{"type": "max", "value": 2.5, "unit": "V", "validators": [LOW]}],
            }
        ],
        "aggregations": [{"type": "count", "value": 2, "outcome": "PASS"}],
    },
    {"name": "unset", "outcome": "UNSET"},
]


def ask_about_runs(who):
    run = who("runs.create", **run_of(who))
    who("runs.create", "plain", **run_of(who, outcome="PASS", phases=[], logs=[], sub_units=[]))
    new = f"NEW-{who.name}"
    who("runs.create", "new unit", **run_of(who, serial_number=new, sub_units=[], procedure_version=None))
    who("units.get", "made by a run", serial_number=new)
    upload_id = who.client.attachments.upload(file)
    who("runs.update", id=run.id, attachments=[upload_id])
    shown = who("runs.get", id=run.id)
    copy = who.client.attachments.download(shown.attachments[0], f"{who.name}.copy")
    got["contents"][f"{who.name} {file}"] = copy.read_text("utf-8")
    who(
        "runs.list",
        serial_numbers=[f"sn-{who.name}"],
        outcomes=["FAIL"],
        procedure_versions=["1.2.3"],
        duration_min="PT4M",
        duration_max="PT5M",
        started_after=STARTED_AT,
        ended_before=STARTED_AT + timedelta(minutes=5),
        created_before=datetime.now(UTC) + timedelta(hours=1),
    )
    who("batches.list", numbers=[f"lot-{who.name}"])
    who("batches.get", number=f"LOT-{who.name}")
    who("parts.revisions.get", "with units", part_number=f"PCB-{who.name}", revision_number="B")
    who("procedures.get", id=board)
    who("procedures.versions.get", "with runs", procedure_id=board, tag="1.2.3")
    who("stations.get", "that reports", id=orders["station"])
    who("units.list", "with runs", serial_numbers=[f"SN-{who.name}"], outcomes=["PASS"], latest_only=True)


def ask_what_is_refused(who):
    """Input that is no good, and things that do not exist."""
    no_part = {"part_number": None, "revision_number": None, "batch_number": None, "sub_units": None}
    who("runs.create", "blank serial", **run_of(who, serial_number=" "))
    who("runs.create", "no uuid", **run_of(who, procedure_id="FVT1"))
    half = {"level": "INFO", "timestamp": STARTED_AT, "message": "", "source_file": "", "line_number": 3.5}
    who("runs.create", "half a line", **run_of(who, logs=[half]))
    who("runs.create", "ends early", **run_of(who, ended_at=STARTED_AT - timedelta(minutes=1)))
    who("runs.create", "no part", **run_of(who, serial_number=f"NONE-{who.name}", **no_part))
    who("runs.create", "not linked", **run_of(who, procedure_id=final, serial_number=f"FINAL-{who.name}"))
    who("runs.create", "unknown", **run_of(who, procedure_id=NOWHERE))
    who("runs.list", "no uuid", ids=["x"])
    who("parts.create", "blank", number=" ")
    who("parts.revisions.create", "blank", part_number=f"PCB-{who.name}", number=" ")
    who("procedures.create", "blank", name=" ")
    who("procedures.versions.create", "long", procedure_id=board, tag="x" * 61)
    who("batches.create", "blank", number="")
    who("attachments.initialize", "blank", name="")
    revision = {"part_number": "NONE", "revision_number": "A"}
    version = {"procedure_id": NOWHERE, "tag": "NONE"}
    serial = f"SN-{who.name}"
    for operation, arguments in {
        "attachments.delete": {"ids": [NOWHERE]},
        "attachments.finalize": {"id": NOWHERE},
        "batches.delete": {"number": "NONE"},
        "batches.get": {"number": "NONE"},
        "batches.update": {"number": "NONE", "new_number": "NEW"},
        "parts.delete": {"number": "NONE"},
        "parts.get": {"number": "NONE"},
        "parts.update": {"number": "NONE", "name": "New"},
        "parts.revisions.create": {"part_number": "NONE", "number": "A"},
        "parts.revisions.delete": revision,
        "parts.revisions.get": revision,
        "parts.revisions.update": revision | {"number": "B"},
        "procedures.delete": {"id": NOWHERE},
        "procedures.get": {"id": NOWHERE},
        "procedures.update": {"id": NOWHERE, "name": "New"},
        "procedures.versions.create": version,
        "procedures.versions.delete": version,
        "procedures.versions.get": version,
        "runs.delete": {"ids": [NOWHERE]},
        "runs.get": {"id": NOWHERE},
        "runs.update": {"id": NOWHERE, "attachments": []},
        "stations.get": {"id": NOWHERE},
        "stations.remove": {"id": NOWHERE},
        "stations.update": {"id": NOWHERE, "name": "New"},
        "units.add_child": {"serial_number": serial, "child_serial_number": "NONE"},
        "units.create": {"serial_number": "NONE"} | revision,
        "units.delete": {"serial_numbers": ["NONE"]},
        "units.get": {"serial_number": "NONE"},
        "units.remove_child": {"serial_number": serial, "child_serial_number": "NONE"},
        "units.update": {"serial_number": "NONE", "batch_number": None},
    }.items():
        who(operation, "unknown", **arguments)


def delete():
    """In both names; the station may not."""
    upload = user("attachments.initialize", "to delete", name="note.txt")
    unit = {"part_number": "PCB-user", "revision_number": "A"}
    user("units.create", "to delete", serial_number="SPARE", **unit)
    run = user("runs.create", "to delete", **run_of(user, sub_units=[]))
    for who in everyone:
        who("attachments.delete", ids=[upload.id])
        who("units.delete", serial_numbers=["SPARE"])
        who("runs.delete", ids=[run.id])
    user("runs.get", "deleted", id=run.id)
    user("procedures.versions.delete", "in use", procedure_id=board, tag="1.2.3")


def turn_pages():
    for operation in LISTS:
        page = user(operation, "page 1", limit=1)
        user(operation, "page 2", limit=1, cursor=page.meta.next_cursor)


station, user = Person("station", orders["api_key"]), Person("user", orders["user_key"])
# The station first: what it may not take away is still there for the user.
everyone = (station, user)
ask_about_people_and_stations()
ask_about_procedures()
ask_about_parts_and_batches()
for person in everyone:
    ask_about_units(person)
    ask_about_runs(person)
    ask_what_is_refused(person)
turn_pages()
delete()
stranger = Person("stranger", "rc_nobody-has-this-key")
for name, asked in user.first.items():
    stranger(name, **asked)
got["operations"] = sorted(operations_of(TofuPilotBase(server_url=orders["url"])))
print("\n" + json.dumps(got, default=str))  # noqa: T201 (read by the test)
