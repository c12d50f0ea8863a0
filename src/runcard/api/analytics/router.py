"""The routes of the questions."""

from fastapi import APIRouter

from runcard.api.analytics import first_pass_yield, pareto, retest, rolled_yield, throughput, utilisation

router = APIRouter()
for question in (first_pass_yield, rolled_yield, throughput, utilisation, retest, pareto):
    router.include_router(question.router)
