"""Runs the SQL of the desk and turns rows into values."""

from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from asyncpg import Record

from kabao.cases.desk import rules
from kabao.cases.desk.model import (
    COUNTED_TO,
    HERE_FOR,
    NEAR,
    After,
    Counts,
    Draft,
    Lane,
    Other,
    OwnView,
    QueueCard,
    QueueWish,
    Seats,
    TimeLeft,
)
from kabao.cases.ladder.model import Shares
from kabao.cases.store import CaseRow, card_of
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.cases.desk")
_FIRST: Final = After(datetime(1970, 1, 1, tzinfo=UTC), 0, 0)


async def queue(
    conn: Connection,
    staff_id: int,
    wish: QueueWish,
    limit: int,
    at: datetime | None,
    *,
    is_support: bool,
    is_duty: bool,
) -> list[QueueCard]:
    """Return a page of the queue of a member of staff, the most urgent first."""
    rows = await conn.fetch(
        _SQL.queue,
        staff_id,
        is_support,
        is_duty,
        at,
        wish.lane,
        NEAR,
        *_filters(wish),
        wish.time or "",
        *(wish.after or _FIRST),
        limit,
    )
    return [_queued(row) for row in rows]


async def counts(
    conn: Connection, staff_id: int, wish: QueueWish, at: datetime | None, *, is_support: bool, is_duty: bool
) -> Counts:
    """Count what fits the filters, in each lane by the time left."""
    rows = await conn.fetch(_SQL.counts, staff_id, is_support, is_duty, at, NEAR, *_filters(wish), COUNTED_TO)
    return {(Lane(row["lane"]), TimeLeft(row["time_left"])): row["cases"] for row in rows}


async def by_number(conn: Connection, shop_id: int, number: int, at: datetime | None) -> list[QueueCard]:
    """Return the cases that a number names."""
    return [_queued(row) for row in await conn.fetch(_SQL.by_number, shop_id, number, at)]


async def be_here(conn: Connection, case: CaseRow, staff_id: int, role: str) -> None:
    """Renew somebody's lease on a case."""
    until = case.now + HERE_FOR
    await conn.execute(_SQL.be_here, case.shop_id, case.case_id, staff_id, role, case.now, until)


async def others_here(conn: Connection, case: CaseRow, staff_id: int) -> list[Other]:
    """Return who else has a case open, the latest first."""
    rows = await conn.fetch(_SQL.others_here, case.shop_id, case.case_id, staff_id, case.now)
    return [msgspec.convert(dict(row), Other) for row in rows]


async def save_draft(
    conn: Connection, case: CaseRow, staff_id: int, typed: dict[str, str], expires_at: datetime
) -> None:
    """Keep a draft."""
    place = (case.shop_id, case.case_id, case.state.stage, staff_id)
    await conn.execute(_SQL.save_draft, *place, typed, case.now, expires_at)


async def draft(conn: Connection, case: CaseRow, staff_id: int) -> Draft | None:
    """Return somebody's own draft."""
    row = await conn.fetchrow(_SQL.draft, case.shop_id, case.case_id, staff_id, case.now)
    return None if row is None else msgspec.convert(dict(row), Draft)


async def drop_draft(conn: Connection, case: CaseRow, staff_id: int) -> None:
    """Throw somebody's own draft away."""
    await conn.execute(_SQL.drop_draft, case.shop_id, case.case_id, staff_id)


async def draft_until(conn: Connection, case: CaseRow, staff_id: int, expires_at: datetime) -> None:
    """Set when a draft is gone."""
    await conn.execute(_SQL.draft_until, case.shop_id, case.case_id, case.state.stage, staff_id, expires_at)


async def own_view(conn: Connection, case: CaseRow, staff_id: int) -> OwnView | None:
    """Return the first view somebody has put down in this stage."""
    row = await conn.fetchrow(_SQL.own_view, case.shop_id, case.case_id, case.state.stage, staff_id)
    if row is None:
        return None
    values: dict[str, Any] = dict(row)
    shares = Shares(**{name: values.pop(f"share_{name}") for name in ("buyer", "merchant", "platform")})
    return msgspec.convert({**values, "shares": shares}, OwnView)


async def seats(conn: Connection, case: CaseRow, staff_id: int, needed: int) -> Seats:
    """Return how the panel of this stage is filled."""
    row = await conn.fetchrow(_SQL.seats, case.shop_id, case.case_id, case.state.stage, staff_id)
    return msgspec.convert({**dict(row or {}), "needed": needed}, Seats)


def _queued(row: Record) -> QueueCard:
    return QueueCard(card=card_of(row), is_asked=row["is_asked"], runs_from=row["runs_from"])


def _filters(wish: QueueWish) -> tuple[str, str, int, int, str]:
    return wish.stage, wish.claim, wish.least_minor, wish.most_minor, rules.like(wish.text)
