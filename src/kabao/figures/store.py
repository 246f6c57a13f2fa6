"""The only file that executes the SQL of the figures."""

from datetime import datetime
from typing import Final

from kabao.figures.openly import Counted
from kabao.postgres import Connection, load_queries

_SQL: Final = load_queries("kabao.figures")
ALIKE_AT_MOST: Final = 2_000
LOOKED_THROUGH: Final = 20_000


async def similar_endings(conn: Connection, claim: str, category: str, *, is_opened: bool) -> dict[str, int]:
    """Count how the latest similar closed cases ended."""
    rows = await conn.fetch(_SQL.similar_endings, claim, category, is_opened, ALIKE_AT_MOST, LOOKED_THROUGH)
    return {row["ending"]: row["cases"] for row in rows}


async def public_counts(conn: Connection, at: datetime | None) -> list[Counted]:
    """Count everything that is published, in one statement."""
    return [Counted(**dict(row)) for row in await conn.fetch(_SQL.public_counts, at)]
