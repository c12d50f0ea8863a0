"""The routes of the questions."""

from fastapi import APIRouter

from runcard.api.analytics import compare, correlation, first_pass_yield

router = APIRouter()
for question in (first_pass_yield, compare, correlation):
    router.include_router(question.router)
