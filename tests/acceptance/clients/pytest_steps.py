"""Tests of a board as a station runs them with the pytest plugin of tofupilot 1.11."""

# mypy: ignore-errors

import os

from tofupilot import conf, numeric_step, string_step

conf.set(
    procedure_id="FVT1",
    serial_number=os.environ["STATION_SERIAL"],
    part_number="PCB-PYTEST",
    sub_units=[{"serial_number": os.environ["STATION_CHILD"]}],
    report_variables={"line": "3"},
    attachments=["data.csv"],
)


def _numeric(**limits):
    return lambda function: numeric_step(function, **limits)


@_numeric(name="supply", low=3.1, high=3.5, units="V")
def test_supply(step):
    step.measure(3.3)()


@_numeric(name="efficiency", low=0.8, units="")
def test_efficiency(step):
    step.measure(0.7)()


@string_step
def test_firmware(step):
    step.measure("1.2.3")()


def test_plain():
    pass
