"""The routes of the questions."""

from fastapi import APIRouter

from runcard.api.analytics import first_pass_yield, throughput, utilisation

router = APIRouter()
for question in (first_pass_yield, throughput, utilisation):
    router.include_router(question.router)
