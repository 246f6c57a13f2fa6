"""Runs the SQL of what was read in the words of orders."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from kabao.cases.clauses.model import Clause
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.cases.clauses")


async def reading(conn: Connection, shop_id: int, order_id: int) -> list[Clause] | None:
    """Return what was read in an order's listing; None where nothing was kept."""
    kept = await conn.fetchval(_SQL.reading, shop_id, order_id)
    return None if kept is None else msgspec.convert(kept, list[Clause])


async def keep(
    conn: Connection, shop_id: int, order_id: int, checker: str, clauses: Sequence[Clause], at: datetime
) -> None:
    """Keep what was read in an order's listing, unless something is kept already."""
    await conn.execute(_SQL.keep, shop_id, order_id, checker, msgspec.to_builtins(clauses), at)
