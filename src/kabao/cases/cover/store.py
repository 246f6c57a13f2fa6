"""Runs the SQL of covers and turns rows into values."""

from datetime import datetime
from typing import Final

import msgspec

from kabao.cases.cover.model import SHOWN, Cover, CoverDeed, SetCover
from kabao.cases.store import CaseRow
from kabao.kernel import format_ref
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.cases.cover")


async def lock_shop(conn: Connection, shop_id: int) -> int | None:
    """Lock a shop and return its owner."""
    owner_id: int | None = await conn.fetchval(_SQL.lock_shop, shop_id)
    return owner_id


async def standing(conn: Connection, shop_id: int) -> Cover | None:
    """Return the cover that stands for a shop, with what it has given."""
    row = await conn.fetchrow(_SQL.standing, shop_id)
    return None if row is None else msgspec.convert(dict(row), Cover)


async def locked(conn: Connection, shop_id: int) -> Cover | None:
    """Lock the cover that stands for a shop and return it as it is under the lock; None too where it was just ended."""
    is_locked = await conn.fetchval(_SQL.lock_cover, shop_id) is not None
    return await standing(conn, shop_id) if is_locked else None


async def end_cover(conn: Connection, shop_id: int, at: datetime | None) -> bool:
    """End the cover that stands; false where none does."""
    return await conn.fetchval(_SQL.end_cover, shop_id, at) is not None


async def add_cover(
    conn: Connection, shop_id: int, cover_id: int, wish: SetCover, made_by: int, at: datetime | None
) -> None:
    """Set a cover."""
    fields = (wish.from_at, wish.until_at, wish.each_minor, wish.total_minor)
    await conn.execute(_SQL.add_cover, shop_id, cover_id, *fields, made_by, at)


async def deeds(conn: Connection, shop_id: int) -> list[CoverDeed]:
    """Return what covers did in a shop, newest first."""
    rows = await conn.fetch(_SQL.deeds, shop_id, SHOWN)
    return [
        CoverDeed(
            ref=format_ref(shop_id, row["case_id"]),
            refund_minor=row["refund_minor"],
            refused=row["refused"],
            at=row["at"],
        )
        for row in rows
    ]


async def has_looked(conn: Connection, shop_id: int, cover_id: int, case_id: int) -> bool:
    """Tell whether a cover has looked at a case."""
    has: bool = await conn.fetchval(_SQL.has_looked, shop_id, cover_id, case_id)
    return has


async def add_deed(conn: Connection, case: CaseRow, cover_id: int, refund_minor: int, refused: str | None) -> None:
    """Keep what a cover did with a case."""
    await conn.execute(_SQL.add_deed, case.shop_id, cover_id, case.case_id, refund_minor, refused, case.now)


async def covered_cases(
    conn: Connection, at: datetime | None, after: tuple[int, int], limit: int
) -> list[tuple[int, int]]:
    """Return shop and number of the next cases that wait for a merchant who is away."""
    rows = await conn.fetch(_SQL.covered_cases, at, *after, limit)
    return [(row["shop_id"], row["case_id"]) for row in rows]
