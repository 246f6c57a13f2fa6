"""The only file that executes the SQL of deposits and the reserve."""

from datetime import datetime
from typing import Any, Final

import asyncpg

from kabao.deposits.model import CLAIM_DAYS, ReserveView
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.deposits")


async def take(
    conn: Connection,
    shop_id: int,
    provider: str,
    payment_id: str,
    account: str,
    amount_minor: int,
    currency: str,
    now: datetime | None,
) -> asyncpg.Record:
    """Book one payment into an account; the record carries outcome and replayed."""
    return await _one(conn, "take", shop_id, provider, payment_id, account, amount_minor, currency, now)


async def give_back(
    conn: Connection, shop_id: int, owner_id: int, step: str, amount_minor: int, now: datetime | None
) -> asyncpg.Record:
    """Send part of a deposit back; the record carries refusal or what is left."""
    return await _one(conn, "give_back", shop_id, owner_id, step, amount_minor, CLAIM_DAYS, now)


async def owner_of(conn: Connection, shop_id: int) -> int | None:
    """Return who owns a shop."""
    owner: int | None = await conn.fetchval(_SQL["owner_of"], shop_id)
    return owner


async def deposit(conn: Connection, shop_id: int, now: datetime | None) -> asyncpg.Record:
    """Return a shop's deposit and debt."""
    return await _one(conn, "deposit", shop_id, CLAIM_DAYS, now)


async def reserve(conn: Connection) -> ReserveView:
    """Return the platform's reserve."""
    return ReserveView(**dict(await _one(conn, "reserve")))


async def _one(conn: Connection, name: str, *arguments: Any) -> asyncpg.Record:
    row = await conn.fetchrow(_SQL[name], *arguments)
    assert row is not None  # noqa: S101  each of these always answers a row
    return row
