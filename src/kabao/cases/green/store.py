"""Runs the SQL of the green channel."""

from datetime import datetime
from typing import Final

from kabao.cases.green.rules import AT_MOST, WITHIN
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.cases.green")


async def may_use(conn: Connection, account_id: int, now: datetime) -> bool:
    """Tell whether a person may still be refunded at once."""
    uses: int = await conn.fetchval(_SQL.uses, account_id, now - WITHIN)
    return uses < AT_MOST


async def take_use(conn: Connection, account_id: int, now: datetime) -> bool:
    """Count one more refund at once; False where there were enough."""
    return await conn.fetchval(_SQL.take_use, account_id, now, now - WITHIN, AT_MOST) is not None
