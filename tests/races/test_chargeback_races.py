"""At the same moment: bank, buyer, clock and a ruling reach for a payment and its key; one of them has it."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import dispute
from kabao.custody import CustodianUnreachable, SandboxInstitution
from kabao.kernel import FixedClock, IdSource, OrderId, Refusal, Refused, parse_ref
from kabao.orders import OrderService, Resolved
from kabao.postgres import Database, DatabaseUnavailable, open_pool
from market import NOON, Market, seed_market
from orderdesk import PHONE, SECRET, Desk, open_nothing

PRICE = 9650
ROUNDS = 8
SEED = 20261125


@pytest.fixture
async def wide(dsn: str) -> AsyncIterator[Database]:
    async with await open_pool(dsn, size=24) as pool:
        yield pool


async def rule(desk: Desk, market: Market, ref: str, refund: int) -> Resolved | Refused:
    at = parse_ref(ref)
    assert at is not None
    async with desk.database.transaction() as conn:
        order_id = OrderId(at.object_id)
        frozen = await desk.orders.freeze(conn, at.shop_id, order_id, market.buyer_id, "buyer")
        if isinstance(frozen, Refused):
            return frozen
        return await desk.orders.resolve(conn, at.shop_id, order_id, refund, market.staff_id, "support", "ruled")


async def rule_after(desk: Desk, market: Market, ref: str) -> Resolved | Refused:
    """Rule on what is released already: first the deposit pays, then the reserve."""
    await asyncio.sleep(0.01)
    return await rule(desk, market, ref, PRICE)


async def take_back(desk: Desk, payment: str, wait: float) -> None:
    """Take a payment back at some moment and tell it, each in its own time."""
    await asyncio.sleep(wait)
    assert await desk.sandbox.charge_back(payment) is not None
    await asyncio.sleep(wait)
    await desk.sandbox.deliver_notices(desk.sink)


async def test_a_payment_is_given_back_released_or_charged_back_once(wide: Database) -> None:
    market, desk = await seed_market(wide, keys=6 * ROUNDS), Desk.on(wide, NOON)
    await desk.fill_reserve(100 * PRICE)
    dice, ends = random.Random(SEED), Counter[str]()  # noqa: S311
    payments: dict[str, str] = {}
    for number in range(ROUNDS):
        refs = []
        for _ in range(4):
            refs.append(await desk.place(market))
            payments[refs[-1]] = await desk.pay(market.buyer, refs[-1])
        await wide.execute("UPDATE escrow SET due_at = $1 WHERE payment_id = $2", NOON, payments[refs[3]])
        # One is taken back before anybody moves, and told after, so that every step meets an institution that says no.
        assert await desk.sandbox.charge_back(payments[refs[number % 4]]) is not None
        await asyncio.gather(
            *(take_back(desk, payments[ref], dice.random() / 50) for ref in refs),
            desk.orders.refund_sealed(market.buyer, refs[0]),
            desk.orders.confirm(market.buyer, refs[1]),
            desk.orders.reveal(market.buyer, refs[1], [1], PHONE),
            rule(desk, market, refs[2], (0, PRICE // 2, PRICE)[number % 3]),
            desk.sweep.tick(),
            *(desk.runner.run() for _ in range(3)),
        )
        ends.update([(await desk.see(market.buyer, ref)).state for ref in refs])
    for _ in range(3):
        await wide.execute("UPDATE custody_instruction SET due_at = $1, lease_until = NULL", NOON)
        await wide.execute("UPDATE sandbox.chargeback SET due_at = $1", NOON)
        await desk.sandbox.deliver_notices(desk.sink)
        await desk.runner.run(100)
    assert await wide.fetchval("SELECT count(*) FROM custody_instruction WHERE state = 'pending'") == 0
    assert await wide.fetchval("SELECT count(*) FROM chargeback") == 4 * ROUNDS
    most = """SELECT max(taken_minor + coalesce((SELECT sum(b.amount_minor) FROM sandbox.booking b
                WHERE b.payment_id = c.payment_id AND b.from_account = ''), 0)) FROM sandbox.chargeback c"""
    assert await wide.fetchval(most) == PRICE
    assert sum(ends.values()) == 4 * ROUNDS
    await desk.assert_books_balance()


async def test_a_chargeback_told_from_many_connections_books_once(wide: Database) -> None:
    market, desk = await seed_market(wide), Desk.on(wide, NOON)
    ref = await desk.place(market)
    told = await desk.sandbox.charge_back(await desk.pay(market.buyer, ref))
    assert told is not None
    body = desk.sandbox.notice_body(told)
    answers = await asyncio.gather(*(desk.sink(body, desk.sandbox.sign(body)) for _ in range(16)))
    assert all(answers)
    assert [event.kind for event in (await desk.see(market.buyer, ref)).events].count("charged_back") == 1
    assert len(await desk.notices.inbox(market.owner)) == 1
    await desk.sandbox.deliver_notices(desk.sink)
    await desk.assert_books_balance()


async def test_a_case_settled_or_ruled_as_the_bank_takes_the_money_has_one_end(wide: Database, tmp_path: Path) -> None:
    quarrel = await dispute.Desk.ready(wide, tmp_path, keys=3 * ROUNDS)
    clock = FixedClock(quarrel.clock.at)
    sandbox = SandboxInstitution(database=wide, clock=clock, ids=IdSource(), secret=SECRET)
    orders = OrderService(
        database=wide, clock=clock, ids=IdSource(), custodian=sandbox, open_key=open_nothing, payer_key=b"p" * 32
    )
    orders.chargebacks.cases = quarrel.ladder.bank

    async def sink(body: bytes, signature: str) -> bool:
        return not isinstance(await orders.take_notice(body, signature), Refused)

    async def bank(order_id: int) -> None:
        payment = await wide.fetchval("SELECT payment_id FROM escrow WHERE order_id = $1", order_id)
        assert await sandbox.charge_back(payment) is not None
        await sandbox.deliver_notices(sink)

    ends = Counter[str]()
    for number in range(ROUNDS):
        order_id, buyer, owner = await quarrel.bought(), quarrel.market.buyer, quarrel.market.owner
        opening = quarrel.cases.open(buyer, quarrel.order_ref(order_id), dispute.WISH)
        if number % 3 == 2:
            # Opened and taken back at once: whoever is first, no case is open once the notice is booked.
            opened, _ = await asyncio.gather(opening, bank(order_id))
            open_after = await wide.fetchval("SELECT count(*) FROM cases WHERE closed_at IS NULL")
            assert open_after == 0
            if isinstance(opened, Refused):
                assert opened.code in {Refusal.ALREADY_REFUNDED, Refusal.REFUND_OUT_OF_RANGE}
                continue
            case = opened
        else:
            case = await opening
            assert not isinstance(case, Refused)
            step = (
                quarrel.cases.withdraw(buyer, case.ref) if number % 3 else quarrel.cases.accept_demand(owner, case.ref)
            )
            answers = await asyncio.gather(bank(order_id), step, quarrel.cases.tick())
            stage = await wide.fetchval("SELECT stage FROM cases WHERE order_id = $1", order_id)
            lost = isinstance(answers[1], Refused) and answers[1].code is Refusal.CASE_CHARGED_BACK
            assert lost is (stage == "charged_back"), (answers[1], stage)
        state, refunded, released, _ = await quarrel.escrow(case)
        assert (state, refunded, released) == ("refunded", PRICE, 0)
        ends[await wide.fetchval("SELECT stage FROM cases WHERE order_id = $1", case.order.order_id)] += 1
    assert set(ends) <= {"charged_back", "settled", "withdrawn"}
    assert await wide.fetchval("SELECT count(*) FROM cases WHERE closed_at IS NULL") == 0


async def give(desk: Desk, market: Market, ref: str) -> object:
    return await desk.orders.after_release.give_back(market.owner, ref, PRICE, PRICE)


async def kill(database: Database, wait: float) -> None:
    """End every other connection of this database, wherever each is."""
    await asyncio.sleep(wait)
    await database.fetch("""SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid()""")


async def till_quiet(desk: Desk) -> None:
    for _ in range(4):
        await desk.database.execute(
            "UPDATE custody_instruction SET due_at = $1, lease_until = NULL WHERE state = 'pending'", NOON
        )
        await desk.database.execute("UPDATE sandbox.payment SET due_at = $1", NOON)
        await desk.database.execute("UPDATE sandbox.chargeback SET due_at = $1", NOON)
        await desk.sandbox.deliver_notices(desk.sink)
        await desk.runner.run(200)


@pytest.mark.parametrize("crashes", [False, True])
async def test_a_price_given_back_as_the_bank_takes_it_reaches_the_buyer_once(wide: Database, *, crashes: bool) -> None:
    market, desk = await seed_market(wide, keys=6 * ROUNDS), Desk.on(wide, NOON)
    await desk.deposit(market, ROUNDS * PRICE)
    await desk.fill_reserve(100 * PRICE)
    dice = random.Random(SEED)  # noqa: S311
    lost = (DatabaseUnavailable, CustodianUnreachable) if crashes else ()
    for _ in range(ROUNDS):
        refs, payments = [], []
        for _ in range(4):
            refs.append(await desk.place(market))
            payments.append(await desk.pay(market.buyer, refs[-1]))
        for ref in refs[1:]:
            await desk.orders.confirm(market.buyer, ref)
        await give(desk, market, refs[1])
        answers = await asyncio.gather(
            *(take_back(desk, payment, dice.random() / 40) for payment in payments),
            desk.orders.confirm(market.buyer, refs[0]),
            *(give(desk, market, ref) for ref in (refs[0], refs[2])),
            rule(desk, market, refs[2], PRICE),
            rule_after(desk, market, refs[3]),
            desk.orders.reveal(market.buyer, refs[3], [1], PHONE),
            *(desk.runner.run() for _ in range(3)),
            *([kill(wide, dice.random() / 20)] if crashes else []),
            return_exceptions=True,
        )
        wrong = [answer for answer in answers if isinstance(answer, BaseException) and not isinstance(answer, lost)]
        assert not wrong, wrong
        for payment in payments:
            assert await desk.sandbox.charge_back(payment) is not None
    await till_quiet(desk)
    assert await wide.fetchval("SELECT count(*) FROM custody_instruction WHERE state = 'pending'") == 0
    twice = """SELECT count(*) FROM custody_instruction c JOIN custody_instruction r USING (shop_id, order_id)
        WHERE c.kind = 'claim_refund' AND c.state = 'done' AND r.kind = 'release' AND r.state = 'stopped'"""
    assert await wide.fetchval(twice) == 0
    ended = await wide.fetch("SELECT kind || ' ' || state AS how, count(*) AS n FROM custody_instruction GROUP BY 1")
    assert "claim_refund cancelled" in {row["how"] for row in ended}, dict(ended)
    await desk.assert_books_balance()
