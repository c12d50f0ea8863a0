"""Teams: the people of an organization who look after stations."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import insert, select

from runcard.domain.errors import AlreadyExists, InvalidInput, TeamNotFound
from runcard.domain.ids import new_id
from runcard.domain.runs.report import MAX_NAME_LENGTH
from runcard.domain.text import lookup_key
from runcard.store.commit.transaction import Transaction
from runcard.store.engine.scope import Scope
from runcard.store.engine.tables import teams
from runcard.store.lists.refs import Named
from runcard.store.trail.watching import watch_new


def create_team(tx: Transaction, name: str) -> Named:
    """Add a team, and return it. Raises InvalidInput, and AlreadyExists if the name is taken."""
    name = name.strip()
    if not name or len(name) > MAX_NAME_LENGTH or "\0" in name:
        raise InvalidInput.at("name", f"{name!r} is no team name; use 1 to {MAX_NAME_LENGTH} characters")
    t = teams.c
    taken = select(t.id).where(tx.owns(t), t.name_key == lookup_key(name))
    if tx.connection.execute(taken).first():
        raise AlreadyExists("Team", name)
    team = Named(new_id(), name)
    row = {**team._asdict(), "organization_id": tx.organization_id, "name_key": lookup_key(name)}
    tx.connection.execute(insert(teams).values(**row, created_at=tx.now))
    watch_new(tx, teams, team.id)
    return team


def get_team(scope: Scope, team_id: UUID) -> Named:
    """The team with this id. Raises TeamNotFound."""
    t = teams.c
    query = select(t.id, t.name).where(scope.owns(t), t.id == team_id)
    row = scope.connection.execute(query).one_or_none()
    if row is None:
        raise TeamNotFound(team_id)
    return Named(*row)


def list_teams(scope: Scope) -> Sequence[Named]:
    """All teams of the organization, sorted by name."""
    t = teams.c
    query = select(t.id, t.name).where(scope.owns(t)).order_by(t.name_key)
    return [Named(*row) for row in scope.connection.execute(query)]
