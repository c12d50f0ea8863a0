"""The routes of the questions."""

from fastapi import APIRouter

from runcard.api.analytics import capabilities, capability, first_pass_yield, outcome_disagreement

router = APIRouter()
for question in (first_pass_yield, capability, capabilities, outcome_disagreement):
    router.include_router(question.router)
