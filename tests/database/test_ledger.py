"""Balances come out the same folded or not, and always sum to nothing."""

import asyncio

import pytest

from kabao.ledger import AccountNo, LedgerService
from kabao.orders import OrderState
from kabao.postgres import Database
from market import NOON, Market, seed_market
from orderdesk import Desk


@pytest.fixture
async def market(owner_database: Database) -> Market:
    return await seed_market(owner_database)


async def test_balances_are_the_same_before_and_after_folding(database: Database, market: Market) -> None:
    desk, ledger = Desk.on(database, NOON), LedgerService(database=database)
    ref = await desk.bought(market)
    await desk.bought(market)
    await desk.orders.confirm(market.buyer, ref)
    before = await ledger.balances(market.shop_id)
    assert {entry.account: entry.balance_minor for entry in before} == {
        AccountNo.CUSTODY: -19_300,
        AccountNo.ESCROW: 9_650,
        AccountNo.SELLER_PAYABLE: 9_457,
        AccountNo.PLATFORM_FEE: 193,
    }
    folded = await asyncio.gather(ledger.fold(), ledger.fold())
    assert sum(folded) == 8
    assert await ledger.balances(market.shop_id) == before
    assert await ledger.fold() == 0
    await desk.runner.run()
    assert await ledger.balance(market.shop_id, AccountNo.SELLER_PAYABLE) == 0
    assert await ledger.balance(market.shop_id, AccountNo.PAID_OUT) == 9_457
    assert sum(entry.balance_minor for entry in await ledger.balances(market.shop_id)) == 0
    view = await desk.see(market.buyer, ref)
    assert view.state is OrderState.SETTLED
    kinds = [transfer.kind for transfer in await ledger.transfers_of(view.shop_id, view.order_id)]
    assert sorted(kinds) == ["fee", "hold", "paid_out", "release"]


async def test_opening_accounts_twice_is_the_same_as_once(database: Database, market: Market) -> None:
    ledger = LedgerService(database=database)
    async with database.transaction() as conn:
        await ledger.open_accounts(conn, market.shop_id)
    assert await database.fetchval("SELECT count(*) FROM ledger_account WHERE shop_id = $1", market.shop_id) == 10
