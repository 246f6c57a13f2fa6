"""At the same moment: of confirm, case, sweep and refund exactly one wins; stock is never sold twice."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest

from kabao.custody import PaymentNotice
from kabao.kernel import FixedClock, Refused
from kabao.orders import OrderState
from kabao.postgres import Database, open_pool
from market import NOON, PHONE, open_account, person, seed_market
from orderdesk import Desk

ROUNDS = 120


@pytest.fixture
async def wide(dsn: str) -> AsyncIterator[Database]:
    async with await open_pool(dsn, size=24) as pool:
        yield pool


async def test_two_hundred_buyers_get_fifty_keys(wide: Database) -> None:
    market = await seed_market(wide, keys=50)
    buyers = [person(await open_account(wide)) for _ in range(200)]
    desk = Desk.on(wide)
    outcomes = await asyncio.gather(*(desk.orders.place(buyer, desk.wish(market)) for buyer in buyers))
    placed = [(buyer, won) for buyer, won in zip(buyers, outcomes, strict=True) if not isinstance(won, Refused)]
    assert len(placed) == 50
    assert {lost.code for lost in outcomes if isinstance(lost, Refused)} == {"sold_out"}
    await asyncio.gather(*(desk.pay(buyer, won.ref) for buyer, won in placed))
    keys = await wide.fetch("SELECT key_id, order_id FROM card_key WHERE state = 'sealed'")
    assert len({row["key_id"] for row in keys}) == len({row["order_id"] for row in keys}) == 50
    report = await desk.assert_books_balance()
    assert (report.orders, report.holds, report.held_minor) == (50, 50, 50 * 9650)


async def test_one_buyer_in_many_tabs_stays_within_the_cap_and_one_key_is_one_order(wide: Database) -> None:
    market = await seed_market(wide, keys=50)
    desk = Desk.on(wide)
    same = await asyncio.gather(*(desk.orders.place(market.buyer, desk.wish(market, key="same")) for _ in range(20)))
    assert len({won.ref for won in same if not isinstance(won, Refused)}) == 1
    await asyncio.gather(*(desk.orders.place(market.buyer, desk.wish(market)) for _ in range(20)))
    assert await wide.fetchval("SELECT count(*) FROM orders WHERE state = 'placed'") == 3
    assert await wide.fetchval("SELECT count(*) FROM card_key WHERE state = 'reserved'") == 3


async def test_a_notice_replayed_from_many_connections_holds_once(wide: Database) -> None:
    market = await seed_market(wide)
    desk = Desk.on(wide)
    ref = await desk.place(market)
    path = await desk.orders.checkout(market.buyer, ref)
    assert isinstance(path, str)
    payments = [await desk.sandbox.pay(path.rpartition("/")[2]) for _ in range(3)]
    sends = [payment for payment in payments if payment for _ in range(20)]
    random.Random(7).shuffle(sends)  # noqa: S311  an order, not a secret
    assert all(await asyncio.gather(*(desk.sandbox.notify(payment, desk.sink) for payment in sends)))
    outcomes = Counter(row["outcome"] for row in await wide.fetch("SELECT outcome FROM payment"))
    assert outcomes == {"applied": 1, "second_payment": 2}
    await asyncio.gather(*(desk.runner.run() for _ in range(4)))
    assert await wide.fetchval("SELECT count(*) FROM sandbox.booking") == 2
    await desk.assert_books_balance()


async def test_confirm_case_sweep_and_refund_have_one_winner(wide: Database) -> None:
    market = await seed_market(wide, keys=ROUNDS + 5)
    desk = Desk.on(wide, NOON)
    clock = desk.clock
    assert isinstance(clock, FixedClock)
    wins: Counter[str] = Counter()
    for number in range(ROUNDS):
        clock.at = NOON
        ref = await desk.bought(market)
        view = await desk.see(market.buyer, ref)
        clock.advance(timedelta(hours=72))

        async def freeze(order_id: int = view.order_id) -> bool:
            async with wide.transaction() as conn:
                held = await desk.orders.freeze(conn, market.shop_id, order_id, market.buyer_id, "buyer")  # type: ignore[arg-type]
                # Where the money went out first, the case is a claim after the release and stops nothing.
                state = await conn.fetchval("SELECT state FROM escrow WHERE order_id = $1", order_id)
                return not isinstance(held, Refused) and state == "disputed"

        async def confirm(ref: str = ref) -> bool:
            return not isinstance(await desk.orders.confirm(market.buyer, ref), Refused)

        async def refund(ref: str = ref) -> bool:
            return not isinstance(await desk.orders.refund_sealed(market.buyer, ref), Refused)

        async def sweep() -> bool:
            return (await desk.sweep.tick()).released == 1

        steps: dict[str, Callable[[], Awaitable[bool]]] = {
            "freeze": freeze,
            "confirm": confirm,
            "refund": refund,
            "sweep": sweep,
        }
        order = list(steps)
        random.Random(number).shuffle(order)  # noqa: S311  an order, not a secret
        results = await asyncio.gather(*(steps[name]() for name in order))
        winners = [name for name, won in zip(order, results, strict=True) if won]
        assert len(winners) == 1, winners
        wins[winners[0]] += 1
        expected = {"freeze": "disputed", "confirm": "released", "refund": "refunded", "sweep": "released"}
        escrow = (await desk.see(market.buyer, ref)).escrow
        assert escrow is not None
        assert escrow.state == expected[winners[0]]
    assert sum(wins.values()) == ROUNDS
    await desk.runner.run(1000)
    await desk.assert_books_balance()


async def test_many_sweepers_release_each_escrow_once(wide: Database) -> None:
    market = await seed_market(wide, keys=60, max_quantity=1)
    desk = Desk.on(wide, NOON)
    for _ in range(60):
        await desk.bought(market)
    later = [Desk.on(wide, NOON + timedelta(days=4)).sweep for _ in range(6)]
    reports = await asyncio.gather(*(sweep.tick() for sweep in later))
    assert sum(report.released for report in reports) == 60
    await desk.assert_books_balance()


async def test_reveal_against_refund_opens_or_refunds_but_never_both(wide: Database) -> None:
    market = await seed_market(wide, keys=20)
    desk = Desk.on(wide)
    for _ in range(15):
        ref = await desk.bought(market)
        opened, refunded = await asyncio.gather(
            desk.orders.reveal(market.buyer, ref, None, PHONE), desk.orders.refund_sealed(market.buyer, ref)
        )
        assert isinstance(opened, Refused) != isinstance(refunded, Refused)
        view = await desk.see(market.buyer, ref)
        assert view.state is (OrderState.OPENED if isinstance(refunded, Refused) else OrderState.REFUNDED)
    await desk.assert_books_balance()


async def test_cancel_against_pay_against_expiry_never_loses_money(wide: Database) -> None:
    market = await seed_market(wide, keys=30)
    desk = Desk.on(wide, NOON)
    clock = desk.clock
    assert isinstance(clock, FixedClock)
    for _ in range(15):
        clock.at = NOON
        ref = await desk.place(market)
        path = await desk.orders.checkout(market.buyer, ref)
        assert isinstance(path, str)
        payment = await desk.sandbox.pay(path.rpartition("/")[2])
        assert payment is not None
        clock.advance(timedelta(minutes=16))
        await asyncio.gather(
            desk.orders.cancel(market.buyer, ref), desk.sandbox.notify(payment, desk.sink), desk.sweep.tick()
        )
        assert (await desk.see(market.buyer, ref)).state in ("delivered", "cancelled", "expired")
    await desk.runner.run(1000)
    await desk.assert_books_balance()


async def test_one_payment_claimed_for_many_orders_is_booked_for_one(wide: Database) -> None:
    market = await seed_market(wide, keys=30)
    desk = Desk.on(wide)
    refs = [await desk.place(market, person(await open_account(wide))) for _ in range(20)]
    payment = "SAME"
    notices = [
        desk.sandbox.notice_body(
            PaymentNotice(payment_id=payment, merchant_ref=ref, amount_minor=9650, currency="CNY", paid_at="now")
        )
        for ref in refs
    ]
    outcomes = await asyncio.gather(*(desk.orders.take_notice(body, desk.sandbox.sign(body)) for body in notices))
    assert sum(not isinstance(outcome, Refused) for outcome in outcomes) == 1
    assert {outcome.code for outcome in outcomes if isinstance(outcome, Refused)} == {"notice_contradicts"}
    assert await wide.fetchval("SELECT count(*) FROM escrow") == 1
