"""The routes of the questions."""

from fastapi import APIRouter

from runcard.api.analytics import (
    compare,
    control_chart,
    correlation,
    durations,
    first_pass_yield,
    histogram,
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
    compare,
    control_chart,
    correlation,
    durations,
    histogram,
    pareto,
    phase_durations,
    retest,
    rolled_yield,
    throughput,
    utilisation,
):
    router.include_router(question.router)
