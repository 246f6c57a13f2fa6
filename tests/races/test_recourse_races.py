"""At the same moment: deposit, reserve and redirected refunds are paid once and never go below zero."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import pytest

from kabao.custody import RESERVE_ACCOUNT, deposit_account
from kabao.deposits import DepositView
from kabao.kernel import OrderId, Refused, parse_ref
from kabao.orders import ClaimPaid, DamagesPaid, Resolved
from kabao.postgres import Database, open_pool
from market import NOON, Market, seed_market
from orderdesk import Desk

PRICE = 9650


@pytest.fixture
async def wide(dsn: str) -> AsyncIterator[Database]:
    async with await open_pool(dsn, size=24) as pool:
        yield pool


async def rule(desk: Desk, market: Market, ref: str) -> Resolved | Refused:
    at = parse_ref(ref)
    assert at is not None
    async with desk.database.transaction() as conn:
        order_id = OrderId(at.object_id)
        await desk.orders.freeze(conn, at.shop_id, order_id, market.buyer_id, "buyer")
        return await desk.orders.resolve(conn, at.shop_id, order_id, PRICE, market.staff_id, "support", "ruled")


async def all_of(desk: Desk) -> None:
    await asyncio.gather(*(desk.runner.run(50) for _ in range(4)))


async def test_many_claims_share_a_deposit_and_a_reserve_to_the_cent(wide: Database) -> None:
    market, desk = await seed_market(wide, keys=30), Desk.on(wide, NOON)
    await desk.deposit(market, 3 * PRICE + 1)
    await desk.fill_reserve(4 * PRICE)
    refs = [await desk.released(market) for _ in range(12)]
    answers = await asyncio.gather(*(rule(desk, market, ref) for ref in refs for _ in range(2)))
    won = [answer for answer in answers if isinstance(answer, Resolved)]
    assert len(won) == 7
    assert {answer.code for answer in answers if isinstance(answer, Refused)} <= {"reserve_short", "not_in_case"}
    assert sum(answer.deposit_minor + answer.reserve_minor for answer in won) == 7 * PRICE
    await desk.assert_books_balance()
    await all_of(desk)
    assert await desk.sandbox.balance(deposit_account(market.shop_id)) == 0
    assert await desk.sandbox.balance(RESERVE_ACCOUNT) == 1
    await desk.assert_books_balance()


async def test_claims_releases_and_sweeps_of_two_owing_shops_never_lock_each_other_out(wide: Database) -> None:
    desk = Desk.on(wide, NOON)
    shops = [await seed_market(wide, keys=60) for _ in range(2)]
    await desk.fill_reserve(100 * PRICE)
    claims, held = [], []
    for market in shops:
        claims += [(market, await desk.released(market)) for _ in range(10)]
        assert isinstance(await rule(desk, *claims[-1]), Resolved)
        held += [(market, await desk.bought(market)) for _ in range(15)]
    await wide.execute("UPDATE escrow SET due_at = $1 WHERE state = 'held'", NOON)
    await asyncio.gather(
        *(rule(desk, market, ref) for market, ref in claims),
        *(desk.orders.confirm(market.buyer, ref) for market, ref in held[::2]),
        *(desk.sweep.tick() for _ in range(4)),
        *(desk.runner.run() for _ in range(4)),
    )
    assert await wide.fetchval("SELECT count(*) FROM escrow WHERE state = 'held'") == 0
    await desk.assert_books_balance()
    for _ in range(10):
        await all_of(desk)
    assert await wide.fetchval("SELECT count(*) FROM custody_instruction WHERE state = 'pending'") == 0
    await desk.assert_books_balance()


async def test_a_deposit_asked_back_while_it_is_claimed_goes_once(wide: Database) -> None:
    desk = Desk.on(wide, NOON)
    ends: Counter[str] = Counter()
    for number in range(15):
        market = await seed_market(wide, keys=1)
        await desk.deposit(market, PRICE)
        ref = await desk.released(market)
        gift = desk.orders.after_release.give_back
        # Nothing may be claimed any more, so that the deposit is free and only the gift reaches for it.
        await wide.execute(
            "UPDATE card_key SET opened_at = $1 WHERE shop_id = $2", NOON.replace(year=2025), market.shop_id
        )
        await wide.execute(
            "UPDATE escrow SET resolved_at = $1 WHERE shop_id = $2", NOON.replace(year=2025), market.shop_id
        )
        back, gave = await asyncio.gather(
            desk.deposits.give_back(market.owner, market.shop_id, PRICE, f"wish {number}"),
            gift(market.owner, ref, PRICE, PRICE),
        )
        assert isinstance(back, Refused) != isinstance(gave, Refused)
        ends["gift" if isinstance(gave, ClaimPaid) else "back"] += 1
        view = await desk.deposits.deposit(market.owner, market.shop_id)
        assert isinstance(view, DepositView)
        assert view.deposit_minor == 0
    assert sum(ends.values()) == 15
    await desk.assert_books_balance()


async def test_damages_ruled_swept_and_a_deposit_asked_back_and_filled_pay_each_award_once(wide: Database) -> None:
    market, desk = await seed_market(wide, keys=8), Desk.on(wide, NOON)
    refs = [await desk.released(market) for _ in range(8)]
    await wide.execute("UPDATE card_key SET opened_at = $1 WHERE state = 'opened'", NOON.replace(year=2025))
    await wide.execute("UPDATE escrow SET resolved_at = $1", NOON.replace(year=2025))
    await desk.deposit(market, 2 * PRICE + 1)

    async def award(ref: str) -> DamagesPaid | Refused:
        at = parse_ref(ref)
        assert at is not None
        async with wide.transaction() as conn:
            order = (conn, at.shop_id, OrderId(at.object_id))
            return await desk.orders.award_damages(*order, "1", PRICE, market.staff_id, "support")

    answers = await asyncio.gather(
        *(award(ref) for ref in refs for _ in range(2)),
        *(desk.orders.after_release.pay_owed_damages() for _ in range(4)),
        desk.deposits.give_back(market.owner, market.shop_id, 1, "wish"),
        *(desk.deposit(market, PRICE) for _ in range(3)),
    )
    assert not [answer for answer in answers[: 2 * len(refs)] if isinstance(answer, Refused)]
    await desk.orders.after_release.pay_owed_damages()
    paid = "SELECT sum(paid_minor), (SELECT deposit_minor FROM shop_fund) AS rest FROM damages_award"
    assert sum(tuple(await wide.fetchrow(paid) or ())) == 5 * PRICE + isinstance(answers[-4], Refused)
    late = await desk.deposits.give_back(market.owner, market.shop_id, 1, "later")
    assert isinstance(late, Refused), "what is owed holds the deposit"
    await desk.deposit(market, 4 * PRICE)
    await desk.orders.after_release.pay_owed_damages()
    assert await wide.fetchval("SELECT count(*) FROM damages_award WHERE paid_minor = $1", PRICE) == len(refs)
    await desk.assert_books_balance()
    for _ in range(3):
        await all_of(desk)
    assert await wide.fetchval("SELECT count(*) FROM custody_instruction WHERE state = 'pending'") == 0
    await desk.assert_books_balance()


async def test_a_gift_sent_twice_is_given_once(wide: Database) -> None:
    market, desk = await seed_market(wide, keys=20), Desk.on(wide)
    await desk.deposit(market, 20 * PRICE)
    for _ in range(15):
        ref = await desk.released(market)
        gift = desk.orders.after_release.give_back
        answers = await asyncio.gather(*(gift(market.owner, ref, 1_000, PRICE) for _ in range(3)))
        assert sum(isinstance(answer, ClaimPaid) for answer in answers) == 1
        assert {answer.code for answer in answers if isinstance(answer, Refused)} == {"invalid_fields"}
        assert (await desk.see(market.buyer, ref)).claim.left_minor == PRICE - 1_000
        assert isinstance(await gift(market.owner, ref, 1_000, PRICE - 1_000), ClaimPaid)
    await desk.assert_books_balance()


async def test_a_redirect_sent_twice_while_runners_repeat_pays_once(wide: Database) -> None:
    market, desk = await seed_market(wide, keys=20), Desk.on(wide)
    refs = []
    for _ in range(12):
        ref = await desk.place(market)
        await desk.sandbox.close_account(await desk.pay(market.buyer, ref))
        await desk.orders.refund_sealed(market.buyer, ref)
        refs.append(ref)
    redirect = desk.orders.after_release.redirect

    async def insist(ref: str) -> int:
        sent = 0
        for _ in range(40):
            answer = await redirect(market.buyer, ref, "account-two")
            sent += 0 if isinstance(answer, Refused) else answer
            await asyncio.sleep(0.01)
        return sent

    async def run() -> None:
        for _ in range(30):
            await desk.runner.run(5)
            await wide.execute("UPDATE custody_instruction SET lease_until = NULL WHERE state = 'pending'")
            await asyncio.sleep(0.01)

    answers = await asyncio.gather(*(insist(ref) for ref in refs for _ in range(2)), *(run() for _ in range(4)))
    assert sum(answer or 0 for answer in answers) == 12 * PRICE
    assert await wide.fetchval("SELECT sum(amount_minor) FROM sandbox.booking WHERE kind = 'refund'") == 12 * PRICE
    await desk.assert_books_balance()


async def test_a_deposit_notice_replayed_from_many_connections_books_once(wide: Database) -> None:
    market, desk = await seed_market(wide), Desk.on(wide)
    path = await desk.deposits.pay_in(market.owner, market.shop_id, 5_000, "/m")
    assert isinstance(path, str)
    payment = await desk.sandbox.pay(path.rpartition("/")[2])
    assert payment is not None
    assert all(await asyncio.gather(*(desk.sandbox.notify(payment, desk.sink) for _ in range(20))))
    view = await desk.deposits.deposit(market.owner, market.shop_id)
    assert isinstance(view, DepositView)
    assert view.deposit_minor == 5_000
    await desk.assert_books_balance()
