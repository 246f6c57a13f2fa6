"""After the release a claim is paid from the deposit, then the reserve, which later releases pay back."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from kabao.custody import RESERVE_ACCOUNT, deposit_account
from kabao.deposits import DepositView
from kabao.kernel import FixedClock, OrderId, Refusal, Refused, ShopId, parse_ref
from kabao.orders import ClaimPaid, DamagesPaid, Resolved
from kabao.postgres import Connection, Database
from market import NOON, PHONE, Market, seed_market
from orderdesk import Desk

PRICE = 9650
DAY = timedelta(days=1)


@pytest.fixture
async def market(owner_database: Database) -> Market:
    return await seed_market(owner_database, keys=20, fee_bps=200)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk.on(database, NOON)


def later(desk: Desk, by: timedelta) -> None:
    assert isinstance(desk.clock, FixedClock)
    desk.clock.advance(by)


def place(ref: str) -> tuple[ShopId, OrderId]:
    at = parse_ref(ref)
    assert at is not None
    return at.shop_id, OrderId(at.object_id)


@asynccontextmanager
async def of(desk: Desk, ref: str) -> AsyncIterator[tuple[Connection, ShopId, OrderId]]:
    async with desk.database.transaction() as conn:
        yield conn, *place(ref)


async def claimed(desk: Desk, market: Market, ref: str) -> int | Refused:
    async with of(desk, ref) as order:
        return await desk.orders.freeze(*order, market.buyer_id, "buyer")


async def ruled(desk: Desk, market: Market, ref: str, refund: int, why: str = "ruled") -> Resolved | Refused:
    async with of(desk, ref) as order:
        return await desk.orders.resolve(*order, refund, market.staff_id, "support", why, "2026.1", [b"\x01" * 32])


async def damages(desk: Desk, market: Market, ref: str, amount: int, step: str = "1") -> DamagesPaid | Refused:
    async with of(desk, ref) as order:
        return await desk.orders.award_damages(*order, step, amount, market.staff_id, "support")


async def fund(desk: Desk, market: Market) -> tuple[int, int]:
    view = await desk.deposits.deposit(market.owner, market.shop_id)
    assert isinstance(view, DepositView)
    return view.deposit_minor, view.owed_minor


async def test_a_claim_is_paid_from_the_deposit_first_and_the_rest_is_owed(desk: Desk, market: Market) -> None:
    await desk.deposit(market, 5_000)
    await desk.fill_reserve(100_000)
    ref = await desk.released(market)
    assert await claimed(desk, market, ref) == PRICE
    done = await ruled(desk, market, ref, PRICE)
    assert isinstance(done, Resolved)
    assert (done.deposit_minor, done.reserve_minor, done.released_minor) == (5_000, 4_650, 0)
    assert await fund(desk, market) == (0, 4_650)
    await desk.assert_books_balance()
    assert await desk.runner.run() == 2
    assert await desk.sandbox.balance(deposit_account(market.shop_id)) == 0
    assert await desk.sandbox.balance(RESERVE_ACCOUNT) == 95_350
    view = await desk.see(market.buyer, ref)
    assert not view.in_case
    assert view.claim.left_minor == 0
    moves = {(move.kind, move.amount_minor, move.state) for move in view.money_moves}
    assert {("claim_refund", 5_000, "done"), ("claim_refund", 4_650, "done")} <= moves
    assert {event.rulebook_version for event in view.events if event.kind == "ruled_claim"} == {"2026.1"}
    await desk.assert_books_balance()


async def test_where_the_reserve_does_not_reach_nothing_is_paid_until_it_does(desk: Desk, market: Market) -> None:
    await desk.deposit(market, 5_000)
    await desk.fill_reserve(4_649)
    ref = await desk.released(market)
    await claimed(desk, market, ref)
    assert await ruled(desk, market, ref, PRICE) == Refused(Refusal.RESERVE_SHORT)
    assert await fund(desk, market) == (5_000, 0)
    assert (await desk.see(market.buyer, ref)).in_case
    await desk.assert_books_balance()
    await desk.fill_reserve(100)
    assert isinstance(await ruled(desk, market, ref, PRICE), Resolved)
    assert (await desk.deposits.reserve()).left_minor == 99
    await desk.assert_books_balance()


async def test_a_settlement_never_draws_on_the_platforms_money(desk: Desk, market: Market) -> None:
    await desk.fill_reserve(100_000)
    ref = await desk.released(market)
    await claimed(desk, market, ref)
    assert await ruled(desk, market, ref, PRICE, "settled") == Refused(Refusal.DEPOSIT_SHORT)
    await desk.deposit(market, PRICE)
    done = await ruled(desk, market, ref, PRICE, "settled")
    assert isinstance(done, Resolved)
    assert (done.deposit_minor, done.reserve_minor) == (PRICE, 0)


async def test_later_releases_pay_back_half_of_each_until_it_is_even(desk: Desk, market: Market) -> None:
    await desk.fill_reserve(100_000)
    ref = await desk.released(market)
    await claimed(desk, market, ref)
    await ruled(desk, market, ref, PRICE)
    await desk.runner.run()
    payable = PRICE - 193
    owed = [(await fund(desk, market))[1]]
    for _ in range(3):
        await desk.released(market)
        owed.append((await fund(desk, market))[1])
        await desk.assert_books_balance()
    half = (payable + 1) // 2
    assert owed == [PRICE, PRICE - half, PRICE - 2 * half, 0]
    assert await desk.sandbox.balance(RESERVE_ACCOUNT) == 100_000
    assert (await desk.deposits.reserve()).left_minor == 100_000
    view = await desk.deposits.deposit(market.owner, market.shop_id)
    assert isinstance(view, DepositView)
    recouped = [line for line in view.statement if line.kind == "recoup"]
    assert sum(line.change_minor for line in recouped) == PRICE
    assert all(line.order_ref for line in recouped)


async def test_the_sweep_takes_the_share_of_shops_that_owe_and_of_no_other(
    desk: Desk, market: Market, owner_database: Database
) -> None:
    other = await seed_market(owner_database, keys=3)
    await desk.fill_reserve(100_000)
    ref = await desk.released(market)
    await claimed(desk, market, ref)
    await ruled(desk, market, ref, PRICE)
    for _ in range(3):
        await desk.bought(market)
    await desk.bought(other)
    later(desk, timedelta(hours=72))
    assert (await desk.sweep.tick()).released == 4
    assert (await fund(desk, market))[1] == 0
    await desk.assert_books_balance()
    while await desk.runner.run():
        pass
    await desk.assert_books_balance()
    shares = await desk.database.fetch("SELECT shop_id, recoup_minor FROM custody_instruction WHERE kind = 'release'")
    assert all(row["recoup_minor"] == 0 for row in shares if row["shop_id"] == other.shop_id)
    assert sum(row["recoup_minor"] for row in shares) == PRICE


async def test_a_split_in_a_case_pays_back_too(desk: Desk, market: Market) -> None:
    await desk.fill_reserve(100_000)
    first = await desk.released(market)
    await claimed(desk, market, first)
    await ruled(desk, market, first, 1_000)
    ref = await desk.bought(market)
    await claimed(desk, market, ref)
    done = await ruled(desk, market, ref, 4_650)
    assert isinstance(done, Resolved)
    assert (done.released_minor, done.deposit_minor, done.reserve_minor) == (5_000, 0, 0)
    assert (await fund(desk, market))[1] == 0
    await desk.runner.run()
    await desk.assert_books_balance()


@pytest.mark.parametrize("refund", [-1, PRICE + 1])
async def test_never_more_than_was_paid_in(desk: Desk, market: Market, refund: int) -> None:
    await desk.deposit(market, 100_000)
    ref = await desk.released(market)
    await claimed(desk, market, ref)
    assert await ruled(desk, market, ref, refund) == Refused(Refusal.REFUND_OUT_OF_RANGE)


async def test_a_second_claim_reaches_only_what_is_left(desk: Desk, market: Market) -> None:
    await desk.deposit(market, 100_000)
    ref = await desk.released(market)
    assert isinstance(await desk.orders.after_release.give_back(market.owner, ref, 4_000, PRICE), ClaimPaid)
    assert await claimed(desk, market, ref) == PRICE - 4_000
    assert await ruled(desk, market, ref, PRICE) == Refused(Refusal.REFUND_OUT_OF_RANGE)
    assert isinstance(await ruled(desk, market, ref, PRICE - 4_000), Resolved)
    assert await claimed(desk, market, ref) == Refused(Refusal.ALREADY_REFUNDED)
    await desk.assert_books_balance()


async def test_a_ruling_for_the_merchant_pays_nothing_and_ends_it(desk: Desk, market: Market) -> None:
    ref = await desk.released(market)
    await claimed(desk, market, ref)
    done = await ruled(desk, market, ref, 0)
    assert isinstance(done, Resolved)
    assert (done.deposit_minor, done.reserve_minor) == (0, 0)
    assert not (await desk.see(market.buyer, ref)).in_case
    assert await ruled(desk, market, ref, 0) == Refused(Refusal.NOT_IN_CASE)


async def test_the_claim_days_run_from_the_opening_and_a_sealed_key_waits_for_none(
    desk: Desk, owner_database: Database
) -> None:
    market = await seed_market(owner_database, claim_days=5)
    opened, sealed = await desk.released(market), await desk.bought(market)
    later(desk, timedelta(hours=72))
    await desk.sweep.tick()
    assert "problem" in (await desk.see(market.buyer, opened)).allowed
    later(desk, 2 * DAY)
    assert "problem" not in (await desk.see(market.buyer, opened)).allowed
    assert await claimed(desk, market, opened) == Refused(Refusal.CLAIM_DAYS_OVER)
    assert await claimed(desk, market, sealed) == PRICE


async def test_a_warranty_longer_than_the_claim_days_counts(desk: Desk, owner_database: Database) -> None:
    market = await seed_market(owner_database, claim_days=5, warranty_days=30)
    ref = await desk.released(market)
    later(desk, 29 * DAY)
    assert await claimed(desk, market, ref) == PRICE


async def test_no_key_is_opened_in_a_case_after_the_release_and_a_sealed_one_goes_back(
    desk: Desk, market: Market
) -> None:
    await desk.deposit(market, 100_000)
    ref = await desk.bought(market)
    await desk.orders.confirm(market.buyer, ref)
    await claimed(desk, market, ref)
    assert await desk.orders.reveal(market.buyer, ref, None, PHONE) == Refused(Refusal.IN_CASE)
    assert "reveal" not in (await desk.see(market.buyer, ref)).allowed
    await ruled(desk, market, ref, PRICE)
    assert await desk.database.fetchval("SELECT count(*) FROM card_key WHERE state = 'available'") == 20
    await desk.assert_books_balance()


async def test_a_withdrawn_claim_moves_nothing_and_may_be_made_again(desk: Desk, market: Market) -> None:
    ref = await desk.released(market)
    await claimed(desk, market, ref)
    assert await claimed(desk, market, ref) == Refused(Refusal.IN_CASE)
    async with of(desk, ref) as order:
        ended = await desk.orders.unfreeze(*order, market.buyer_id, "buyer", DAY)
    assert ended == NOON
    async with of(desk, ref) as order:
        assert await desk.orders.unfreeze(*order, market.buyer_id, "buyer", DAY) == Refused(Refusal.NOT_IN_CASE)
    assert await claimed(desk, market, ref) == PRICE
    await desk.assert_books_balance()


async def test_new_keys_may_settle_a_claim_after_the_release(desk: Desk, market: Market) -> None:
    ref = await desk.released(market)
    await claimed(desk, market, ref)
    async with of(desk, ref) as order:
        replaced = await desk.orders.replace(*order, market.owner_id, "merchant")
    assert not isinstance(replaced, Refused)
    assert replaced.count == 1
    assert len(await desk.reveal(market, ref)) == 1
    async with of(desk, ref) as order:
        assert await desk.orders.replace(*order, market.owner_id, "merchant") == Refused(Refusal.NOT_IN_CASE)
    await desk.assert_books_balance()


async def test_replacing_needs_an_opened_key_and_stock(desk: Desk, owner_database: Database) -> None:
    market = await seed_market(owner_database, keys=2)
    sealed = await desk.bought(market)
    await desk.orders.confirm(market.buyer, sealed)
    opened = await desk.released(market)
    for ref, refusal in ((sealed, Refusal.NOTHING_TO_REPLACE), (opened, Refusal.SOLD_OUT)):
        await claimed(desk, market, ref)
        async with of(desk, ref) as order:
            assert await desk.orders.replace(*order, market.owner_id, "merchant") == Refused(refusal)


async def test_damages_are_paid_once_a_step_beyond_the_price_held_or_released(desk: Desk, market: Market) -> None:
    await desk.deposit(market, 10_000)
    await desk.fill_reserve(100_000)
    held = await desk.bought(market)
    for _ in range(2):
        assert await damages(desk, market, held, 3 * PRICE) == DamagesPaid(paid_minor=10_000, owed_minor=18_950)
    assert await damages(desk, market, held, 100_000, "2") == DamagesPaid(paid_minor=0, owed_minor=100_000)
    assert await damages(desk, market, held, 0, "3") == Refused(Refusal.DAMAGES_OUT_OF_RANGE)
    assert (await desk.see(market.buyer, held)).claim.damages_owed_minor == 118_950
    assert (await desk.deposits.reserve()).advanced_minor == 0
    await desk.assert_books_balance()
    assert await desk.runner.run() == 1
    await desk.assert_books_balance()
    unpaid = await desk.place(market)
    assert await damages(desk, market, unpaid, 1) == Refused(Refusal.NOT_PAID)


async def test_damages_that_are_owed_are_paid_as_the_deposit_fills_the_oldest_first(desk: Desk, market: Market) -> None:
    first, second = await desk.released(market), await desk.released(market)
    for ref, amount in ((first, 6_000), (second, 50_000)):
        await damages(desk, market, ref, amount)
        desk.clock.advance(timedelta(seconds=1))
    pay = desk.orders.after_release.pay_owed_damages
    assert await pay() == 0
    view = await desk.deposits.deposit(market.owner, market.shop_id)
    assert isinstance(view, DepositView)
    assert (view.damages_owed_minor, view.bound) == (56_000, "damages")
    await desk.deposit(market, 10_000)
    assert await desk.deposits.give_back(market.owner, market.shop_id, 1, "x") == Refused(Refusal.DEPOSIT_BOUND)
    assert await pay() == 10_000
    owed = [(await desk.see(market.buyer, ref)).claim.damages_owed_minor for ref in (first, second)]
    assert owed == [0, 46_000]
    await desk.deposit(market, 50_000)
    assert sum(await asyncio.gather(pay(), pay(), pay())) == 46_000
    await desk.assert_books_balance()
    await desk.runner.run()
    assert await desk.sandbox.balance(deposit_account(market.shop_id)) == 4_000
    await desk.assert_books_balance()


async def test_a_merchant_may_give_back_at_any_time_but_only_his_own(desk: Desk, market: Market) -> None:
    ref = await desk.released(market)
    later(desk, 400 * DAY)
    gift = desk.orders.after_release.give_back
    assert await gift(market.owner, ref, 1_000, PRICE) == Refused(Refusal.DEPOSIT_SHORT)
    await desk.deposit(market, 2_000)
    assert await gift(market.buyer, ref, 1_000, PRICE) == Refused(Refusal.NOT_FOUND)
    assert await gift(market.owner, "no ref", 1_000, PRICE) == Refused(Refusal.NOT_FOUND)
    assert await gift(market.owner, ref, 0, PRICE) == Refused(Refusal.REFUND_OUT_OF_RANGE)
    assert await gift(market.owner, ref, 1_000, PRICE) == ClaimPaid(deposit_minor=1_000, reserve_minor=0)
    assert await gift(market.owner, await desk.bought(market), 1, 0) == Refused(Refusal.NOT_IN_CASE)
    await desk.assert_books_balance()


async def test_a_claim_needs_money_that_was_paid_and_released(desk: Desk, market: Market) -> None:
    unpaid = await desk.place(market)
    after = desk.orders.after_release
    async with of(desk, unpaid) as order:
        assert await after.freeze(*order, market.buyer_id, "buyer") == Refused(Refusal.NOT_PAID)
    refunded = await desk.bought(market)
    await desk.orders.refund_sealed(market.buyer, refunded)
    async with of(desk, refunded) as order:
        assert await after.freeze(*order, market.buyer_id, "buyer") == Refused(Refusal.ALREADY_REFUNDED)
    async with of(desk, unpaid) as order:
        assert await after.resolve(*order, 1, None, "system", "ruled", with_reserve=True) == Refused(Refusal.NOT_PAID)


@pytest.mark.parametrize(
    ("damage", "checks"),
    [
        ("UPDATE shop_fund SET deposit_minor = deposit_minor + 1", ["funds_against_transfers"]),
        ("UPDATE shop_fund SET owed_minor = owed_minor + 1", ["funds_against_transfers", "reserve_against_shops"]),
        ("UPDATE reserve_fund SET paid_minor = paid_minor + 1", ["reserve_against_shops"]),
        ("UPDATE sandbox.account SET balance_minor = balance_minor + 1", ["accounts_against_bookings"]),
        (
            "UPDATE claim_payout SET reserve_minor = reserve_minor + 1",
            ["claims_against_transfers", "claims_over_price"],
        ),
        ("UPDATE fund_payment SET amount_minor = amount_minor + 1", ["payments_against_custodian"]),
        (
            "UPDATE sandbox.payment SET into_account = 'deposit:9' WHERE into_account LIKE 'deposit:%'",
            ["payments_against_custodian", "accounts_against_bookings"],
        ),
        (
            """INSERT INTO fund_payment
               SELECT shop_id, provider, payment_id, amount_minor, currency, 'deposit_paid', now() FROM payment""",
            ["payments_for_two_orders", "payments_against_custodian"],
        ),
        ("DELETE FROM sandbox.booking WHERE from_account = 'reserve'", ["payouts_against_custodian"]),
        ("INSERT INTO sandbox.refusal SELECT instruction_id, 'x', now() FROM sandbox.booking", ["refused_and_paid"]),
    ],
)
async def test_the_audit_finds_damage(
    desk: Desk, market: Market, owner_database: Database, damage: str, checks: Sequence[str]
) -> None:
    await desk.deposit(market, 5_000)
    await desk.fill_reserve(100_000)
    ref = await desk.released(market)
    await claimed(desk, market, ref)
    await ruled(desk, market, ref, PRICE)
    await desk.runner.run()
    await desk.assert_books_balance()
    await owner_database.execute(damage)
    found = {finding.check for finding in (await desk.audit()).findings}
    assert set(checks) <= found
