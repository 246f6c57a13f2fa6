"""The connection pool every feature uses, and the translation of a lost database into one exception.

A service writes `async with db.transaction() as conn:` and executes its named queries on `conn`.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Literal, Self, TypeAlias

import asyncpg
import msgspec
from asyncpg.pool import PoolConnectionProxy

from kabao.postgres.errors import DatabaseFull, DatabaseUnavailable

Connection: TypeAlias = "PoolConnectionProxy[asyncpg.Record]"
Isolation: TypeAlias = Literal["read_committed", "repeatable_read", "serializable"]

CONNECT_SECONDS = 5.0
ACQUIRE_SECONDS = 5.0
COMMAND_SECONDS = 60.0
SERVER_SETTINGS: Mapping[str, str] = {
    "application_name": "kabao",
    "timezone": "UTC",
    "statement_timeout": "55s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "60s",
}

_UNREACHABLE = (
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    TimeoutError,
)
# The driver raises its internal error when a dying server's last word arrived between two statements.
_BROKEN = (*_UNREACHABLE, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError)
_DISK_FULL = "53100"


class Database:
    """A pool of connections to one PostgreSQL database.

    Session state (SET, LISTEN, advisory locks, temporary tables) must not outlive a transaction on these
    connections: they are handed on without the round trip that would clear it.
    """

    def __init__(self, pool: "asyncpg.Pool[asyncpg.Record]", *, acquire_seconds: float = ACQUIRE_SECONDS) -> None:
        self._pool = pool
        self._acquire_seconds = acquire_seconds

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Borrow a connection; each statement commits by itself.

        Raises `DatabaseUnavailable` (or its `DatabaseFull`) when PostgreSQL cannot be reached or goes away.
        """
        conn = await self._acquire()
        try:
            with _translated(conn):
                yield conn
        finally:
            await self._release(conn)

    @asynccontextmanager
    async def transaction(
        self, *, isolation: Isolation = "read_committed", readonly: bool = False
    ) -> AsyncIterator[Connection]:
        """Run the block in one transaction: committed when it ends, undone when it raises.

        Raises `DatabaseUnavailable`; its `outcome_unknown` tells that the break happened during COMMIT.
        """
        async with self.connection() as conn:
            transaction = conn.transaction(isolation=isolation, readonly=readonly)
            await transaction.start()
            try:
                yield conn
            except BaseException:
                # On a broken connection the server has undone it already, and the first error is the story.
                if not _is_lost(conn):
                    await transaction.rollback()
                raise
            try:
                await transaction.commit()
            except _BROKEN as error:
                raise DatabaseUnavailable.because(error, outcome_unknown=True) from error

    async def fetch(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """All rows of one statement, outside any transaction."""
        async with self.connection() as conn:
            return await conn.fetch(query, *args)

    async def fetchrow(self, query: str, *args: Any) -> asyncpg.Record | None:
        """The first row of one statement, or None."""
        async with self.connection() as conn:
            return await conn.fetchrow(query, *args)

    async def fetchval(self, query: str, *args: Any) -> Any:
        """The first column of the first row, or None."""
        async with self.connection() as conn:
            return await conn.fetchval(query, *args)

    async def execute(self, query: str, *args: Any) -> str:
        """Execute one statement and return PostgreSQL's command tag, such as `UPDATE 1`."""
        async with self.connection() as conn:
            return await conn.execute(query, *args)

    async def close(self, *, timeout: float = 10.0) -> None:  # noqa: ASYNC109  passed on to the driver
        """Wait for borrowed connections, at most `timeout` seconds, then close them all."""
        try:
            async with asyncio.timeout(timeout):
                await self._pool.close()
        except (TimeoutError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            self._pool.terminate()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    async def _acquire(self) -> Connection:
        try:
            return await self._pool.acquire(timeout=self._acquire_seconds)
        except _BROKEN as error:
            raise DatabaseUnavailable.because(error) from error

    async def _release(self, conn: Connection) -> None:
        try:
            await self._pool.release(conn)
        except _BROKEN:
            # The driver drops a connection it cannot reset; the work on it has its own result already.
            return


async def open_pool(
    dsn: str,
    *,
    size: int = 10,
    server_settings: Mapping[str, str] | None = None,
    acquire_seconds: float = ACQUIRE_SECONDS,
) -> Database:
    """Open a pool of at most `size` connections to `dsn`; jsonb arrives as Python values.

    Raises `DatabaseUnavailable` when the first connection fails.
    """
    pool = asyncpg.create_pool(
        dsn,
        min_size=0,
        init_size=1,
        max_size=size,
        timeout=CONNECT_SECONDS,
        command_timeout=COMMAND_SECONDS,
        max_inactive_connection_lifetime=300.0,
        init=_teach_json,
        reset=_reset,
        server_settings={**SERVER_SETTINGS, **(server_settings or {})},
    )
    try:
        await pool
    except (*_UNREACHABLE, asyncpg.InternalClientError, OSError) as error:
        raise DatabaseUnavailable.because(error) from error
    return Database(pool, acquire_seconds=acquire_seconds)


@contextmanager
def _translated(conn: Connection) -> Iterator[None]:
    try:
        yield
    except _UNREACHABLE as error:
        raise DatabaseUnavailable.because(error) from error
    except asyncpg.InternalClientError as error:
        conn.terminate()
        raise DatabaseUnavailable.because(error) from error
    except asyncpg.PostgresError as error:
        if error.sqlstate == _DISK_FULL:
            raise DatabaseFull.because(error) from error
        raise
    except asyncpg.InterfaceError as error:
        # The driver uses this class for its caller's mistakes too; those are bugs and stay what they are.
        if _is_lost(conn):
            raise DatabaseUnavailable.because(error) from error
        raise


def _is_lost(conn: Connection) -> bool:
    try:
        return conn.is_closed()
    except asyncpg.InterfaceError:
        # The pool has taken a broken connection away from its borrower.
        return True


async def _teach_json(conn: "asyncpg.Connection[asyncpg.Record]") -> None:
    await conn.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_encode_jsonb, decoder=_decode_jsonb, format="binary"
    )
    await conn.set_type_codec(
        "json", schema="pg_catalog", encoder=msgspec.json.encode, decoder=msgspec.json.decode, format="binary"
    )


def _encode_jsonb(value: object) -> bytes:
    # The binary form of jsonb is a version byte, always 1, and the text.
    return b"\x01" + msgspec.json.encode(value)


def _decode_jsonb(value: bytes) -> Any:
    return msgspec.json.decode(value[1:])


async def _reset(_conn: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Save the round trip of RESET ALL: the driver has ended any open transaction before it calls this."""
