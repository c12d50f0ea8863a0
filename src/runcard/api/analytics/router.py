"""The routes of the questions."""

from fastapi import APIRouter

from runcard.api.analytics import (
    capabilities,
    capability,
    compare,
    control_chart,
    correlation,
    durations,
    first_pass_yield,
    histogram,
    outcome_disagreement,
    pareto,
    phase_durations,
    retest,
    rolled_yield,
    throughput,
    utilisation,
)

router = APIRouter()
for question in (
    first_pass_yield,
    capabilities,
    capability,
    compare,
    control_chart,
    correlation,
    durations,
    histogram,
    outcome_disagreement,
    pareto,
    phase_durations,
    retest,
    rolled_yield,
    throughput,
    utilisation,
):
    router.include_router(question.router)
