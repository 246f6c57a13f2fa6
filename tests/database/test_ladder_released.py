"""A case on a released order climbs the ladder as any other; a ruling there may have to wait for money."""

from pathlib import Path

import pytest

from dispute import BUYERS, HANDED_IN, HOUR, MERCHANTS, TO_ASK, WISH, Desk, code, seen
from kabao.cases import CaseView, Outcome, Rule, Stage, Turn
from kabao.deposits import store as deposit_store
from kabao.identity import Role
from kabao.kernel import Refusal, Refused
from kabao.postgres import Database

PRICE = 9650
ALL = Rule(outcome=Outcome.FULL_REFUND, shares=MERCHANTS, facts="事实。", reasons="理由。")
NOTHING = Rule(outcome=Outcome.NO_REFUND, shares=BUYERS, facts="事实。", reasons="理由。")


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    return await Desk.ready(database, tmp_path)


async def seats(desk: Desk) -> list[int]:
    """Return who sits anywhere; each test here has one case."""
    rows = await desk.database.fetch("SELECT panellist_id FROM panel_seat WHERE recused_at IS NULL ORDER BY seat_no")
    return [row["panellist_id"] for row in rows]


async def after(desk: Desk, case: CaseView) -> CaseView:
    return seen(await desk.cases.case(desk.market.buyer, case.ref))


async def claimed_after_release(desk: Desk, **order: int) -> CaseView:
    """Open a case on a released order of a shop without a deposit, and let it rise to support."""
    ref = desk.order_ref(await desk.bought(**order))
    assert not isinstance(await desk.orders.confirm(desk.market.buyer, ref), Refused)
    case = seen(await desk.cases.open(desk.market.buyer, ref, WISH))
    desk.pass_time(48 * HOUR)
    assert await desk.cases.tick() == 1
    return case


async def fill_reserve(desk: Desk) -> None:
    await desk.database.execute("SELECT take_fund_payment_v1(0, 'sandbox', 'P1', 'reserve', $1, 'CNY', NULL)", PRICE)


async def test_a_ruling_the_reserve_cannot_pay_says_so_and_is_carried_out_once_there_is_money(desk: Desk) -> None:
    case = await claimed_after_release(desk)
    await desk.ruled(case, ALL)
    desk.pass_time(TO_ASK)
    assert await desk.cases.tick() == 1
    assert await desk.cases.tick() == 0
    waits = await after(desk, case)
    assert (waits.stage, waits.turn, waits.timeline[-1].kind) == (Stage.RULED_OPEN, Turn.NOBODY, "short")
    assert "钱到位就自动执行" in waits.what_if_due
    assert code(await desk.ladder.ask_review(desk.market.owner, case.ref, "再看看。")) is Refusal.NOT_YOUR_TURN
    async with desk.database.connection() as conn:
        reserve = await deposit_store.reserve(conn)
    assert (reserve.left_minor, reserve.waiting, reserve.waiting_minor) == (0, 1, PRICE)
    await fill_reserve(desk)
    assert await desk.cases.tick() == 1
    async with desk.database.connection() as conn:
        assert (await deposit_store.reserve(conn)).waiting == 0
    ended = await after(desk, case)
    assert (ended.stage, ended.order.claim.left_minor) == (Stage.EXECUTED, 0)


async def test_both_waive_what_the_reserve_cannot_pay_and_it_is_carried_out_once_there_is_money(desk: Desk) -> None:
    case = await claimed_after_release(desk)
    await desk.ruled(case, ALL)
    seen(await desk.ladder.waive(desk.market.buyer, case.ref))
    waits = seen(await desk.ladder.waive(desk.market.owner, case.ref))
    assert (waits.stage, waits.turn) == (Stage.RULED_OPEN, Turn.NOBODY)
    assert await desk.cases.tick() == 0
    await fill_reserve(desk)
    assert await desk.cases.tick() == 1
    assert (await after(desk, case)).order.claim.left_minor == 0


async def test_a_review_the_reserve_cannot_pay_is_known_at_once_and_carried_out_once_there_is_money(desk: Desk) -> None:
    reviewer = await desk.staff(Role.PANEL)
    case = await claimed_after_release(desk)
    await desk.ruled(case, NOTHING)
    seen(await desk.ladder.ask_review(desk.market.buyer, case.ref, "核销早于拆封。"))
    assert await seats(desk) == [reviewer.account_id]
    await desk.handed_in(case, ALL, reviewer)
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    waits = await after(desk, case)
    assert (waits.stage, waits.turn) == (Stage.REVIEW, Turn.NOBODY)
    assert [ruling.refund_minor for ruling in waits.rulings] == [0, PRICE]
    assert code(await desk.ladder.rule(reviewer, case.ref, NOTHING)) is Refusal.NOT_YOUR_TURN
    await fill_reserve(desk)
    assert await desk.cases.tick() == 1
    ended = await after(desk, case)
    assert (ended.stage, ended.order.claim.left_minor) == (Stage.EXECUTED, 0)


async def test_three_sit_on_a_large_claim_after_the_release_also_where_they_join_late(
    database: Database, tmp_path: Path
) -> None:
    desk = await Desk.ready(database, tmp_path, keys=6)
    case = await claimed_after_release(desk, quantity=6)
    await desk.staff(Role.PANEL)
    seen(await desk.ladder.pass_on(desk.market.staff, case.ref))
    assert len(await seats(desk)) == 1
    for _ in range(2):
        await desk.staff(Role.PANEL)
    await desk.cases.tick()
    assert len(await seats(desk)) == 3
