"""What only a repair report (UUR) of WSXF has: who repaired what, and which failures each unit had.

No such file from WATS was available, so the reading is based on two other formats. The header, the comment, the process
and the misc infos are where a UUT report of WSXF has them. Everything else is looked up by its name in the UUR report
of WSJF and by its unabbreviated name, because WSXF spells out what WSJF shortens (`compOp`, `CompOperator`).

    <Report type="UUR" ...>
      <UUR UserLoginName="" RefUUT="" ConfirmDate="" FinalizeDate=""><Comment/><Process Code="" Name=""/></UUR>
      <Process Code="" Name=""/>
      <ReportUnitHierarchy Idx="" ReplacedIdx="" PartType="" PN="" SN="" Rev="">
        <Failure Category="" Code="" ComRef="" FuncBlock="" RefStepId="" RefStepName="" ArtNumber="" ...>
          <Comment/>
        </Failure>
      </ReportUnitHierarchy>
    </Report>

`Failure`s may also be inside a `Failures`, and outside the units if the repaired unit is the only one. A report with an
element of another name is refused, and so is a failure without any known attribute. Otherwise a wrongly guessed name
could lose a part of a repair.
"""

from collections.abc import Iterator

from runcard.domain.errors import UnreadableReport
from runcard.importers.wats.nodes import Node
from runcard.importers.wats.report import ReportedFailure, SubUnit, Uur
from runcard.importers.wats.values import shown

_FAILURES = {"failure", "failures"}
_OF_REPORT = {"uur", "process", "miscinfo", "reportunithierarchy", "attachment", *_FAILURES}
# Elements that are left out of all reports.
_LEFT_OUT = {"asset", "assets", "assetstats", "additionaldata"}
_OF_UUR = {"comment", "process", *_FAILURES}
_OF_UNIT = _FAILURES
_OF_FAILURE = {"comment", "attachment"}


def check_known(report: Node) -> None:
    """Check that a repair report has only elements that this module knows. Raises UnreadableReport."""
    _check(report, _OF_REPORT | _LEFT_OUT, "Report")
    for uur in report.all("uur"):
        _check(uur, _OF_UUR, "UUR")
    for unit in report.all("reportunithierarchy"):
        _check(unit, _OF_UNIT, "ReportUnitHierarchy")


def uur_of(node: Node) -> Uur:
    process = node.first("process")
    return Uur(
        user=node.get("userloginname", "user"),
        comment=_comment_of(node),
        process_code=node.get("processcode") if process is None else process.get("code"),
        process_name=node.get("processname") if process is None else process.get("name"),
        ref_uut=node.get("refuut", "referenceduut"),
        confirm_date=node.get("confirmdate"),
        finalize_date=node.get("finalizedate"),
        exec_time=node.get("executiontime", "exectime"),
    )


def repaired_units_of(report: Node) -> list[SubUnit]:
    """The units of a repair report, each with its failures.

    Raises UnreadableReport for failures whose unit is not clear, and for failures without any known attribute.
    """
    units = [_unit_of(unit) for unit in report.all("reportunithierarchy")]
    in_uur = [failure for uur in report.all("uur") for failure in _failures_in(uur)]
    outside = [*_failures_in(report), *in_uur]
    if not outside:
        return units
    repaired = report.get("sn")
    others = [unit.sn for unit in units if unit.sn != repaired]
    if others:
        raise UnreadableReport(
            f"The repair report has failures outside its units, such as {shown(others[0])}, so it is not clear which "
            "unit had them. Put each Failure into its ReportUnitHierarchy."
        )
    return [*units, SubUnit(sn=repaired, idx=0, failures=outside)]


def _unit_of(node: Node) -> SubUnit:
    return SubUnit(
        part_type=node.get("parttype"),
        pn=node.get("pn"),
        rev=node.get("rev"),
        sn=node.get("sn"),
        idx=node.get("idx", "index"),
        replaced_idx=node.get("replacedidx", "replacedindex"),
        failures=list(_failures_in(node)),
    )


def _failures_in(node: Node) -> Iterator[ReportedFailure]:
    for outer in node.all("failure", "failures"):
        within = outer.all("failure")
        if within:
            _check(outer, {"failure"}, "Failures")
        for failure in within or [outer]:
            _check(failure, _OF_FAILURE, "Failure")
            yield _failure_of(failure)


def _failure_of(node: Node) -> ReportedFailure:
    failure = ReportedFailure(
        code=node.get("code", "failcode", "failurecode"),
        category=node.get("category", "failcategory", "failurecategory"),
        comment=_comment_of(node),
        com_ref=node.get("comref", "componentref", "componentreference"),
        func_block=node.get("funcblock", "functionblock"),
        art_number=node.get("artnumber", "articlenumber"),
        art_rev=node.get("artrev", "articlerevision"),
        art_vendor=node.get("artvendor", "articlevendor"),
        art_description=node.get("artdescription", "articledescription"),
        ref_step_id=node.get("refstepid", "stepid"),
        ref_step_name=node.get("refstepname", "stepname"),
    )
    if failure == ReportedFailure():
        raise UnreadableReport(
            "A Failure of the repair report has none of the known attributes, such as Category, Code and ComRef. "
            "Export the report as WSJF."
        )
    return failure


def _comment_of(node: Node) -> str | None:
    inside = node.text_in("comment")
    return node.get("comment") if inside is None else inside


def _check(node: Node, known: set[str], name: str) -> None:
    unknown = sorted(set(node.inside) - known)
    if unknown:
        raise UnreadableReport(
            f"{name} of the repair report holds <{unknown[0]}>, which is not read. Export the report as WSJF."
        )
