"""The only file that executes the notices' SQL."""

# ruff: noqa: D103  each function is the query of its name, which queries.sql describes

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from kabao.notices.model import Attachment, Channel, Letter, Notice, QuietHours, ShortLetter, Topic
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


async def is_wanted(conn: Connection, account_id: int, topic: Topic) -> bool:
    wanted: bool = await conn.fetchval(_SQL.is_wanted, account_id, topic)
    return wanted


async def topics_off(conn: Connection, account_id: int) -> set[Topic]:
    return {Topic(row["topic"]) for row in await conn.fetch(_SQL.topics_off, account_id)}


async def choose(conn: Connection, account_id: int, topic: Topic, at: datetime | None, *, is_on: bool) -> None:
    await conn.execute(_SQL.choose, account_id, topic, is_on, at)


async def add_mail(
    conn: Connection,
    account_id: int,
    mail_id: int,
    kind: str,
    topic: Topic,
    subject: str,
    body: str,
    attachments: Sequence[Attachment],
    at: datetime | None,
    held_until: datetime | None,
) -> None:
    files = msgspec.to_builtins(list(attachments))
    await conn.execute(_SQL.add_mail, account_id, mail_id, kind, topic, subject, body, files, at, held_until)


async def quiet_hours(conn: Connection, account_id: int, at: datetime | None) -> tuple[QuietHours, datetime] | None:
    row = await conn.fetchrow(_SQL.quiet_hours, account_id, at)
    return (QuietHours(row["from_minute"], row["to_minute"], row["zone"]), row["now"]) if row else None


async def set_quiet_hours(conn: Connection, account_id: int, hours: QuietHours, at: datetime | None) -> None:
    await conn.execute(_SQL.set_quiet_hours, account_id, hours.from_minute, hours.to_minute, hours.zone, at)


async def end_quiet_hours(conn: Connection, account_id: int, at: datetime | None) -> None:
    await conn.execute(_SQL.end_quiet_hours, account_id)
    await conn.execute(_SQL.release_held, account_id, at)
    await conn.execute(_SQL.release_short, account_id, at)


async def claim(conn: Connection, lease: timedelta, at: datetime | None) -> Letter | None:
    row = await conn.fetchrow(_SQL.claim, lease, at)
    return msgspec.convert(dict(row), Letter) if row else None


async def postpone(conn: Connection, letter: Letter, at: datetime | None, wait: timedelta, why: str) -> None:
    await conn.execute(_SQL.postpone, letter.account_id, letter.mail_id, letter.attempt, at, wait, why[:200])


async def end(conn: Connection, letter: Letter, state: str, why: str | None, at: datetime | None) -> bool:
    error = why[:200] if why else None
    ended = await conn.fetchval(_SQL.end_mail, letter.account_id, letter.mail_id, letter.attempt, state, error, at)
    return ended is not None


async def empty_old(conn: Connection, after: timedelta, at: datetime | None) -> int:
    return len(await conn.fetch(_SQL.empty_old, after, at))


async def short_on(conn: Connection, account_id: int) -> list[Channel]:
    return [Channel(row["channel"]) for row in await conn.fetch(_SQL.short_on, account_id)]


async def choose_short(
    conn: Connection, account_id: int, channel: Channel, at: datetime | None, *, is_on: bool
) -> None:
    await conn.execute(_SQL.choose_short, account_id, channel, is_on, at)


async def add_short(
    conn: Connection,
    account_id: int,
    message_id: int,
    channel: Channel,
    kind: str,
    subject: str,
    link: str,
    at: datetime | None,
    held_until: datetime | None,
    at_most: int,
) -> None:
    place = (account_id, message_id, channel, kind)
    await conn.execute(_SQL.add_short, *place, subject, link, at, held_until, at_most)


async def claim_short(conn: Connection, channel: Channel, lease: timedelta, at: datetime | None) -> ShortLetter | None:
    row = await conn.fetchrow(_SQL.claim_short, channel, lease, at)
    return msgspec.convert(dict(row), ShortLetter) if row else None


async def postpone_short(conn: Connection, letter: ShortLetter, at: datetime | None, wait: timedelta, why: str) -> None:
    await conn.execute(_SQL.postpone_short, letter.account_id, letter.message_id, letter.attempt, at, wait, why[:200])


async def end_short(conn: Connection, letter: ShortLetter, state: str, why: str | None, at: datetime | None) -> bool:
    place, error = (letter.account_id, letter.message_id, letter.attempt), why[:200] if why else None
    return await conn.fetchval(_SQL.end_short, *place, state, error, at) is not None


async def drop_short(conn: Connection, after: timedelta, at: datetime | None) -> int:
    return len(await conn.fetch(_SQL.drop_short, after, at))
