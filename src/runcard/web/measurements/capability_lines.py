"""The capability of a measurement, as the lines of a table."""

from typing import NamedTuple

from runcard.analytics.questions.values.capability import CapabilityRow
from runcard.web.frame.formats import chance_text, count_text, figure_text, index_text, mean_text
from runcard.web.measurements.rows import limits_text


class CapabilityLine(NamedTuple):
    """The capability for one specification, as texts. outside: ppm, expected and observed. normality: its p."""

    phase: str
    limits: str
    n: str
    failed: str
    mean: str
    sigma: str
    cp: str
    cpk: str
    pp: str
    ppk: str
    ppk_interval: str
    outside: str
    normality: str


def capability_line(row: CapabilityRow) -> CapabilityLine:
    spec = row.spec
    expected, observed = row.expected.total, row.observed.total
    return CapabilityLine(
        phase=spec.phase,
        limits=limits_text(spec.limits) or "none",
        n=count_text(row.n),
        failed=count_text(row.failed),
        mean=mean_text(row.mean, row.sigma_overall, spec.uom),
        sigma=figure_text(row.sigma_overall),
        cp=index_text(row.cp.value),
        cpk=index_text(row.cpk.value),
        pp=index_text(row.pp.value),
        ppk=index_text(row.ppk.value),
        ppk_interval="" if row.ppk.low is None else f"{index_text(row.ppk.low)} … {index_text(row.ppk.high)}",
        outside=f"{_ppm(expected)} / {_ppm(observed)}",
        normality="–" if row.normality is None else chance_text(row.normality.p_value),
    )


def _ppm(parts: float | None) -> str:
    if parts is None:
        return "–"
    return f"{parts:.2g}" if parts < 1 else count_text(round(parts))
