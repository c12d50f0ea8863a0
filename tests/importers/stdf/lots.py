"""Small lots, in every syntax in which they may come."""

from io import BytesIO

from msgspec import structs

from runcard.domain.runs.report import RunReport
from runcard.importers.stdf import atdf
from runcard.importers.stdf import binary as stdf
from runcard.importers.stdf.records import Description, Mir, Mrr, Pir, Prr, Ptr
from tests.importers.stdf.writers import write_atdf, write_stdf

START = 991_774_222
MIR = Mir(start_t=START, lot_id="LOT-9", part_typ="PT1", job_nam="job", job_rev="3", stat_num=1)
MRR = Mrr(finish_t=START + 60)
LIMITED = Description("vdd", "", "V", 1.0, 2.0, None, None)

PARSERS = {"little": stdf.parse, "big": stdf.parse, "text": atdf.parse}
SYNTAXES = list(PARSERS)


def written(records, syntax):
    match syntax:
        case "little":
            return write_stdf(records, "<")
        case "big":
            return write_stdf(records, ">")
        case _:
            return write_atdf(records)


def read(content, syntax) -> list[RunReport]:
    return [one for one in PARSERS[syntax](BytesIO(content)) if isinstance(one, RunReport)]


def runs_of(records, syntax):
    return read(written(records, syntax), syntax)


def measured(syntax, *inside, before=()):
    """The measurements of one part."""
    (run,) = runs_of(lot(*before, *part(*inside)), syntax)
    return [one for phase in run.phases for one in phase.measurements]


def lot(*inside, mir=MIR):
    return [mir, *inside, MRR]


def part(*inside, head=1, site=0, flags=0, part_id="7", **said):
    return [
        Pir(head, site),
        *inside,
        Prr(head_num=head, site_num=site, part_flg=flags, part_id=part_id, hard_bin=1, num_test=1, **said),
    ]


def ptr(result=1.5, number=10, *, flags=0, parametric=0, said=LIMITED, head=1, site=0):
    return Ptr(number, head, site, flags, parametric, result, said)


def changed(record, **fields):
    return structs.replace(record, **fields)
