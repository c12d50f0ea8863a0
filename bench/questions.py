"""The lists that `api.py` times: by filter and by order, over HTTP and without it."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from runcard.analytics.copy.columnar_copy import ColumnarCopy
from runcard.analytics.lists.inside_lists import list_logs, list_measurements, list_phases
from runcard.analytics.lists.run_lists import list_runs
from runcard.analytics.lists.unit_lists import list_units
from runcard.store.contents.inside_runs import Deadline, Listing
from runcard.store.contents.logs import LOG_ORDERS, LogFilter, LogSort
from runcard.store.contents.measurements import MEASUREMENT_ORDERS, MeasurementFilter, MeasurementSort
from runcard.store.contents.phases import PHASE_ORDERS, PhaseFilter, PhaseSort
from runcard.store.engine.scope import Scope
from runcard.store.intake.templates import list_templates
from runcard.store.lists.pages import Page
from runcard.store.lists.run_filter import RunFilter
from runcard.store.people.users import list_users
from runcard.store.procedures.records import ProcedureFilter, list_procedure_records
from runcard.store.products.batches import BATCH_ORDERS, BatchFilter, BatchSort, list_batches
from runcard.store.products.parts import PART_ORDERS, PartFilter, PartSort, list_parts
from runcard.store.runs.records import RUN_ORDERS, RunSort
from runcard.store.stations.deployments import DeploymentFilter, list_deployments
from runcard.store.stations.records import StationFilter, list_station_records
from runcard.store.units.lists import UNIT_ORDERS, UnitFilter, UnitSort

_TIME_S = 60.0
_PAGED = (1, 100)


class Data(NamedTuple):
    """What a list is made from, without HTTP."""

    copy: ColumnarCopy
    scope: Scope


Query = Mapping[str, str]
Ask = Callable[[Data, Page], object]


class Question(NamedTuple):
    """A list. path, query: over HTTP. ask: the same without HTTP."""

    name: str
    path: str
    query: Query
    ask: Ask
    pages: Sequence[int] = _PAGED


def questions(procedure_id: UUID) -> list[Question]:
    """All lists to time. procedure_id: of the procedure that has the runs."""
    return [
        *_of_runs(procedure_id),
        *_of_units(),
        *_of_parts_and_batches(),
        *_of_others(),
        *_of_phases(procedure_id),
        *_of_measurements(procedure_id),
        *_of_logs(procedure_id),
    ]


def _of_runs(procedure_id: UUID) -> list[Question]:
    def listed(how: str, query: Query, run_filter: RunFilter, order: RunSort = "started_at") -> Question:
        def ask(data: Data, page: Page) -> object:
            return list_runs(data.copy, data.scope, run_filter, order, page, descending=True)

        return Question(f"run-list {how}", "/runs", query, ask)

    return [
        *(listed(f"by {order}", {"sort_by": order}, RunFilter(), order) for order in RUN_ORDERS),
        listed("of failures", {"outcomes": "FAIL"}, RunFilter(outcomes=["FAIL"])),
        listed(
            "of a procedure", {"procedure_ids": str(procedure_id)}, RunFilter(procedure_ids=[procedure_id])
        ),
        listed("of a part", {"part_numbers": "PCB-03"}, RunFilter(part_numbers=["PCB-03"])),
        listed("of a batch", {"batch_numbers": "2026-W01"}, RunFilter(batch_numbers=["2026-W01"])),
        listed(
            "of a serial number",
            {"serial_numbers": "P00-000000007"},
            RunFilter(serial_numbers=["P00-000000007"]),
        ),
        listed("by text", {"search_query": "P03-00000"}, RunFilter(search_query="P03-00000")),
    ]


def _of_units() -> list[Question]:
    def listed(how: str, query: Query, unit_filter: UnitFilter, order: UnitSort = "created_at") -> Question:
        def ask(data: Data, page: Page) -> object:
            return list_units(data.copy, data.scope, unit_filter, order, page, descending=True)

        return Question(f"unit-list {how}", "/units", query, ask)

    failed = RunFilter(outcomes=["FAIL"])
    return [
        *(listed(f"by {order}", {"sort_by": order}, UnitFilter(), order) for order in UNIT_ORDERS),
        listed("of a part", {"part_numbers": "PCB-03"}, UnitFilter(part_numbers=["PCB-03"])),
        listed("by text", {"search_query": "P03-00000"}, UnitFilter(search="P03-00000")),
        listed("with a failure", {"outcomes": "FAIL"}, UnitFilter(with_run=failed)),
        listed(
            "that failed last",
            {"outcomes": "FAIL", "latest_only": "true"},
            UnitFilter(with_newest_run=failed),
        ),
        listed("of whole units", {"exclude_units_with_parent": "true"}, UnitFilter(without_parent=True)),
    ]


def _of_parts_and_batches() -> list[Question]:
    def of_parts(how: str, query: Query, part_filter: PartFilter, order: PartSort = "created_at") -> Question:
        def ask(data: Data, page: Page) -> object:
            return list_parts(data.scope, part_filter, order, page, descending=True)

        return Question(f"part-list {how}", "/parts", query, ask)

    def of_batches(
        how: str, query: Query, batch_filter: BatchFilter, order: BatchSort = "created_at"
    ) -> Question:
        def ask(data: Data, page: Page) -> object:
            return list_batches(data.scope, batch_filter, order, page, descending=True)

        return Question(f"batch-list {how}", "/batches", query, ask)

    return [
        *(of_parts(f"by {order}", {"sort_by": order}, PartFilter(), order) for order in PART_ORDERS),
        of_parts("by text", {"search_query": "00"}, PartFilter(search="00")),
        *(of_batches(f"by {order}", {"sort_by": order}, BatchFilter(), order) for order in BATCH_ORDERS),
        of_batches("by text", {"search_query": "00"}, BatchFilter(search="00")),
    ]


def _of_others() -> list[Question]:
    def procedures(data: Data, page: Page) -> object:
        return list_procedure_records(data.scope, ProcedureFilter(), page)

    def stations(data: Data, page: Page) -> object:
        return list_station_records(data.scope, StationFilter(), page)

    def templates(data: Data, page: Page) -> object:
        return list_templates(data.scope, page)

    def deployments(deployment_filter: DeploymentFilter) -> Ask:
        return lambda data, page: list_deployments(data.scope, deployment_filter, page)

    of_branch = {"branch_names": "main"}
    return [
        Question("procedure-list", "/procedures", {}, procedures),
        Question("station-list", "/stations", {}, stations),
        Question(
            "user-list",
            "/users",
            {},
            lambda data, _: list_users(data.scope),
            pages=(1,),
        ),
        Question("deployment-list", "/deployments", {}, deployments(DeploymentFilter())),
        Question(
            "deployment-list of a branch",
            "/deployments",
            of_branch,
            deployments(DeploymentFilter(branches=["main"])),
        ),
        Question("importTemplate-list", "/imports/templates", {}, templates),
    ]


def _of_phases(procedure_id: UUID) -> list[Question]:
    def listed(
        how: str,
        query: Query,
        phase_filter: PhaseFilter,
        order: PhaseSort = "started_at",
        serial: str | None = None,
    ) -> Question:
        runs = RunFilter(procedure_ids=[procedure_id], serial_numbers=None if serial is None else [serial])

        def ask(data: Data, page: Page) -> object:
            return list_phases(
                *data, runs, phase_filter, Listing(order, page, Deadline(_TIME_S), descending=True)
            )

        of_all = {"procedure_id": str(procedure_id), **query}
        return Question(f"phase-list {how}", "/phases", of_all, ask)

    serial = "P00-000000007"
    return [
        listed("by name", {"names": "self_test_1"}, PhaseFilter(names=["self_test_1"])),
        listed("of failures", {"outcomes": "FAIL"}, PhaseFilter(outcomes=["FAIL"])),
        listed("of a serial number", {"serial_numbers": serial}, PhaseFilter(), serial=serial),
        *(listed(f"in order of {order}", {"sort_by": order}, PhaseFilter(), order) for order in PHASE_ORDERS),
    ]


def _of_measurements(procedure_id: UUID) -> list[Question]:
    runs = RunFilter(procedure_ids=[procedure_id])

    def listed(
        how: str, query: Query, measurement_filter: MeasurementFilter, order: MeasurementSort = "started_at"
    ) -> Question:
        def ask(data: Data, page: Page) -> object:
            return list_measurements(
                *data, runs, measurement_filter, Listing(order, page, Deadline(_TIME_S), descending=True)
            )

        of_all = {"procedure_id": str(procedure_id), **query}
        return Question(f"measurement-list {how}", "/measurements", of_all, ask)

    name = "supply_voltage"
    nothing = MeasurementFilter()
    return [
        listed("by name", {"measurement_name": name}, MeasurementFilter(names=[name])),
        listed(
            "by value",
            {"value_min": "3.3", "value_max": "3.31"},
            MeasurementFilter(value_min=3.3, value_max=3.31),
        ),
        listed("of failures", {"measurement_outcomes": "FAIL"}, MeasurementFilter(outcomes=["FAIL"])),
        *(listed(f"in order of {order}", {"sort_by": order}, nothing, order) for order in MEASUREMENT_ORDERS),
    ]


def _of_logs(procedure_id: UUID) -> list[Question]:
    runs = RunFilter(procedure_ids=[procedure_id])

    def listed(how: str, query: Query, log_filter: LogFilter, order: LogSort = "created_at") -> Question:
        def ask(data: Data, page: Page) -> object:
            return list_logs(
                *data, runs, log_filter, Listing(order, page, Deadline(_TIME_S), descending=True)
            )

        return Question(f"log-list {how}", "/logs", {"procedure_ids": str(procedure_id), **query}, ask)

    return [
        listed("by level", {"levels": "WARNING"}, LogFilter(levels=["WARNING"])),
        listed("by text", {"search_query": "reg"}, LogFilter(search="reg")),
        listed("by rare text", {"search_query": "0x00ff"}, LogFilter(search="0x00ff")),
        *(listed(f"in order of {order}", {"sort_by": order}, LogFilter(), order) for order in LOG_ORDERS),
    ]
