"""The only file that executes the bench's own SQL."""

from typing import Any, Final

from kabao.postgres import Database, load_queries

_SQL: Final = load_queries("kabao.bench", "orders.sql")
_EVIDENCE: Final = load_queries("kabao.bench", "evidence.sql")


async def run(database: Database, name: str, *arguments: Any) -> None:
    """Run one of the bench's statements."""
    await database.execute(_SQL[name], *arguments)


async def ask(database: Database, name: str, *arguments: Any) -> dict[str, Any]:
    """Return the one row of one of the bench's questions."""
    row = await database.fetchrow(_SQL[name], *arguments)
    return {} if row is None else dict(row)


async def run_evidence(database: Database, name: str, *arguments: Any) -> None:
    """Run one of the statements of the bench of evidence."""
    await database.execute(_EVIDENCE[name], *arguments)
