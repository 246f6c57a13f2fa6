import asyncio
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from kabao.postgres import SUPERUSER, Database, DatabaseFull, DatabaseUnavailable, EmbeddedServer, open_pool


async def test_a_transaction_is_kept_or_undone_whole(owner_database: Database) -> None:
    await owner_database.execute("CREATE TABLE t (n int)")
    async with owner_database.transaction() as conn:
        await conn.execute("INSERT INTO t VALUES (1)")

    async def give_up_half_way() -> None:
        async with owner_database.transaction() as conn:
            await conn.execute("INSERT INTO t VALUES (2)")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError, match="half way"):
        await give_up_half_way()
    assert [row["n"] for row in await owner_database.fetch("SELECT n FROM t")] == [1]
    row = await owner_database.fetchrow("SELECT n FROM t WHERE n = $1", 1)
    assert row is not None
    assert row["n"] == 1
    assert await owner_database.fetchrow("SELECT n FROM t WHERE n = $1", 2) is None


async def test_a_transaction_may_be_read_only_and_repeatable(owner_database: Database) -> None:
    async with owner_database.transaction(isolation="repeatable_read", readonly=True) as conn:
        assert await conn.fetchval("SHOW transaction_isolation") == "repeatable read"
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await conn.execute("CREATE TABLE t (n int)")
            # The transaction is spoilt now; its end undoes it.


async def test_json_arrives_as_values(database: Database) -> None:
    value = {"名": ["卡", 1, None, True], "deep": {"n": 2**53}}
    for kind in ("jsonb", "json"):
        assert await database.fetchval(f"SELECT $1::{kind}", value) == value
        assert await database.fetchval(f"SELECT $1::{kind} ->> 'deep'", value) is not None
    assert await database.fetchval("SELECT NULL::jsonb") is None


async def test_a_connection_left_in_a_transaction_comes_back_clean(owner_database: Database) -> None:
    await owner_database.execute("CREATE TABLE t (n int)")
    loop = asyncio.get_running_loop()
    complaints: list[str] = []
    loop.set_exception_handler(lambda _loop, context: complaints.append(context["message"]))
    async with owner_database.connection() as conn:
        await conn.transaction().start()
        await conn.execute("INSERT INTO t VALUES (1)")
    assert await owner_database.fetchval("SELECT count(*) FROM t") == 0
    assert len(complaints) == 1


async def test_mistakes_of_the_caller_stay_what_they_are(database: Database) -> None:
    with pytest.raises(asyncpg.PostgresSyntaxError):
        await database.execute("SELEKT 1")
    with pytest.raises(asyncpg.InterfaceError, match="argument"):
        await database.fetchval("SELECT $1::int")
    with pytest.raises(FileNotFoundError):
        async with database.transaction():
            raise FileNotFoundError
    assert await database.fetchval("SELECT 1") == 1


async def test_more_callers_than_connections_wait_then_hear_it(dsn: str) -> None:
    async with await open_pool(dsn, size=1, acquire_seconds=0.1) as pool, pool.connection():
        with pytest.raises(DatabaseUnavailable, match="TimeoutError"):
            await pool.fetchval("SELECT 1")


async def test_a_closed_pool_is_unavailable(dsn: str) -> None:
    pool = await open_pool(dsn)
    await pool.close()
    with pytest.raises(DatabaseUnavailable):
        await pool.fetchval("SELECT 1")


async def test_closing_does_not_wait_for_ever(dsn: str) -> None:
    pool = await open_pool(dsn, size=1)
    async with pool.connection() as conn:
        await pool.close(timeout=0.05)
        with pytest.raises(asyncpg.InterfaceError):
            await conn.fetchval("SELECT 1")


async def test_no_server_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="FileNotFoundError"):
        await open_pool(f"postgresql://kabao_app@/kabao?host={tmp_path}")


async def test_a_break_before_commit_says_that_nothing_is_stored(owner_database: Database, admin_dsn: str) -> None:
    await owner_database.execute("CREATE TABLE t (n int)")

    async def break_before_the_end() -> None:
        async with owner_database.transaction() as conn:
            await conn.execute("INSERT INTO t VALUES (1)")
            await terminate(admin_dsn, await conn.fetchval("SELECT pg_backend_pid()"))
            await conn.execute("INSERT INTO t VALUES (2)")

    with pytest.raises(DatabaseUnavailable) as lost:
        await break_before_the_end()
    assert not lost.value.outcome_unknown
    assert await owner_database.fetchval("SELECT count(*) FROM t") == 0


async def test_a_break_at_commit_says_that_the_outcome_is_unknown(owner_database: Database, admin_dsn: str) -> None:
    await owner_database.execute("CREATE TABLE t (n int)")

    async def break_at_the_end() -> None:
        async with owner_database.transaction() as conn:
            await conn.execute("INSERT INTO t VALUES (1)")
            await terminate(admin_dsn, await conn.fetchval("SELECT pg_backend_pid()"))

    with pytest.raises(DatabaseUnavailable) as lost:
        await break_at_the_end()
    assert lost.value.outcome_unknown
    assert await owner_database.fetchval("SELECT count(*) FROM t") == 0


async def terminate(admin_dsn: str, backend: int) -> None:
    admin = await asyncpg.connect(admin_dsn)
    assert await admin.fetchval("SELECT pg_terminate_backend($1, 5000)", backend)
    await admin.close()


async def test_the_pool_resumes_after_postgresql_was_killed(server: EmbeddedServer) -> None:
    async with await open_pool(server.dsn("postgres", SUPERUSER), size=4) as pool:
        await pool.execute("CREATE TABLE t (n int)")

        async def work() -> None:
            async with pool.transaction() as conn:
                await conn.execute("INSERT INTO t VALUES (1)")
                await conn.execute("SELECT pg_sleep(30)")

        busy = [asyncio.create_task(work()) for _ in range(3)]
        await asyncio.sleep(0.3)
        assert server.pid is not None
        os.kill(server.pid, signal.SIGKILL)
        outcomes = await asyncio.gather(*busy, return_exceptions=True)
        assert all(isinstance(outcome, DatabaseUnavailable) for outcome in outcomes)
        with pytest.raises(DatabaseUnavailable):
            await pool.fetchval("SELECT 1")

        assert await asyncio.to_thread(server.ensure_running) is True
        assert await pool.fetchval("SELECT count(*) FROM t") == 0
        assert await asyncio.gather(*(pool.fetchval("SELECT 1") for _ in range(8))) == [1] * 8


async def test_the_pool_resumes_after_an_ordered_restart(server: EmbeddedServer) -> None:
    async with await open_pool(server.dsn("postgres", SUPERUSER)) as pool:
        async with pool.connection() as conn:
            await asyncio.to_thread(server.restart)
            with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError)):
                await conn.fetchval("SELECT 1")
        assert await pool.fetchval("SELECT 1") == 1


def make_room(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", str(disk)], check=True)


async def test_a_full_disk_is_told_apart_and_passes(server: EmbeddedServer, small_disk: Callable[[int], Path]) -> None:
    place = small_disk(8) / "space"
    place.mkdir()
    owner = server.cluster.stat()
    os.chown(place, owner.st_uid, owner.st_gid)
    async with await open_pool(server.dsn("postgres", SUPERUSER)) as pool:
        await pool.execute(f"CREATE TABLESPACE small LOCATION '{place}'")
        await pool.execute("CREATE TABLE t (n int, filler text) TABLESPACE small")
        with pytest.raises(DatabaseFull, match="53100") as full:
            await pool.execute("INSERT INTO t SELECT n, repeat('x', 500) FROM generate_series(1, 40000) n")
        assert isinstance(full.value, DatabaseUnavailable)
        assert await pool.fetchval("SELECT count(*) FROM t") == 0
        await asyncio.to_thread(make_room, place.parent)
        await pool.execute("INSERT INTO t VALUES (1)")
        assert await pool.fetchval("SELECT count(*) FROM t") == 1
