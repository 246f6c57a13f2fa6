"""Runs the SQL of the green channel."""

from datetime import datetime
from typing import Final

from kabao.cases.green.rules import AT_MOST, WITHIN
from kabao.cases.model import LimitBy
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.cases.green")


async def payer(conn: Connection, shop_id: int, order_id: int) -> bytes | None:
    """Return the mark of the account that paid an order; None where no custodian told."""
    mark: bytes | None = await conn.fetchval(_SQL.payer, shop_id, order_id)
    return mark


async def uses(conn: Connection, account_id: int, payer: bytes | None, now: datetime) -> tuple[int, int]:
    """Count the refunds at once of a person, and those of a payer's account, that still count."""
    row = await conn.fetchrow(_SQL.uses, account_id, payer, now - WITHIN)
    assert row is not None  # noqa: S101  a SELECT without FROM answers one row
    return row["of_person"], row["of_payer"]


async def take_use(conn: Connection, account_id: int, payer: bytes | None, now: datetime) -> LimitBy | None:
    """Count one more refund at once of both, or say whose limit is reached and count none."""
    said = await conn.fetchval(_SQL.take_use, account_id, payer, now, now - WITHIN, AT_MOST)
    return None if said is None else LimitBy(said)
