"""Every query on a hot path has an index to go by: with sequential scans priced out, none is left in its plan."""

from datetime import timedelta
from typing import Any

import pytest

from kabao.postgres import Database, load_queries
from market import NOON, Market, paid_order, seed_market

SQL = load_queries("kabao.orders")

INSIDE_THE_STEPS = {
    "allocate keys": (
        """SELECT key_id FROM card_key WHERE shop_id = $1 AND listing_id = $2 AND state = 'available'
            ORDER BY import_id, key_id FOR UPDATE SKIP LOCKED LIMIT 1""",
        (1, 1),
    ),
    "find an idempotent order": (
        "SELECT order_id FROM orders WHERE shop_id = $1 AND buyer_id = $2 AND idempotency_key = $3",
        (1, 1, "k"),
    ),
    "find a free slot": (
        "SELECT 1 FROM orders WHERE shop_id = $1 AND buyer_id = $2 AND state = 'placed' AND reserve_slot = 1",
        (1, 1),
    ),
    "deliver reserved keys": (
        "SELECT 1 FROM card_key WHERE shop_id = $1 AND order_id = $2 AND state = 'reserved'",
        (1, 1),
    ),
    "mature escrows": (
        """SELECT shop_id, order_id FROM escrow WHERE state = 'held' AND due_at <= $1
               AND shop_id <> ALL (ARRAY(SELECT f.shop_id FROM shop_fund f WHERE f.owed_minor > 0))
            ORDER BY due_at, shop_id, order_id FOR UPDATE SKIP LOCKED LIMIT 5000""",
        (NOON,),
    ),
    "keys opened in any shop": (load_queries("kabao.inventory")["opened_before"], (1, 1, NOON)),
    "a shop's debt at a release": (
        "SELECT owed_minor FROM shop_fund WHERE shop_id = $1 AND owed_minor > 0 FOR UPDATE",
        (1,),
    ),
    "a shop's statement": (load_queries("kabao.ledger")["statement"], (1, 200)),
    "unpaid orders to expire": (
        """SELECT shop_id, order_id FROM orders WHERE state = 'placed' AND reserve_until <= $1
            ORDER BY reserve_until, shop_id, order_id FOR UPDATE SKIP LOCKED LIMIT 5000""",
        (NOON,),
    ),
}
NAMED = {
    "order": (1, 1, NOON, 7),
    "key_slots": (1, 1),
    "money_moves": (1, 1),
    "events": (1, 1),
    "had_before": (1, 1),
    "orders_of_buyer": (1, "all", 9, 30),
    "orders_of_shop": (1, 1, "all", 9, 30),
    "to_pay": (1, 1, 1, NOON),
    "held_by_shop": (1,),
    "owner_of": (1, 1),
    "claim_instructions": (NOON, timedelta(seconds=20), 20, "sandbox"),
}


@pytest.fixture
async def market(owner_database: Database) -> Market:
    market = await seed_market(owner_database)
    await paid_order(owner_database, market)
    return market


async def plan_of(database: Database, sql: str, arguments: tuple[Any, ...]) -> str:
    async with database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        return "\n".join(row[0] for row in await conn.fetch(f"EXPLAIN {sql}", *arguments))


@pytest.mark.usefixtures("market")
@pytest.mark.parametrize("what", sorted(INSIDE_THE_STEPS))
async def test_a_step_goes_by_an_index(database: Database, what: str) -> None:
    assert "Seq Scan" not in await plan_of(database, *INSIDE_THE_STEPS[what])


@pytest.mark.usefixtures("market")
@pytest.mark.parametrize("name", sorted(NAMED))
async def test_a_named_query_goes_by_an_index(database: Database, name: str) -> None:
    assert "Seq Scan" not in await plan_of(database, SQL[name], NAMED[name])
