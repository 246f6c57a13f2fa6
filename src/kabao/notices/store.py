"""The only file that executes the notices' SQL."""

# ruff: noqa: D103  each function is the query of its name, which queries.sql describes

from datetime import datetime

from kabao.notices.model import Notice
from kabao.postgres import Connection, load_queries

_SQL = load_queries("kabao.notices")


async def add(
    conn: Connection, account_id: int, notice_id: int, kind: str, subject: str, link: str, at: datetime | None
) -> None:
    await conn.execute(_SQL.add, account_id, notice_id, kind, subject, link, at)


async def unread_count(conn: Connection, account_id: int, limit: int) -> int:
    count: int = await conn.fetchval(_SQL.unread_count, account_id, limit)
    return count


async def inbox(conn: Connection, account_id: int, before: int | None, limit: int) -> list[Notice]:
    return [Notice(**dict(row)) for row in await conn.fetch(_SQL.inbox, account_id, before, limit)]


async def mark_read(conn: Connection, account_id: int, notice_id: int, at: datetime | None) -> bool:
    return await conn.fetchval(_SQL.mark_read, account_id, notice_id, at) is not None


async def mark_all_read(conn: Connection, account_id: int, at: datetime | None) -> None:
    await conn.execute(_SQL.mark_all_read, account_id, at)
