"""The times of runs by stations with a wrong clock"""

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

from runcard.store.engine import tables
from runcard.store.engine.column_types import Span

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    op.add_column("runs", sa.Column("reported_started_at", tables.Instant(), nullable=True))
    op.add_column("runs", sa.Column("reported_ended_at", tables.Instant(), nullable=True))
    names = ("started_at", "ended_at", "created_at", "reported_started_at", "reported_ended_at")
    runs = sa.table("runs", *(sa.column(name, tables.Instant()) for name in names))
    r = runs.c
    ahead = sa.type_coerce(r.started_at - r.created_at, Span)
    took = sa.type_coerce(r.ended_at - r.started_at, Span)
    counted = sa.case((took <= timedelta(days=365), took), else_=sa.literal(timedelta(), Span()))
    # The rule of domain/runs/clock.py. One pass over the headers, which writes only those few.
    op.execute(
        sa.update(runs)
        .where(sa.or_(r.started_at < _EARLIEST, ahead > timedelta(days=1)))
        .values(
            reported_started_at=r.started_at,
            reported_ended_at=r.ended_at,
            started_at=r.created_at,
            ended_at=sa.type_coerce(r.created_at + counted, tables.Instant()),
        )
    )
