"""What earlier orders prove of a case: a key others had opened, and goods the buyer had had before."""

from datetime import timedelta
from pathlib import Path

import pytest

from dispute import HOUR, WISH, Desk, seen
from kabao.cases import DecisionService, DecisionView, SayFact
from kabao.inventory import opened_before
from kabao.kernel import IdSource, OrderId, Refused
from kabao.orders import had_before
from kabao.postgres import Database
from market import seed_market

SAME: bytes = b"the same blind i"


@pytest.fixture
async def desk(database: Database, owner_database: Database, tmp_path: Path) -> Desk:  # noqa: ARG001  migrates
    desk = await Desk.ready(database, tmp_path)
    await desk.rulebook.begin()
    return desk


async def other_shop(desk: Desk, folder: Path) -> Desk:
    """Open another shop in the same market, beside the desk and by its clock."""
    other = Desk(desk.database, await seed_market(desk.database), folder)
    other.clock.advance(desk.clock.at - other.clock.at)
    return other


async def holds_the_key(desk: Desk, order_id: OrderId) -> None:
    """Give the first key of an order the text that every order of these tests shares."""
    await desk.database.execute(
        "UPDATE card_key SET blind = $3 WHERE shop_id = $1 AND order_id = $2 AND pos = 1",
        desk.market.shop_id,
        order_id,
        SAME,
    )


async def seen_before(desk: Desk, order_id: OrderId) -> bool:
    async with desk.database.connection() as conn:
        return await opened_before(conn, desk.market.shop_id, order_id, desk.clock.at)


async def test_a_key_opened_in_another_shop_first_was_opened_before(desk: Desk, tmp_path: Path) -> None:
    other = await other_shop(desk, tmp_path)
    first = await other.bought()
    await holds_the_key(other, first)
    desk.pass_time(HOUR)
    second = await desk.bought()
    await holds_the_key(desk, second)
    assert await seen_before(desk, second)
    # Whoever opened it first had it for himself.
    assert not await seen_before(other, first)


async def test_a_key_delivered_elsewhere_but_never_opened_was_not(desk: Desk, tmp_path: Path) -> None:
    other = await other_shop(desk, tmp_path)
    first = await other.bought(opened=False)
    await holds_the_key(other, first)
    desk.pass_time(HOUR)
    second = await desk.bought()
    await holds_the_key(desk, second)
    assert not await seen_before(desk, second)
    refunded = await other.orders.refund_sealed(other.market.buyer, other.order_ref(first))
    assert not isinstance(refunded, Refused)
    assert not await seen_before(desk, second)


async def test_a_key_that_went_back_sealed_and_was_sold_again_is_new(database: Database, tmp_path: Path) -> None:
    desk = await Desk.ready(database, tmp_path, keys=1)
    first = await desk.bought(opened=False)
    assert not isinstance(await desk.orders.refund_sealed(desk.market.buyer, desk.order_ref(first)), Refused)
    desk.pass_time(HOUR)
    again = await desk.bought()
    assert not await seen_before(desk, again)


async def test_a_key_opened_refunded_and_sold_again_elsewhere_was_opened_before(desk: Desk, tmp_path: Path) -> None:
    case = await desk.case()
    await holds_the_key(desk, case.order.order_id)
    seen(await desk.cases.accept_demand(desk.market.owner, case.ref))
    desk.pass_time(HOUR)
    other = await other_shop(desk, tmp_path)
    again = await other.bought()
    await holds_the_key(other, again)
    assert await seen_before(other, again)


async def test_a_sealed_key_is_looked_at_as_of_its_case(desk: Desk, tmp_path: Path) -> None:
    mine = await desk.bought(opened=False)
    await holds_the_key(desk, mine)
    other = await other_shop(desk, tmp_path)
    other.pass_time(HOUR)
    theirs = await other.bought()
    await holds_the_key(other, theirs)
    assert not await seen_before(desk, mine)
    desk.pass_time(2 * HOUR)
    assert await seen_before(desk, mine)


async def test_of_several_keys_every_one_must_have_been_opened_before(desk: Desk, tmp_path: Path) -> None:
    other = await other_shop(desk, tmp_path)
    await holds_the_key(other, await other.bought())
    desk.pass_time(HOUR)
    two = await desk.bought(2)
    await holds_the_key(desk, two)
    assert not await seen_before(desk, two)
    async with desk.database.connection() as conn:
        assert not await opened_before(conn, desk.market.shop_id, 1, None)


async def test_the_parties_learn_that_it_was_opened_before_and_not_where(desk: Desk, tmp_path: Path) -> None:
    other = await other_shop(desk, tmp_path)
    first = await other.bought()
    await holds_the_key(other, first)
    desk.pass_time(HOUR)
    order_id = await desk.bought()
    await holds_the_key(desk, order_id)
    case = seen(await desk.cases.open(desk.market.buyer, desk.order_ref(order_id), WISH))
    decisions = DecisionService(
        database=desk.database,
        clock=desk.clock,
        ids=IdSource(),
        cases=desk.cases,
        evidence=desk.evidence,
        rulebook=desk.rulebook,
    )
    good = SayFact(fact="good_when_opened", shows=True, kind="issuer_record", confidence=97)
    await decisions.say_fact(desk.market.staff, case.ref, good)
    for party in (desk.market.buyer, desk.market.owner):
        told = await decisions.decision(party, case.ref)
        assert isinstance(told, DecisionView)
        assert told.outcome == "FULL_REFUND"
        words = " ".join(reason.zh for reason in [*told.findings, *told.reasons])
        assert "同一卡密已在别的订单里拆封过" in words
        assert other.order_ref(first) not in str(told.full)
        assert str(other.market.shop_id) not in str(told.full["reasons"])


async def test_the_same_goods_opened_and_kept_before_were_had_before(desk: Desk) -> None:
    first = await desk.bought()
    desk.pass_time(HOUR)
    meanwhile = await desk.bought()
    async with desk.database.connection() as conn:
        # The first is not confirmed yet, and may still go back.
        assert not await had_before(conn, desk.market.shop_id, meanwhile)
    assert not isinstance(await desk.orders.confirm(desk.market.buyer, desk.order_ref(first)), Refused)
    desk.pass_time(timedelta(days=1))
    again = await desk.bought()
    async with desk.database.connection() as conn:
        assert await had_before(conn, desk.market.shop_id, again)
        assert not await had_before(conn, desk.market.shop_id, first)
