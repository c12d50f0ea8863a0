"""The routes of the questions."""

from fastapi import APIRouter

from runcard.api.analytics import first_pass_yield, retest, rolled_yield, throughput, utilisation

router = APIRouter()
for question in (first_pass_yield, rolled_yield, throughput, utilisation, retest):
    router.include_router(question.router)
