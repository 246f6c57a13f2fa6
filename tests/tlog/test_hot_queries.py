"""Every query that a page, a proof or a batch waits for has an index to go by, however long the log."""

from typing import Any

import pytest

from kabao.postgres import Database, load_queries
from logbook import NOON, happen, log_over, logged

SQL = load_queries("kabao.tlog")
ASKED: dict[str, tuple[Any, ...]] = {
    "tiles": ([0, -1], [0, 0]),
    "records_of_order": (1, 100),
    "to_prove": (3, 300),
    "erase": (1, 3, NOON),
    "newest_checkpoint": (),
    "checkpoint": (300,),
    "cosignatures": (300,),
    "last_cosigned": ("w",),
    "witnessed": (),
    "records_between": (0, 256),
    "leaves": (),
    "tiles_from": (0, 0, 16),
    "checkpoints_from": (0, 500),
    "cosignatures_of": ([300],),
    "add_cosignature": (300, "w", b"line", NOON),
    "add_checkpoint": (300, b"r" * 32, b"note", NOON),
}
SMALL = {
    "head", "begin", "lock_head", "set_head", "take_lease", "drop_lease", "lease_number", "now", "put_tiles",
    "bench_insert",
}  # fmt: skip
"""Tables of one row, or writes of new rows alone."""


@pytest.mark.parametrize("name", sorted(ASKED))
async def test_a_query_goes_by_an_index(books: Database, name: str) -> None:
    await happen(books, 0, 300)
    await logged(log_over(books))
    async with books.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        plan = "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {SQL[name]}", *ASKED[name]))
    assert "Seq Scan" not in plan, plan


def test_every_query_is_looked_at() -> None:
    assert set(SQL) == set(ASKED) | SMALL
