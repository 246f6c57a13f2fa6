import asyncio
import logging
from collections.abc import AsyncIterator
from importlib import resources
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from kabao.postgres import (
    APP_ROLE,
    AUDIT_ROLE,
    OWNER_ROLE,
    DatabaseUnavailable,
    EmbeddedServer,
    SchemaTooNew,
    bootstrap,
    check,
    upgrade,
)

STUB = """
from kabao.postgres.script import run_script_beside
revision = "{revision}"
down_revision = {before}
def upgrade():
    run_script_beside(__file__)
"""


def add_migration(folder: Path, revision: str, before: str | None, sql: str) -> None:
    versions = folder / "versions"
    versions.mkdir(parents=True, exist_ok=True)
    (versions / f"{revision}.py").write_text(STUB.format(revision=revision, before=repr(before)), "utf-8")
    (versions / f"{revision}.sql").write_text(sql, "utf-8")
    env = resources.files("kabao.postgres") / "migrations" / "env.py"
    (folder / "env.py").write_text(env.read_text("utf-8"), "utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "100% migrations"
    add_migration(place, "0001_first", None, "CREATE TABLE a (n int);\nINSERT INTO a VALUES (1), (2);")
    add_migration(
        place,
        "0002_second",
        "0001_first",
        "CREATE FUNCTION twice(n int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN n * 2; END $$;\n"
        "UPDATE a SET n = twice(n);",
    )
    return place


@pytest_asyncio.fixture
async def empty(postgres_server: EmbeddedServer, admin_dsn: str) -> AsyncIterator[str]:
    """The owner's DSN of a fresh bootstrapped database without any schema."""
    name = f"empty_{uuid4().hex[:12]}"
    await bootstrap(admin_dsn, database=name)
    yield postgres_server.dsn(name, OWNER_ROLE)
    admin = await asyncpg.connect(admin_dsn)
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


async def answer(dsn: str, query: str) -> object:
    conn = await asyncpg.connect(dsn)
    try:
        return await conn.fetchval(query)
    finally:
        await conn.close()


async def test_an_empty_database_is_brought_to_the_head(empty: str, folder: Path) -> None:
    before = await check(empty, folder=folder)
    assert (before.current, before.head) == (None, "0002_second")
    assert before.pending == ["0001_first", "0002_second"]
    assert not before.newer_than_code
    assert await upgrade(empty, folder=folder) == "0002_second"
    assert await answer(empty, "SELECT sum(n) FROM a") == 6
    after = await check(empty, folder=folder)
    assert (after.current, after.pending) == ("0002_second", [])
    assert await upgrade(empty, folder=folder) == "0002_second"


async def test_only_what_is_missing_runs(empty: str, folder: Path) -> None:
    await upgrade(empty, folder=folder)
    add_migration(folder, "0003_third", "0002_second", "INSERT INTO a VALUES (10);")
    assert (await check(empty, folder=folder)).pending == ["0003_third"]
    assert await upgrade(empty, folder=folder) == "0003_third"
    assert await answer(empty, "SELECT sum(n) FROM a") == 16


async def test_a_failing_migration_leaves_nothing_behind(empty: str, folder: Path) -> None:
    add_migration(folder, "0003_third", "0002_second", "CREATE TABLE b (n int);\nSELECT 1 / 0;")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await upgrade(empty, folder=folder)
    assert (await check(empty, folder=folder)).current is None
    assert await answer(empty, "SELECT to_regclass('a')") is None


async def test_a_database_of_a_newer_kabao_is_refused_untouched(empty: str, folder: Path) -> None:
    await upgrade(empty, folder=folder)
    add_migration(folder, "0003_third", "0002_second", "INSERT INTO a VALUES (10);")
    conn = await asyncpg.connect(empty)
    await conn.execute("UPDATE alembic_version SET version_num = '0009_later'")
    await conn.close()
    status = await check(empty, folder=folder)
    assert status.newer_than_code
    assert (status.current, status.pending) == ("0009_later", [])
    with pytest.raises(SchemaTooNew) as refused:
        await upgrade(empty, folder=folder)
    assert "0009_later" in refused.value.zh
    assert "this one knows 0003_third" in refused.value.en
    assert await answer(empty, "SELECT sum(n) FROM a") == 6


async def test_two_starts_at_once_migrate_once(empty: str, folder: Path) -> None:
    assert await asyncio.gather(*(upgrade(empty, folder=folder) for _ in range(4))) == ["0002_second"] * 4
    assert await answer(empty, "SELECT sum(n) FROM a") == 6


async def test_migrating_leaves_the_applications_logging_alone(empty: str, folder: Path) -> None:
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.getLogger("asyncio").disabled)
    await upgrade(empty, folder=folder)
    assert (list(root.handlers), root.level, logging.getLogger("asyncio").disabled) == before


async def test_a_database_that_is_down_is_said_so(tmp_path: Path) -> None:
    gone = f"postgresql://kabao_owner@/kabao?host={tmp_path}"
    for attempt in (check, upgrade, bootstrap):
        with pytest.raises(DatabaseUnavailable, match="FileNotFoundError"):
            await attempt(gone)


async def test_bootstrap_gives_each_role_what_it_needs(
    postgres_server: EmbeddedServer, admin_dsn: str, empty: str
) -> None:
    name = str(await answer(empty, "SELECT current_database()"))
    await bootstrap(admin_dsn, database=name)
    for role in (APP_ROLE, AUDIT_ROLE):
        dsn = postgres_server.dsn(name, role)
        assert await answer(dsn, "SELECT has_database_privilege(current_database(), 'CREATE')") is False
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await answer(dsn, "CREATE TABLE public.mine (n int)")
    assert await answer(admin_dsn, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'kabao%' AND rolsuper") == 0


async def test_the_packaged_migrations_have_their_sql() -> None:
    versions = resources.files("kabao.postgres") / "migrations" / "versions"
    names = {entry.name for entry in versions.iterdir()}
    stubs = {name for name in names if name.endswith(".py")}
    assert stubs
    assert {name.removesuffix(".py") + ".sql" for name in stubs} == {n for n in names if n.endswith(".sql")}
