"""Merchants hear of sales and payouts, each of them once, and a busy shop in one line a quarter of an hour."""

import asyncio
from datetime import timedelta

import pytest

from kabao.custody import SandboxInstitution
from kabao.kernel import DatabaseClock, FixedClock, IdSource, format_ref
from kabao.notices import Notice
from kabao.orders import InstructionRunner, MerchantDigest, SweepService
from kabao.postgres import Database, load_queries
from kabao.shops import shop_ref
from letterbox import Letterbox, Office
from market import Market, open_account, paid_order, seed_market
from orderdesk import monotonic_of

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


@pytest.fixture
def box() -> Letterbox:
    return Letterbox()


@pytest.fixture
def office(database: Database, clock: FixedClock, box: Letterbox) -> Office:
    return Office(database, clock, box)


@pytest.fixture
def digest(office: Office) -> MerchantDigest:
    return MerchantDigest(database=office.database, clock=office.clock, notices=office.notices)


@pytest.fixture
async def market(database: Database, digest: MerchantDigest) -> Market:
    market = await seed_market(database, keys=50)
    await digest.run()
    return market


async def sell(database: Database, market: Market, clock: FixedClock, orders: int = 1) -> list[int]:
    sold = []
    for _ in range(orders):
        sold.append(await paid_order(database, market, now=clock.at))
        clock.advance(SECOND)
    return list(sold)


async def told(office: Office, market: Market) -> list[Notice]:
    return await office.notices.inbox(market.owner)


async def test_a_first_sale_is_told_at_once_with_its_order(
    office: Office, digest: MerchantDigest, market: Market, box: Letterbox
) -> None:
    await office.give_address(market.owner, "shop@example.com")
    [order] = await sell(office.database, market, office.clock)
    assert await digest.run() == 1
    [notice] = await told(office, market)
    assert (notice.kind, notice.link) == ("sale", f"/o/{format_ref(market.shop_id, order)}")
    assert notice.subject == "「测试店铺」卖出 1 单，共 ¥96.50，卡密已封存送达，钱在托管方"
    assert await digest.run() == 0
    await office.notices.send_mail()
    assert box.subjects == [notice.subject]


async def test_a_busy_shop_hears_once_in_a_quarter_of_an_hour(
    office: Office, digest: MerchantDigest, market: Market
) -> None:
    await sell(office.database, market, office.clock)
    await digest.run()
    for _ in range(14):
        await sell(office.database, market, office.clock, 2)
        office.clock.advance(MINUTE - 2 * SECOND)
        assert await digest.run() == 0
    office.clock.advance(MINUTE)
    assert await digest.run() == 1
    newest, _ = await told(office, market)
    assert newest.subject == "「测试店铺」卖出 28 单，共 ¥2,702.00，卡密已封存送达，钱在托管方"
    assert newest.link == f"/m/{shop_ref(market.shop_id)}/orders"
    office.clock.advance(timedelta(hours=1))
    assert await digest.run() == 0


async def test_a_payout_is_told_as_what_reached_the_merchant(
    office: Office, digest: MerchantDigest, market: Market
) -> None:
    database, clock = office.database, office.clock
    await sell(database, market, clock)
    await digest.run()
    clock.advance(timedelta(hours=72))
    sandbox = SandboxInstitution(database=database, clock=clock, ids=IdSource(), secret=b"s" * 32)
    await SweepService(database=database, clock=clock, monotonic=lambda: monotonic_of(clock)).tick()
    assert await digest.run() == 0
    runner = InstructionRunner(database=database, clock=clock, custodian=sandbox, notices=office.notices)
    assert await runner.run() == 1
    clock.advance(SECOND)
    assert await digest.run() == 1
    newest, _ = await told(office, market)
    assert newest.kind == "payout"
    assert newest.subject == "「测试店铺」1 单已放款，扣除费用后 ¥94.57 付到商家账户"


async def test_history_from_before_the_first_run_is_told_to_nobody(
    office: Office, digest: MerchantDigest, database: Database
) -> None:
    market = await seed_market(database)
    await sell(database, market, office.clock, 3)
    assert await digest.run() == 0
    office.clock.advance(timedelta(hours=1))
    assert await digest.run() == 0
    assert await told(office, market) == []


async def test_shops_hear_of_their_own_sales_alone(office: Office, digest: MerchantDigest, market: Market) -> None:
    other = await seed_market(office.database, price_minor=100)
    await sell(office.database, market, office.clock, 2)
    await sell(office.database, other, office.clock)
    assert await digest.run() == 2
    assert ["卖出 2 单" in notice.subject for notice in await told(office, market)] == [True]
    assert ["共 ¥1.00" in notice.subject for notice in await told(office, other)] == [True]


async def test_any_number_of_runners_tell_each_sale_once(
    office: Office, digest: MerchantDigest, market: Market
) -> None:
    await sell(office.database, market, office.clock, 5)
    runs = await asyncio.gather(*(digest.run() for _ in range(6)))
    assert sum(runs) == 1
    [notice] = await told(office, market)
    assert "卖出 5 单" in notice.subject


async def test_a_sale_that_commits_late_is_not_passed_over(database: Database, office: Office) -> None:
    """Events bear the time their transaction began, so what still runs holds the reading back."""
    digest = MerchantDigest(
        database=database, clock=DatabaseClock(), notices=office.notices, margin=timedelta(microseconds=1)
    )
    market = await seed_market(database)
    await digest.run()
    async with database.transaction() as slow:
        await paid_order(slow, market)  # type: ignore[arg-type]  it executes as a database does
        await paid_order(database, market, await open_account(database))
        assert await digest.run() == 0
    assert await digest.run() == 1
    [notice] = await told(office, market)
    assert "卖出 2 单" in notice.subject


async def test_the_digest_reads_indexes(owner_database: Database, clock: FixedClock) -> None:
    queries = load_queries("kabao.orders", "digest.sql")
    async with owner_database.transaction() as conn:
        await conn.execute("SET LOCAL enable_seqscan = off")
        plan = repr(await conn.fetch("EXPLAIN " + queries["add_up"], clock.at, clock.at + MINUTE))
        assert "order_event_at" in plan
        assert "Seq Scan" not in plan
        plan = repr(await conn.fetch("EXPLAIN " + queries["take_due"], MINUTE, clock.at, 5))
        assert "Seq Scan" not in plan
