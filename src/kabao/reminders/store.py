"""The only file that executes the reminders' SQL."""

# ruff: noqa: D103  each function is the query of its name, which queries.sql describes

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

import msgspec

from kabao.cases import Turn
from kabao.postgres import Connection, load_queries
from kabao.reminders.model import DueCase, Lead, OpenQuestion, Releasing, Talk, Unanswered, Wait

_SQL: Final = load_queries("kabao.reminders")


async def near_cases(conn: Connection, lead: Lead, limit: int, at: datetime | None) -> list[DueCase]:
    rows = await conn.fetch(_SQL.near_cases, lead.mark, lead.until, lead.before, lead.window, limit, at)
    return [msgspec.convert(dict(row), DueCase) for row in rows]


async def waiting_cases(
    conn: Connection, wait: Wait, clear: timedelta, limit: int, at: datetime | None
) -> list[DueCase]:
    rows = await conn.fetch(_SQL.waiting_cases, wait.mark, wait.after, wait.until, clear, limit, at)
    return [msgspec.convert(dict(row), DueCase) for row in rows]


async def talk_read(conn: Connection, talk: Talk, at: datetime | None) -> datetime | None:
    await conn.execute(_SQL.begin_talk, talk.name, talk.after, at)
    read_until: datetime | None = await conn.fetchval(_SQL.talk_read, talk.name)
    return read_until


async def unanswered(
    conn: Connection, talk: Talk, read_until: datetime, limit: int, at: datetime | None
) -> list[Unanswered] | None:
    """Answer None where nothing was said in the stretch."""
    end = await conn.fetchval(_SQL.talk_stretch, read_until, talk.after, limit, at)
    if end is None:
        return None
    await conn.execute(_SQL.talk_read_on, talk.name, end)
    return [Unanswered(**dict(row)) for row in await conn.fetch(_SQL.talk_unanswered, read_until, end)]


async def deciders(
    conn: Connection, shop_id: int, case_id: int, turn: Turn, stage: str, parties: Sequence[int]
) -> list[int]:
    rows = await conn.fetch(_SQL.deciders, shop_id, case_id, turn, stage, parties)
    return [row["account_id"] for row in rows]


async def open_questions(conn: Connection, before: timedelta, limit: int, at: datetime | None) -> list[OpenQuestion]:
    rows = await conn.fetch(_SQL.open_questions, before, limit, at)
    return [OpenQuestion(**dict(row)) for row in rows]


async def releases_read(conn: Connection, before: timedelta, at: datetime | None) -> datetime | None:
    await conn.execute(_SQL.begin_releases, before, at)
    read_until: datetime | None = await conn.fetchval(_SQL.releases_read)
    return read_until


async def releasing(
    conn: Connection, read_until: datetime, before: timedelta, window: timedelta, limit: int, at: datetime | None
) -> list[Releasing]:
    end = await conn.fetchval(_SQL.releases_stretch, read_until, before, limit, at)
    if end is None:
        return []
    await conn.execute(_SQL.releases_read_on, end)
    return [Releasing(**dict(row)) for row in await conn.fetch(_SQL.releasing, read_until, end, window, at)]


async def clock(conn: Connection, at: datetime | None) -> datetime:
    now: datetime = await conn.fetchval(_SQL.clock, at)
    return now


async def undigested(conn: Connection, day: date, limit: int) -> list[tuple[int, list[str]]]:
    rows = await conn.fetch(_SQL.undigested, day, limit)
    return [(row["account_id"], row["roles"]) for row in rows]


async def keep_digest(conn: Connection, account_id: int, day: date, at: datetime | None) -> bool:
    return await conn.fetchval(_SQL.keep_digest, account_id, day, at) is not None
