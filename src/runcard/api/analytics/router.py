"""The routes of the questions."""

from fastapi import APIRouter

from runcard.api.analytics import control_chart, first_pass_yield, histogram

router = APIRouter()
for question in (first_pass_yield, control_chart, histogram):
    router.include_router(question.router)
