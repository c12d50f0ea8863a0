"""Databases that no installation can move into are told from others before anything is changed."""

from contextlib import closing

import pytest
from sqlalchemy import text

from runcard.domain.errors import Conflict, InvalidInput
from runcard.store.engine.database import Database, DatabaseFailed
from runcard.store.engine.migrate import migrate
from runcard.store.moving.checks import check_target, open_target
from tests.store.moving.moves import kill_at, move
from tests.store.moving.rows import rows_of


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///data/runcard.sqlite3", "starts with sqlite://; give that of a PostgreSQL database"),
        ("mysql://host/name", "starts with mysql://"),
        ("", "cannot be read; give that of a PostgreSQL database"),
        ("host/name", "cannot be read"),
        ("postgresql://host:port/name", "cannot be read"),
        ("nonsense://host/name", "starts with nonsense://"),
    ],
)
def test_a_url_of_no_postgresql_database(url: str, said: str):
    with pytest.raises(InvalidInput) as refused:
        open_target(url)
    assert [issue.path for issue in refused.value.issues] == [("to",)]
    assert said in refused.value.issues[0].message


def refusal_of(target: Database) -> str:
    with pytest.raises(DatabaseFailed) as refused:
        check_target(target)
    return str(refused.value)


def administer(target: Database, *statements: str) -> None:
    with target.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in statements:
            connection.execute(text(statement))


def test_an_empty_database_is_taken(target: Database):
    check_target(target)
    with target.read() as connection:
        assert (
            connection.execute(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")).scalar()
            == 0
        )


def test_nobody_listens():
    with closing(open_target("postgresql://ann:secret@127.0.0.1:1/runcard")) as target:
        said = refusal_of(target)
    assert said.startswith("postgresql://ann:***@127.0.0.1:1/runcard")
    assert "cannot be used: connection failed" in said
    assert "secret" not in said


def test_no_such_database(target: Database):
    with closing(Database(target.url.set(database="not_there"))) as missing:
        assert 'database "not_there" does not exist' in refusal_of(missing)


def test_a_database_with_tables(target: Database):
    with target.engine.begin() as connection:
        connection.execute(text("CREATE TABLE recipes (name text)"))
    with pytest.raises(Conflict, match=r"is not empty: it has 1 tables, such as recipes\."):
        check_target(target)


def test_another_installation(target: Database):
    migrate(target)
    with pytest.raises(Conflict, match="is not empty"):
        check_target(target)


def test_a_database_that_takes_no_writes(target: Database):
    administer(target, f'ALTER DATABASE "{target.url.database}" SET default_transaction_read_only = on')
    target.close()
    assert "takes no writes: it may be a replica. Name the primary." in refusal_of(target)


def test_a_user_who_may_not_make_tables(target: Database):
    administer(target, "DROP ROLE IF EXISTS reader", "CREATE ROLE reader LOGIN")
    with closing(Database(target.url.set(username="reader"))) as theirs:
        said = refusal_of(theirs)
    assert "User reader may not create tables" in said
    assert "GRANT CREATE ON SCHEMA public TO reader." in said


def test_the_owner_of_a_database_needs_no_other_right(database: Database, target: Database):
    name = target.url.database
    administer(
        target,
        "DROP ROLE IF EXISTS plain",
        "CREATE ROLE plain LOGIN",
        f"ALTER DATABASE {name} OWNER TO plain",
    )
    with closing(Database(target.url.set(username="plain"))) as theirs:
        check_target(theirs)
        move(database, theirs)
        assert rows_of(theirs) == rows_of(database)


def test_a_database_of_another_encoding(target: Database):
    administer(
        target,
        "DROP DATABASE IF EXISTS latin",
        "CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0",
    )
    with closing(Database(target.url.set(database="latin"))) as latin:
        assert "has the encoding LATIN1; make it with CREATE DATABASE" in refusal_of(latin)


def test_a_move_that_another_version_began(database: Database, target: Database):
    kill_at("Copying", 0, database, target)
    with target.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    check_target(target)
    with pytest.raises(Conflict, match="Another version of Runcard began this move"):
        move(database, target)
