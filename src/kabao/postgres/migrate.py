"""Bring a database to the newest schema, or say where it stands.

Migrations are plain SQL files run by Alembic in one transaction, as the database's owner `kabao_owner`. They
only go forward: going back is restoring a backup. Alembic is loaded where a schema is looked at, so that nothing else
waits for it.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from kabao.postgres.errors import DatabaseUnavailable, SchemaTooNew

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy import Connection

# Two processes that start at once migrate one after the other; the number only has to be the same in both.
_MIGRATION_LOCK = 0x6B6162616F


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """Where a database stands: its revision (None when empty), the code's, and what lies between."""

    current: str | None
    head: str
    pending: list[str]
    newer_than_code: bool


async def upgrade(dsn_owner: str, *, folder: Path | None = None) -> str:
    """Run every pending migration in one transaction and return the revision then in force.

    `folder` is another migration folder than the packaged one. Raises `SchemaTooNew` for a database that a
    newer kabao migrated and `DatabaseUnavailable` when it cannot be reached; either way nothing changed.
    """
    status = await check(dsn_owner, folder=folder)
    if status.newer_than_code:
        raise SchemaTooNew(
            zh=f"数据库由更新的卡保写入（{status.current}），本程序只认识到 {status.head}。"
            "请升级卡保，或恢复旧的备份。未改动任何内容。",
            en=f"The database was migrated by a newer kabao ({status.current}); this one knows "
            f"{status.head}. Upgrade kabao, or restore an older backup. Nothing was changed.",
        )
    if status.pending:
        from sqlalchemy.ext.asyncio import create_async_engine  # noqa: PLC0415  see the top of the file
        from sqlalchemy.pool import NullPool  # noqa: PLC0415  as above

        async def connect() -> "asyncpg.Connection[asyncpg.Record]":
            return await _connect(dsn_owner)

        engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
        try:
            with _migrations(folder) as home:
                async with engine.begin() as connection:
                    await connection.run_sync(_run_pending, _config(home))
        finally:
            await engine.dispose()
    return status.head


async def check(dsn: str, *, folder: Path | None = None) -> MigrationStatus:
    """Compare the database with the migrations this kabao carries, changing nothing."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415  see the top of the file

    with _migrations(folder) as home:
        script = ScriptDirectory.from_config(_config(home))
        revisions = [entry.revision for entry in reversed(list(script.walk_revisions()))]
    current = await _current_revision(dsn)
    is_unknown = current is not None and current not in revisions
    done = revisions.index(current) + 1 if current is not None and not is_unknown else 0
    return MigrationStatus(
        current=current,
        head=revisions[-1],
        pending=[] if is_unknown else revisions[done:],
        newer_than_code=is_unknown,
    )


def _run_pending(connection: "Connection", config: "Config") -> None:
    from alembic import command  # noqa: PLC0415  see the top of the file
    from sqlalchemy import text  # noqa: PLC0415  as above

    connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK})
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _config(home: Path) -> "Config":
    from alembic.config import Config  # noqa: PLC0415  see the top of the file

    config = Config()
    config.set_main_option("script_location", str(home).replace("%", "%%"))
    config.set_main_option("path_separator", "newline")
    return config


def _migrations(folder: Path | None) -> AbstractContextManager[Path]:
    packaged = resources.files("kabao.postgres") / "migrations"
    return resources.as_file(folder or packaged)


async def _current_revision(dsn: str) -> str | None:
    conn = await _connect(dsn)
    try:
        revision: str | None = await conn.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await conn.close()
    return revision


async def _connect(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    try:
        return await asyncpg.connect(dsn, timeout=10.0, server_settings={"application_name": "kabao migrate"})
    except (OSError, TimeoutError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError) as error:
        raise DatabaseUnavailable.because(error) from error
