"""The sweep releases what is due, once, and stops when time or volume cannot be trusted."""

from datetime import timedelta

import pytest

from kabao.kernel import FixedClock
from kabao.orders import OrderState, SweepService
from kabao.postgres import Database
from market import NOON, Market, paid_order, placed_order, seed_market
from orderdesk import Desk


@pytest.fixture
async def market(owner_database: Database) -> Market:
    return await seed_market(owner_database, keys=40)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk.on(database, NOON)


def clock_of(desk: Desk) -> FixedClock:
    assert isinstance(desk.clock, FixedClock)
    return desk.clock


async def test_nothing_is_released_before_it_is_due_and_everything_after(desk: Desk, market: Market) -> None:
    ref = await desk.bought(market)
    clock_of(desk).advance(timedelta(hours=72, seconds=-1))
    assert (await desk.sweep.tick()).released == 0
    clock_of(desk).advance(timedelta(seconds=1))
    assert (await desk.sweep.tick()).released == 1
    assert (await desk.sweep.tick()).released == 0
    view = await desk.see(market.buyer, ref)
    assert view.state is OrderState.CONFIRMED
    assert view.events[-1].actor_role == "system"
    assert view.allowed >= {"reveal"}
    await desk.runner.run()
    await desk.assert_books_balance()


async def test_a_frozen_order_is_not_released(desk: Desk, market: Market) -> None:
    ref = await desk.bought(market)
    view = await desk.see(market.buyer, ref)
    async with desk.database.transaction() as conn:
        await desk.orders.freeze(conn, view.shop_id, view.order_id, market.buyer_id, "buyer")
    clock_of(desk).advance(timedelta(days=400))
    assert (await desk.sweep.tick()).released == 0


async def test_after_a_partial_refund_only_the_rest_is_released(desk: Desk, market: Market) -> None:
    ref = await desk.bought(market, quantity=2)
    await desk.reveal(market, ref, [1])
    await desk.orders.refund_sealed(market.buyer, ref)
    clock_of(desk).advance(timedelta(hours=73))
    assert (await desk.sweep.tick()).released == 1
    escrow = (await desk.see(market.buyer, ref)).escrow
    assert escrow is not None
    assert (escrow.state, escrow.released, escrow.refunded, escrow.fee) == ("split", 9650, 9650, 193)
    await desk.runner.run()
    await desk.assert_books_balance()


async def test_batches_go_on_until_nothing_is_left(database: Database, market: Market) -> None:
    for _ in range(7):
        await paid_order(database, market, now=NOON)
        await placed_order(database, market, now=NOON)
    clock = FixedClock(NOON + timedelta(days=4))
    report = await SweepService(database=database, clock=clock, batch=3).tick()
    assert (report.released, report.expired) == (7, 7)
    await Desk.on(database).assert_books_balance()


async def test_a_clock_jump_halts_every_sweeper_until_it_is_resumed(
    database: Database, desk: Desk, market: Market
) -> None:
    await desk.bought(market)
    seconds = [0.0]
    first = SweepService(database=database, clock=desk.clock, monotonic=lambda: seconds[0])
    second = SweepService(database=database, clock=desk.clock)
    assert (await first.tick()).halted_why is None
    clock_of(desk).advance(timedelta(days=30))
    seconds[0] += 2
    jumped = await first.tick()
    assert jumped.released == 0
    assert jumped.halted_why is not None
    assert (await second.tick()).halted_why == jumped.halted_why
    status = await first.status()
    assert (status.halted_why, status.due, status.held) == (jumped.halted_why, 1, 1)
    await first.resume()
    assert (await first.status()).halted_why is None
    assert (await first.tick()).released == 1


async def test_an_abnormal_volume_halts_and_is_released_once_accepted(database: Database, market: Market) -> None:
    order = await paid_order(database, market, now=NOON)
    await database.execute(
        """WITH o AS (INSERT INTO orders (shop_id, order_id, buyer_id, listing_id, snapshot_no, quantity, unit_minor,
             amount_minor, currency, fee_bps, escrow_seconds, previous, state, idempotency_key, reserve_slot,
             reserve_until, placed_at)
           SELECT shop_id, n, buyer_id, listing_id, snapshot_no, quantity, unit_minor, amount_minor, currency, fee_bps,
                  escrow_seconds, 'placed', 'delivered', 'k' || n, 1, reserve_until, placed_at
             FROM orders, generate_series(1, 1000) n WHERE order_id = $1 RETURNING shop_id, order_id)
           INSERT INTO escrow (shop_id, order_id, provider, payment_id, amount_minor, currency, due_at)
           SELECT shop_id, order_id, 'sandbox', 'p' || order_id, 9650, 'CNY', $2 FROM o""",
        order,
        NOON,
    )
    sweep = SweepService(database=database, clock=FixedClock(NOON + timedelta(days=30)))
    halted = await sweep.tick()
    assert halted.halted_why == "abnormal volume: 1001 of 1001 held escrows are due at once"
    await sweep.resume()
    assert (await sweep.tick()).released == 1001
