"""The only file that executes the SQL of saved cases."""

# ruff: noqa: D103  each function is the query of its name, which queries.sql describes

from datetime import date, datetime
from typing import Final, NamedTuple

import asyncpg

from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.helpcases")


class Row(NamedTuple):
    """A saved case as the database keeps it."""

    account_id: int
    case_id: int
    version: int
    wrapped_key: bytes
    sealed: bytes
    made_at: datetime
    saved_at: datetime
    remind_at: datetime | None


class Used(NamedTuple):
    """How much room is taken."""

    files: int
    case_bytes: int
    account_bytes: int


class Stored(NamedTuple):
    """Where a file's bytes lie."""

    file_id: int
    blob: bytes
    blob_size: int


async def lock_account(conn: Connection, account_id: int) -> None:
    await conn.execute(_SQL.lock_account, account_id)


async def count_cases(conn: Connection, account_id: int) -> int:
    count: int = await conn.fetchval(_SQL.count_cases, account_id)
    return count


async def add_case(
    conn: Connection,
    account_id: int,
    case_id: int,
    wrapped_key: bytes,
    sealed: bytes,
    remind_at: datetime | None,
    at: datetime | None,
) -> Row:
    row = await conn.fetchrow(_SQL.add_case, account_id, case_id, wrapped_key, sealed, remind_at, at)
    return _row(row)


async def cases(conn: Connection, account_id: int, limit: int) -> list[Row]:
    return [_row(row) for row in await conn.fetch(_SQL.cases, account_id, limit)]


async def any_case(conn: Connection) -> Row | None:
    row = await conn.fetchrow(_SQL.any_case)
    return _row(row) if row else None


async def find_case(conn: Connection, account_id: int, case_id: int) -> Row | None:
    row = await conn.fetchrow(_SQL.find_case, account_id, case_id)
    return _row(row) if row else None


async def lock_case(conn: Connection, account_id: int, case_id: int) -> Row | None:
    row = await conn.fetchrow(_SQL.lock_case, account_id, case_id)
    return _row(row) if row else None


async def change_case(
    conn: Connection,
    account_id: int,
    case_id: int,
    version: int,
    sealed: bytes,
    remind_at: datetime | None,
    at: datetime | None,
) -> Row:
    row = await conn.fetchrow(_SQL.change_case, account_id, case_id, version, sealed, remind_at, at)
    return _row(row)


async def delete_case(conn: Connection, account_id: int, case_id: int, link: str) -> list[bytes]:
    blobs = await conn.fetch(_SQL.delete_files, account_id, case_id)
    await conn.execute(_SQL.delete_notices, account_id, link)
    await conn.execute(_SQL.delete_case, account_id, case_id)
    return [row["blob"] for row in blobs]


async def used(conn: Connection, account_id: int, case_id: int) -> Used:
    row = await conn.fetchrow(_SQL.used, account_id, case_id)
    assert row is not None  # noqa: S101  an aggregate always answers a row
    return Used(**dict(row))


async def add_file(
    conn: Connection, account_id: int, case_id: int, file_id: int, blob: bytes, blob_size: int, at: datetime | None
) -> None:
    await conn.execute(_SQL.add_file, account_id, case_id, file_id, blob, blob_size, at)


async def files(conn: Connection, account_id: int, case_id: int) -> list[Stored]:
    return [Stored(**dict(row)) for row in await conn.fetch(_SQL.files, account_id, case_id)]


async def delete_file(conn: Connection, account_id: int, case_id: int, file_id: int) -> bytes | None:
    blob: bytes | None = await conn.fetchval(_SQL.delete_file, account_id, case_id, file_id)
    return blob


async def due_case(conn: Connection, at: datetime | None) -> tuple[Row, datetime] | None:
    row = await conn.fetchrow(_SQL.due_case, at)
    return (_row(row), row["now"]) if row else None


async def remind_next(conn: Connection, account_id: int, case_id: int, remind_at: datetime | None) -> None:
    await conn.execute(_SQL.remind_next, account_id, case_id, remind_at)


async def count_ending(conn: Connection, outcome_id: int, month: date, ending: str) -> None:
    await conn.execute(_SQL.count_ending, outcome_id, month, ending)


def _row(row: asyncpg.Record | None) -> Row:
    assert row is not None  # noqa: S101  each of these answers a row
    return Row(*(row[name] for name in Row._fields))
