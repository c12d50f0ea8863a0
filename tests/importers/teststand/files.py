"""A writer of NI TestStand's XML reports, small ones made up for one rule."""

from xml.sax.saxutils import escape, quoteattr

Props = dict[str, object]


def prop(name: str, value: object, flags: int = 0x2400) -> str:
    """One property: a number, text or boolean, a container of others, or what is written already."""
    inside = value if isinstance(value, Written) else _inside(value, flags)
    kind = inside.attributes or f"Type='{_type(value)}'"
    return f"<Prop Name={quoteattr(name)} {kind} Flags='{flags:#x}'>{inside}</Prop>"


class Written(str):
    """The inside of a property, with its type and bounds."""

    __slots__ = ("attributes",)
    attributes: str

    def __new__(cls, inside: str, attributes: str = "") -> "Written":
        made = super().__new__(cls, inside)
        made.attributes = attributes
        return made


def array(values: dict[str, object], element_type: str = "Number") -> Written:
    """An array with its elements by their index: `[0]`, or `[1][0]`."""
    inside = "".join(f"<Value ID='{index}'>{_text(value)}</Value>" for index, value in values.items())
    return Written(inside, f"Type='Array' LBound='[0]' HBound='[9]' ElementType='{element_type}'")


def result(
    name: str, status: str = "Passed", *, at: float = 100.0, took: float = 1.0, **given: object
) -> str:
    """A TEResult; of `calls`, which holds results, it is a sequence call."""
    calls = given.pop("calls", None)
    call = given.pop("call", {})
    assert isinstance(call, dict)
    times: Props = {
        "StartTime": at,
        "TotalTime": took,
        "StepName": name,
        "StepType": given.pop("step_type", "Action"),
    }
    if calls is not None:
        assert isinstance(calls, list)
        listed = array({f"[{at}]": Written(one) for at, one in enumerate(calls)}, "Obj")
        times = {"SequenceCall": {"ResultList": listed, **call}, **times}
    members: Props = {"Status": status, **given, "TS": times}
    return f"<Prop Type='TEResult' Flags='0x0'>{''.join(prop(key, value) for key, value in members.items())}</Prop>"


def report(*steps: str, head: Props | None = None, call: Props | None = None, **attributes: str) -> str:
    """A report of unit SN1 and procedure Board, that started at 12:00 on 31 January 2026 and took ten seconds."""
    said: Props = {
        "UUT": {"SerialNumber": "SN1"},
        "StartTime": {"Hours": 12, "Minutes": 0, "Seconds": 0, "Milliseconds": 0},
        "StartDate": {"Year": 2026, "Month": 1, "MonthDay": 31},
        "StationInfo": {},
        **(head or {}),
    }
    main = result(
        "MainSequence",
        attributes.get("UUTResult", "Passed"),
        took=10,
        calls=list(steps),
        call=call or {"SequenceFile": r"C:\tests\Board.SEQ"},
    )
    written = "".join(f" {name}={quoteattr(value)}" for name, value in {"Type": "UUT", **attributes}.items())
    return f"<Report{written}>{''.join(prop(name, value, 0) for name, value in said.items())}{main}</Report>"


def reports(*inside: str) -> bytes:
    text = f"<?xml version='1.0' encoding='utf-8'?><Reports>{''.join(inside)}</Reports>"
    return text.encode()


def _type(value: object) -> str:
    match value:
        case bool():
            return "Boolean"
        case int() | float():
            return "Number"
        case dict():
            return "Obj"
        case _:
            return "String"


def _inside(value: object, flags: int) -> Written:
    if isinstance(value, dict):
        return Written("".join(prop(name, inner, flags) for name, inner in value.items()))
    return Written(f"<Value>{_text(value)}</Value>")


def _text(value: object) -> str:
    return value if isinstance(value, Written) else escape(str(value))
