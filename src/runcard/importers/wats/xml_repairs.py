"""What only a repair report (UUR) of WSXF says: who repaired what, and what was found wrong with which unit.

No such file from WATS was at hand. The reading rests on two that were: the header, the comment, the process and the
misc infos stand where a UUT report of WSXF has them, and everything else is looked for by the names that the UUR report
of WSJF has, beside the unabbreviated ones, since WSXF spells out what WSJF shortens (`compOp`, `CompOperator`).

    <Report type="UUR" ...>
      <UUR UserLoginName="" RefUUT="" ConfirmDate="" FinalizeDate=""><Comment/><Process Code="" Name=""/></UUR>
      <Process Code="" Name=""/>
      <ReportUnitHierarchy Idx="" ReplacedIdx="" PartType="" PN="" SN="" Rev="">
        <Failure Category="" Code="" ComRef="" FuncBlock="" RefStepId="" RefStepName="" ArtNumber="" ...>
          <Comment/>
        </Failure>
      </ReportUnitHierarchy>
    </Report>

`Failure`s may also lie in a `Failures`, and outside of the units where the repaired one is the only unit. So that no
part of a repair is lost to a name that was guessed wrong, a report that holds an element of another name is refused,
and so is a failure of which nothing is read.
"""

from collections.abc import Iterator

from runcard.domain.errors import UnreadableReport
from runcard.importers.wats.nodes import Node
from runcard.importers.wats.report import ReportedFailure, SubUnit, Uur
from runcard.importers.wats.values import shown

_FAILURES = {"failure", "failures"}
_OF_REPORT = {"uur", "process", "miscinfo", "reportunithierarchy", "attachment", *_FAILURES}
# What is left out of other reports, too.
_LEFT_OUT = {"asset", "assets", "assetstats", "additionaldata"}
_OF_UUR = {"comment", "process", *_FAILURES}
_OF_UNIT = _FAILURES
_OF_FAILURE = {"comment", "attachment"}


def check_known(report: Node) -> None:
    """Raises UnreadableReport where a repair report holds elements of which nobody here knows what they say."""
    _check(report, _OF_REPORT | _LEFT_OUT, "Report")
    for one in report.all("uur"):
        _check(one, _OF_UUR, "UUR")
    for one in report.all("reportunithierarchy"):
        _check(one, _OF_UNIT, "ReportUnitHierarchy")


def uur_of(said: Node) -> Uur:
    process = said.first("process")
    return Uur(
        user=said.get("userloginname", "user"),
        comment=_comment_of(said),
        process_code=said.get("processcode") if process is None else process.get("code"),
        process_name=said.get("processname") if process is None else process.get("name"),
        ref_uut=said.get("refuut", "referenceduut"),
        confirm_date=said.get("confirmdate"),
        finalize_date=said.get("finalizedate"),
        exec_time=said.get("executiontime", "exectime"),
    )


def repaired_units_of(report: Node) -> list[SubUnit]:
    """The units of a repair report, each with what was found wrong with it.

    Raises UnreadableReport for failures that no unit can be told of, and for those of which nothing is read.
    """
    units = [_unit_of(one) for one in report.all("reportunithierarchy")]
    outside = [*_failures_in(report), *(one for uur in report.all("uur") for one in _failures_in(uur))]
    if not outside:
        return units
    repaired = report.get("sn")
    others = [one.sn for one in units if one.sn != repaired]
    if others:
        raise UnreadableReport(
            f"Failures of the repair report lie outside of its units, of which {shown(others[0])} is one, so that "
            "nobody can tell which unit had them. Put each Failure into its ReportUnitHierarchy."
        )
    return [*units, SubUnit(sn=repaired, idx=0, failures=outside)]


def _unit_of(said: Node) -> SubUnit:
    return SubUnit(
        part_type=said.get("parttype"),
        pn=said.get("pn"),
        rev=said.get("rev"),
        sn=said.get("sn"),
        idx=said.get("idx", "index"),
        replaced_idx=said.get("replacedidx", "replacedindex"),
        failures=list(_failures_in(said)),
    )


def _failures_in(said: Node) -> Iterator[ReportedFailure]:
    for one in said.all("failure", "failures"):
        within = one.all("failure")
        if within:
            _check(one, {"failure"}, "Failures")
        for failure in within or [one]:
            _check(failure, _OF_FAILURE, "Failure")
            yield _failure_of(failure)


def _failure_of(said: Node) -> ReportedFailure:
    failure = ReportedFailure(
        code=said.get("code", "failcode", "failurecode"),
        category=said.get("category", "failcategory", "failurecategory"),
        comment=_comment_of(said),
        com_ref=said.get("comref", "componentref", "componentreference"),
        func_block=said.get("funcblock", "functionblock"),
        art_number=said.get("artnumber", "articlenumber"),
        art_rev=said.get("artrev", "articlerevision"),
        art_vendor=said.get("artvendor", "articlevendor"),
        art_description=said.get("artdescription", "articledescription"),
        ref_step_id=said.get("refstepid", "stepid"),
        ref_step_name=said.get("refstepname", "stepname"),
    )
    if failure == ReportedFailure():
        raise UnreadableReport(
            "A Failure of the repair report has none of the attributes that are read, such as Category, Code and "
            "ComRef. Export the report as WSJF."
        )
    return failure


def _comment_of(said: Node) -> str | None:
    inside = said.text_in("comment")
    return said.get("comment") if inside is None else inside


def _check(said: Node, known: set[str], name: str) -> None:
    strange = sorted(set(said.inside) - known)
    if strange:
        raise UnreadableReport(
            f"{name} of the repair report holds <{strange[0]}>, which is not read. Export the report as WSJF."
        )
