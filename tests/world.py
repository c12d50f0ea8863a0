"""The cast of the tests: two organizations with their people, stations and procedures, each with its key."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from msgspec.structs import replace

from runcard.auth.api_keys import new_api_key
from runcard.auth.passwords import hash_password
from runcard.domain.actor import Role, StationActor, SystemActor, UserActor
from runcard.store.commit.transaction import SharedTransaction
from runcard.store.commit.writer import Writer
from runcard.store.creator import Creator
from runcard.store.people.api_keys import create_station_key, create_user_key
from runcard.store.people.organizations import create_organization, update_organization
from runcard.store.people.users import create_user, suspend_user
from runcard.store.procedures.rows import create_procedure
from runcard.store.stations.rows import create_station, link_procedures

PASSWORD = "correct horse battery staple"


class Procedure(NamedTuple):
    id: UUID
    identifier: str
    name: str


class Member(NamedTuple):
    actor: UserActor
    email: str
    name: str
    api_key: str


class Station(NamedTuple):
    actor: StationActor
    name: str
    api_key: str


class Acme(NamedTuple):
    """slug: what commands call it. board: what every test runs. final: one that only FCT-1 may run too, as it may all
    to come.
    """

    id: UUID
    slug: str
    board: Procedure
    final: Procedure
    admin: Member
    engineer: Member
    viewer: Member
    suspended: Member
    ict: Station
    fct: Station
    lonely: Station


class Globex(NamedTuple):
    id: UUID
    slug: str
    board: Procedure
    admin: Member


class World(NamedTuple):
    """ICT-1 is linked to Acme's board procedure, FCT-1 has all procedures, Lonely has none."""

    acme: Acme
    globex: Globex


def build_world(writer: Writer) -> World:
    """The cast, made through the store."""
    return writer.write_shared(add_cast)


def add_cast(tx: SharedTransaction, number: int | None = None) -> World:
    """The cast. number: of one more in the same database: its slugs and addresses end in it, its names are the same."""
    ending = "" if number is None else f"-{number}"
    return World(_acme(tx, ending), _globex(tx, ending))


def _acme(tx: SharedTransaction, ending: str) -> Acme:
    home, slug = _organization(tx, "Acme", ending)
    at = f"acme{ending}.test"
    admin = _member(tx, home, f"ada@{at}", "Ada", "admin")
    creator = Creator.of(admin.actor)
    board = _procedure(tx, home, "Board", creator)
    final = _procedure(tx, home, "Final", creator)
    suspended = _member(tx, home, f"sam@{at}", "Sam", "engineer")
    suspend_user(tx.of(SystemActor(home, "test")), suspended.actor.user_id)
    return Acme(
        id=home,
        slug=slug,
        board=board,
        final=final,
        admin=admin,
        engineer=_member(tx, home, f"eve@{at}", "Eve", "engineer"),
        viewer=_member(tx, home, f"vic@{at}", "Vic", "viewer"),
        suspended=suspended,
        ict=_station(tx, home, "ICT-1", linked=[board.id]),
        fct=_station(tx, home, "FCT-1", all_procedures=True),
        lonely=_station(tx, home, "Lonely"),
    )


def _globex(tx: SharedTransaction, ending: str) -> Globex:
    home, slug = _organization(tx, "Globex", ending)
    admin = _member(tx, home, f"gus@globex{ending}.test", "Gus", "admin")
    return Globex(home, slug, _procedure(tx, home, "Board", Creator.of(admin.actor)), admin)


def _organization(tx: SharedTransaction, name: str, ending: str) -> tuple[UUID, str]:
    made = create_organization(tx, f"{name}{ending}")
    if ending:
        update_organization(tx.of(SystemActor(made.id, "test")), replace(made, name=name))
    return made.id, made.slug


def _procedure(tx: SharedTransaction, home: UUID, name: str, creator: Creator) -> Procedure:
    made = create_procedure(tx.of(SystemActor(home, "test")), name, creator)
    return Procedure(made.id, made.identifier, made.name)


def _member(tx: SharedTransaction, home: UUID, email: str, name: str, role: Role) -> Member:
    made = create_user(
        tx.of(SystemActor(home, "test")), email, name=name, role=role, password_hash=password_hash()
    )
    key = new_api_key()
    create_user_key(tx.of(SystemActor(home, "test")), made.id, key.secret)
    return Member(UserActor(made.id, home, role), made.email, made.name, key.api_key)


@cache
def password_hash() -> str:
    """Of the password of them all, made once: it takes long on purpose."""
    return hash_password(PASSWORD)


def _station(
    tx: SharedTransaction, home: UUID, name: str, *, linked: Sequence[UUID] = (), all_procedures: bool = False
) -> Station:
    made = create_station(tx.of(SystemActor(home, "test")), name, all_procedures=all_procedures)
    link_procedures(tx.of(SystemActor(home, "test")), made.id, linked)
    key = new_api_key()
    create_station_key(tx.of(SystemActor(home, "test")), made.id, key.secret)
    return Station(StationActor(made.id, home), made.name, key.api_key)


# Runs a command of the CLI and returns what it printed as JSON.
Runcard = Callable[..., Mapping[str, Any]]


def build_world_by_command(runcard: Runcard) -> World:
    """The same cast, made as the person does who sets up an installation."""
    return World(_acme_by_command(runcard), _globex_by_command(runcard))


def _acme_by_command(runcard: Runcard) -> Acme:
    made = _init_by_command(runcard, "Acme", "ada@acme.test")
    home, slug = UUID(made["id"]), made["organization"]

    def member(email: str, name: str, role: Role) -> Member:
        user = runcard("user", "create", email, "--name", name, "--role", role, "--password", PASSWORD)
        key = runcard("key", "create", "--user", email)
        return Member(UserActor(UUID(user["id"]), home, role), email, name, key["api_key"])

    def station(name: str, *options: str) -> Station:
        station = runcard("station", "create", name, *options)
        return Station(StationActor(UUID(station["id"]), home), name, station["api_key"])

    board = _procedure_by_command(runcard, "Board")
    suspended = member("sam@acme.test", "Sam", "engineer")
    runcard("user", "suspend", suspended.email)
    return Acme(
        id=home,
        slug=slug,
        board=board,
        final=_procedure_by_command(runcard, "Final"),
        admin=_first_admin(made),
        engineer=member("eve@acme.test", "Eve", "engineer"),
        viewer=member("vic@acme.test", "Vic", "viewer"),
        suspended=suspended,
        ict=station("ICT-1", "--procedure", board.identifier),
        fct=station("FCT-1", "--all-procedures"),
        lonely=station("Lonely"),
    )


def _globex_by_command(runcard: Runcard) -> Globex:
    made = _init_by_command(runcard, "Globex", "gus@globex.test")
    board = _procedure_by_command(runcard, "Board", "--organization", made["organization"])
    return Globex(UUID(made["id"]), made["organization"], board, _first_admin(made))


def _init_by_command(runcard: Runcard, name: str, email: str) -> Mapping[str, Any]:
    return runcard("init", "--organization", name, "--email", email, "--password", PASSWORD)


def _procedure_by_command(runcard: Runcard, name: str, *options: str) -> Procedure:
    made = runcard("procedure", "create", name, *options)
    return Procedure(UUID(made["id"]), made["identifier"], made["name"])


def _first_admin(made: Mapping[str, Any]) -> Member:
    actor = UserActor(UUID(made["user_id"]), UUID(made["id"]), "admin")
    return Member(actor, made["email"], made["email"], made["api_key"])
