"""The database alone, for commands that need no service: migrate, check, audit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from kabao.orders import AuditReport, audit
from kabao.postgres import (
    AUDIT_ROLE,
    DATABASE,
    OWNER_ROLE,
    DataFolderBusy,
    EmbeddedServer,
    ExplainedError,
    MigrationStatus,
    check,
    open_pool,
    prepare,
    upgrade,
)
from kabao.wiring.settings import Settings


class NotMigrated(ExplainedError):  # noqa: N818  named for what happened
    """The database is older than this kabao; nothing was changed."""


async def migrate(settings: Settings) -> MigrationStatus:
    """Create the database where it is missing and run every pending migration; beside a server it only looks.

    Raises `DataFolderRefused`, `SchemaTooNew`, `ServerFailed`, `DatabaseUnavailable`.
    """
    if settings.owner_dsn:
        await upgrade(settings.owner_dsn)
        return await check(settings.owner_dsn)
    try:
        server = await asyncio.to_thread(EmbeddedServer.start, settings.data, purpose="command")
    except DataFolderBusy:
        # Whoever holds the folder migrated it when it started.
        return await schema_status(settings)
    try:
        await prepare(server)
        return await check(server.dsn(DATABASE, OWNER_ROLE))
    finally:
        await asyncio.to_thread(server.stop)


async def schema_status(settings: Settings) -> MigrationStatus:
    """Compare the database with this kabao's migrations, changing nothing."""
    async with _dsn(settings, OWNER_ROLE) as dsn:
        return await check(dsn)


async def audit_books(settings: Settings) -> AuditReport:
    """Audit all books in one consistent snapshot, reading only, beside a running server or without one.

    Raises `NotMigrated` for a database that an older kabao wrote.
    """
    async with _dsn(settings, AUDIT_ROLE) as dsn:
        status = await check(dsn)
        if status.pending or status.newer_than_code:
            raise NotMigrated(
                zh="数据库的结构和这个版本的卡保不一致，没有对账。请先运行 kabao db check 查看。",
                en="The database's schema is not this kabao's, so nothing was audited. Run kabao db check first.",
            )
        async with (
            await open_pool(dsn, size=1) as database,
            database.transaction(isolation="repeatable_read", readonly=True) as conn,
        ):
            return await audit(conn)


@asynccontextmanager
async def _dsn(settings: Settings, role: str) -> AsyncIterator[str]:
    """Give the address of the database for a role of the embedded server, or somebody else's as it is."""
    if settings.owner_dsn:
        yield settings.owner_dsn
        return
    async with AsyncExitStack() as stack:
        server = await asyncio.to_thread(EmbeddedServer.attach, settings.data)
        stack.push_async_callback(asyncio.to_thread, server.stop)
        yield server.dsn(DATABASE, role)
