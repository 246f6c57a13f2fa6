"""A deposit is paid in once, is bound while something may be claimed from it, and comes back whole."""

from datetime import timedelta

import pytest

from kabao.custody import PaymentNotice, deposit_account
from kabao.deposits import DepositView
from kabao.kernel import FixedClock, Refusal, Refused, ShopId, format_ref
from kabao.ledger import AccountNo, LedgerService
from kabao.postgres import Database
from market import NOON, Market, seed_market
from orderdesk import Desk

DAY = timedelta(days=1)


@pytest.fixture
async def market(owner_database: Database) -> Market:
    return await seed_market(owner_database, keys=10)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk.on(database, NOON)


async def seen(desk: Desk, market: Market) -> DepositView:
    view = await desk.deposits.deposit(market.owner, market.shop_id)
    assert isinstance(view, DepositView)
    return view


def later(desk: Desk, by: timedelta) -> None:
    assert isinstance(desk.clock, FixedClock)
    desk.clock.advance(by)


async def test_what_is_paid_in_stands_in_the_statement_and_at_the_institution(desk: Desk, market: Market) -> None:
    first = await desk.deposit(market, 30_000)
    later(desk, DAY)
    second = await desk.deposit(market, 20_000)
    view = await seen(desk, market)
    assert (view.deposit_minor, view.owed_minor, view.bound) == (50_000, 0, "")
    # The database's own time orders the lines, and both were written in the same test.
    assert {(line.kind, line.change_minor, line.reference) for line in view.statement} == {
        ("deposit_paid", 30_000, first),
        ("deposit_paid", 20_000, second),
    }
    assert view.statement[0].balance_minor == 50_000
    assert await desk.sandbox.balance(deposit_account(market.shop_id)) == 50_000
    await desk.assert_books_balance()


async def test_a_notice_replayed_books_once_and_a_contradiction_not_at_all(desk: Desk, market: Market) -> None:
    payment = await desk.deposit(market, 30_000)
    assert await desk.sandbox.notify(payment, desk.sink)
    assert (await seen(desk, market)).deposit_minor == 30_000
    notice = PaymentNotice(
        payment_id=payment,
        merchant_ref=format_ref(market.shop_id, 1),
        amount_minor=29_999,
        currency="CNY",
        paid_at="now",
        into_account=deposit_account(market.shop_id),
    )
    body = desk.sandbox.notice_body(notice)
    assert await desk.orders.take_notice(body, desk.sandbox.sign(body)) == Refused(Refusal.NOTICE_CONTRADICTS)
    await desk.assert_books_balance()


async def test_a_notice_for_a_shop_that_is_not_there_is_not_confirmed(desk: Desk) -> None:
    notice = PaymentNotice(
        payment_id="SB1",
        merchant_ref="9-1",
        amount_minor=100,
        currency="CNY",
        paid_at="now",
        into_account=deposit_account(999),
    )
    body = desk.sandbox.notice_body(notice)
    assert await desk.orders.take_notice(body, desk.sandbox.sign(body)) == Refused(Refusal.NOT_FOUND)


async def test_another_currency_goes_back_whole(desk: Desk, market: Market) -> None:
    path = await desk.deposits.pay_in(market.owner, market.shop_id, 30_000, "/m")
    await desk.pay_at(path, currency="USD")
    assert (await seen(desk, market)).deposit_minor == 0
    await desk.assert_books_balance()
    assert await desk.runner.run() == 1
    assert await desk.sandbox.balance(deposit_account(market.shop_id), "USD") == 0
    await desk.assert_books_balance()


async def test_a_free_deposit_comes_back_once(desk: Desk, market: Market) -> None:
    await desk.deposit(market, 30_000)
    assert await desk.deposits.give_back(market.owner, market.shop_id, 10_000, "wish-1") == 20_000
    assert await desk.deposits.give_back(market.owner, market.shop_id, 10_000, "wish-1") == 20_000
    assert (await seen(desk, market)).returning_minor == 10_000
    await desk.assert_books_balance()
    assert await desk.runner.run() == 1
    assert await desk.deposits.give_back(market.owner, market.shop_id, 20_000, "wish-2") == 0
    assert await desk.runner.run() == 1
    assert await desk.sandbox.balance(deposit_account(market.shop_id)) == 0
    await desk.assert_books_balance()


async def test_no_more_than_there_is_and_nothing_without_a_wish(desk: Desk, market: Market) -> None:
    await desk.deposit(market, 30_000)
    for amount in (0, -1, 30_001, 2**62):
        answer = await desk.deposits.give_back(market.owner, market.shop_id, amount, "wish")
        assert answer == Refused(Refusal.DEPOSIT_OUT_OF_RANGE)
    for step in ("", "x" * 61, "a\x00"):
        answer = await desk.deposits.give_back(market.owner, market.shop_id, 1, step)
        assert answer == Refused(Refusal.IDEMPOTENCY_KEY_MISSING)
    for amount in (0, 99, 1_000_000_01):
        answer = await desk.deposits.pay_in(market.owner, market.shop_id, amount, "/m")
        assert answer == Refused(Refusal.DEPOSIT_OUT_OF_RANGE)


async def test_a_stranger_finds_no_deposit(desk: Desk, market: Market) -> None:
    await desk.deposit(market, 30_000)
    nobody = Refused(Refusal.NOT_FOUND)
    assert await desk.deposits.deposit(market.buyer, market.shop_id) == nobody
    assert await desk.deposits.pay_in(market.buyer, market.shop_id, 100, "/m") == nobody
    assert await desk.deposits.give_back(market.buyer, market.shop_id, 100, "wish") == nobody
    assert await desk.deposits.deposit(market.owner, ShopId(market.shop_id + 1)) == nobody


async def test_it_is_bound_while_money_is_held_or_may_be_claimed(desk: Desk, market: Market) -> None:
    await desk.deposit(market, 30_000)
    ref = await desk.bought(market)
    bound = Refused(Refusal.DEPOSIT_BOUND)
    assert await desk.deposits.give_back(market.owner, market.shop_id, 1, "a") == bound
    assert (await seen(desk, market)).bound == "held"
    await desk.reveal(market, ref)
    await desk.orders.confirm(market.buyer, ref)
    await desk.runner.run()
    later(desk, 7 * DAY - timedelta(seconds=1))
    assert (await seen(desk, market)).bound == "claim_days"
    assert await desk.deposits.give_back(market.owner, market.shop_id, 1, "a") == bound
    later(desk, timedelta(seconds=1))
    assert (await seen(desk, market)).bound == ""
    assert await desk.deposits.give_back(market.owner, market.shop_id, 30_000, "a") == 0


async def test_a_refused_return_stays_a_deposit(desk: Desk, market: Market) -> None:
    payment = await desk.deposit(market, 30_000)
    await desk.sandbox.close_account(payment)
    assert await desk.deposits.give_back(market.owner, market.shop_id, 30_000, "a") == 0
    assert await desk.runner.run() == 0
    view = await seen(desk, market)
    assert (view.deposit_minor, view.returning_minor) == (30_000, 0)
    assert view.statement[0].balance_minor == 30_000
    await desk.assert_books_balance()


async def test_the_reserve_is_the_platforms_own(desk: Desk, market: Market) -> None:
    await desk.fill_reserve(500_000)
    reserve = await desk.deposits.reserve()
    assert (reserve.paid_minor, reserve.advanced_minor, reserve.left_minor) == (500_000, 0, 500_000)
    ledger = LedgerService(database=desk.database)
    assert await ledger.fold() == 2
    assert await ledger.balance(ShopId(0), AccountNo.RESERVE) == 500_000
    assert await ledger.balance(market.shop_id, AccountNo.RESERVE) == 0
    await desk.assert_books_balance()
