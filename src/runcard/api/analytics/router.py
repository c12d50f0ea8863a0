"""The routes of the questions."""

from fastapi import APIRouter

from runcard.api.analytics import (
    durations,
    first_pass_yield,
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
    rolled_yield,
    throughput,
    utilisation,
    retest,
    pareto,
    durations,
    phase_durations,
):
    router.include_router(question.router)
