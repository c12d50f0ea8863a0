"""The routes of the questions."""

from fastapi import APIRouter

from runcard.api.analytics import (
    compare,
    control_chart,
    correlation,
    first_pass_yield,
    histogram,
)

router = APIRouter()
for question in (
    first_pass_yield,
    compare,
    control_chart,
    correlation,
    histogram,
):
    router.include_router(question.router)
