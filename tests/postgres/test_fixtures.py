import asyncpg
import pytest

from kabao.postgres import APP_ROLE, OWNER_ROLE, Database


async def test_the_database_fixture_is_migrated_and_connected_as_the_application(database: Database) -> None:
    assert await database.fetchval("SELECT current_user") == APP_ROLE
    assert await database.fetchval("SELECT count(*) FROM orders") == 0


async def test_the_owner_fixture_reaches_the_same_database(
    database: Database, owner_database: Database, database_name: str
) -> None:
    assert await owner_database.fetchval("SELECT current_user") == OWNER_ROLE
    assert await owner_database.fetchval("SELECT current_database()") == database_name
    assert await database.fetchval("SELECT current_database()") == database_name


async def test_the_application_may_not_change_what_is_append_only(database: Database) -> None:
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.execute("DELETE FROM ledger_transfer")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await database.execute("CREATE TABLE own (n int)")


@pytest.mark.parametrize("turn", [1, 2])
async def test_every_test_gets_an_empty_database(database: Database, owner_database: Database, turn: int) -> None:
    assert await database.fetchval("SELECT to_regclass('left_behind')") is None
    await owner_database.execute("CREATE TABLE left_behind AS SELECT $1::int AS turn", turn)


async def test_a_plain_connection_opens_by_the_dsn(dsn: str, owner_dsn: str) -> None:
    for url, role in ((dsn, APP_ROLE), (owner_dsn, OWNER_ROLE)):
        conn = await asyncpg.connect(url)
        assert await conn.fetchval("SELECT current_user") == role
        await conn.close()
