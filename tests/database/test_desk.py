"""The desk behind its page: lanes and pages of the queue, presence that runs out, drafts that are one's own."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest_asyncio

from dispute import FIRST_VIEW, HANDED_IN, HOUR, MERCHANTS, WISH, Desk, code, race, seen, winners
from kabao.cases import (
    CaseView,
    CastVote,
    DeskView,
    Lane,
    OpenCase,
    Outcome,
    QueuePage,
    QueueWish,
    Remedy,
    Rule,
    Side,
    TimeLeft,
)
from kabao.cases.desk.model import Counts
from kabao.identity import Person, Role
from kabao.kernel import Refusal, Refused
from kabao.postgres import Database

REFUND_ALL = Rule(outcome=Outcome.FULL_REFUND, shares=MERCHANTS, facts="事实", reasons="理由", differs_reason="另有")
TYPED = {"outcome": "full_refund", "facts": "写了一半"}


@pytest_asyncio.fixture
async def desk(owner_database: Database, tmp_path: Path) -> AsyncIterator[Desk]:
    yield await Desk.ready(owner_database, tmp_path, keys=8)


async def page_of(desk: Desk, staff: Person, wish: QueueWish) -> QueuePage:
    page = await desk.cases.desk.queue(staff, wish)
    assert isinstance(page, QueuePage)
    return page


async def refs(desk: Desk, staff: Person, wish: QueueWish | None = None) -> list[str]:
    return [one.card.ref for one in (await page_of(desk, staff, wish or QueueWish())).cards]


async def beside(desk: Desk, staff: Person, case: CaseView) -> DeskView:
    view = await desk.cases.desk.arrive(staff, case.ref)
    assert isinstance(view, DeskView), view
    return view


async def test_the_queue_has_lanes_filters_and_pages_by_the_time_left(desk: Desk) -> None:
    staff, service = desk.market.staff, desk.cases.desk
    cases = []
    for claim, text in (("already_used", "第一件"), ("not_as_described", "百分之 5% 的手续费"), ("other", "第三件")):
        cases.append(await desk.case(OpenCase(claim=claim, demand=Remedy.FULL_REFUND, statement=text)))
        desk.pass_time(HOUR)
    assert await refs(desk, staff) == []
    desk.pass_time(48 * HOUR)
    await desk.cases.tick()
    first, second, third = [case.ref for case in cases]
    assert set(await refs(desk, staff)) == {first, second, third}
    assert await refs(desk, staff, QueueWish(claim="other")) == [third]
    assert await refs(desk, staff, QueueWish(text="5%")) == [second]
    assert await refs(desk, staff, QueueWish(text="5_")) == []
    assert set(await refs(desk, staff, QueueWish(stage="support"))) == {first, second, third}
    assert await refs(desk, staff, QueueWish(stage="panel")) == []
    assert await refs(desk, staff, QueueWish(least_minor=10**9)) == []
    assert await refs(desk, staff, QueueWish(most_minor=1)) == []
    page = await service.queue(staff, QueueWish(), 2)
    assert isinstance(page, QueuePage)
    rest = await service.queue(staff, QueueWish(after=page.after), 2)
    assert isinstance(rest, QueuePage)
    assert rest.after is None
    assert [one.card.ref for one in (*page.cards, *rest.cards)] == await refs(desk, staff)
    seen(await desk.ladder.ask(staff, first, Side.BUYER, "截图？"))
    assert await refs(desk, staff, QueueWish(lane=Lane.WAITING)) == [first]
    assert first not in await refs(desk, staff)
    [asked] = (await page_of(desk, staff, QueueWish(lane=Lane.WAITING))).cards
    assert (asked.is_asked, asked.runs_from) == (True, desk.clock.at + 12 * HOUR)
    seen(await desk.ladder.pass_on(staff, second, "买家只交了一张截图。"))
    assert second not in await refs(desk, staff)
    assert await refs(desk, staff, QueueWish(lane=Lane.OTHERS)) == [second]
    await each_in_one_lane(desk, staff, {first, second, third})
    # While the question holds the clock, its case is not nearer its deadline: 48 hours are left, as when it was asked.
    desk.pass_time(11 * HOUR)
    later = QueueWish(lane=Lane.TEAM, time=TimeLeft.LATER)
    assert await service.counts(staff, later) == {
        (Lane.MINE, TimeLeft.LATER): 1, (Lane.WAITING, TimeLeft.LATER): 1, (Lane.OTHERS, TimeLeft.LATER): 1,
    }  # fmt: skip
    [asked] = (await page_of(desk, staff, QueueWish(lane=Lane.WAITING))).cards
    assert asked.card.due_at
    assert asked.card.due_at - asked.runs_from == 48 * HOUR
    # Its pause used up, nobody waits for the answer any longer.
    desk.pass_time(32 * HOUR)
    assert await refs(desk, staff, QueueWish(lane=Lane.WAITING)) == []
    near = QueueWish(lane=Lane.MINE, time=TimeLeft.NEAR)
    assert await refs(desk, staff, near) == [third]
    desk.pass_time(6 * HOUR)
    assert await refs(desk, staff, QueueWish(lane=Lane.MINE, time=TimeLeft.BREACHED)) == [third]
    await each_in_one_lane(desk, staff, {first, second, third})
    assert sum((await told(desk, staff, QueueWish(text="5%"))).values()) == 1, (
        "lanes count what the filters let through"
    )


async def each_in_one_lane(desk: Desk, staff: Person, everything: set[str]) -> None:
    lanes = [await refs(desk, staff, QueueWish(lane=lane)) for lane in Lane if lane is not Lane.TEAM]
    times = [await refs(desk, staff, QueueWish(lane=Lane.TEAM, time=time)) for time in TimeLeft]
    for parts in (lanes, times, [await refs(desk, staff, QueueWish(lane=Lane.TEAM))]):
        assert sorted(ref for part in parts for ref in part) == sorted(everything)
    counted = await told(desk, staff, QueueWish())
    assert [sum(n for (lane, _), n in counted.items() if lane is of) for of in Lane if of is not Lane.TEAM] == [
        len(part) for part in lanes
    ]
    assert [sum(n for (_, time), n in counted.items() if time is of) for of in TimeLeft] == [
        len(part) for part in times
    ]


async def told(desk: Desk, staff: Person, wish: QueueWish) -> Counts:
    counted = await desk.cases.desk.counts(staff, wish)
    assert not isinstance(counted, Refused)
    return counted


async def test_a_case_is_found_by_its_number_and_its_orders_by_those_who_may_open_it(desk: Desk) -> None:
    case = await desk.case()
    staff, panellist = desk.market.staff, await desk.staff(Role.PANEL)
    for number in (case.ref, case.order.ref, case.ref.lower()):
        assert [one.card.ref for one in await desk.cases.desk.find(staff, number)] == [case.ref]
    assert await desk.cases.desk.find(staff, "点卡") == []
    assert await desk.cases.desk.find(panellist, case.ref) == []
    assert await desk.cases.desk.find(desk.market.buyer, case.ref) == []
    for refused in (
        await desk.cases.desk.queue(desk.market.buyer, QueueWish()),
        await desk.cases.desk.counts(desk.market.buyer, QueueWish()),
    ):
        assert code(refused) is Refusal.NOT_ALLOWED


async def test_somebody_elses_open_page_is_seen_until_its_lease_runs_out(desk: Desk) -> None:
    case = await desk.at_support()
    one, other = desk.market.staff, await desk.staff(Role.SUPPORT)
    assert (await beside(desk, one, case)).others == []
    [shown] = (await beside(desk, other, case)).others
    assert shown.role == "support"
    assert len((await beside(desk, one, case)).others) == 1
    desk.pass_time(timedelta(seconds=91))
    assert (await beside(desk, other, case)).others == []
    for party in (desk.market.buyer, desk.market.owner):
        assert code(await desk.cases.desk.arrive(party, case.ref)) is Refusal.NOT_FOUND
    desk.pass_time(2 * HOUR)
    await beside(desk, one, case)
    assert await desk.database.fetchval("SELECT count(*) FROM case_presence") == 1, "leases long over are cleared"


async def test_a_draft_is_its_authors_alone_and_goes_when_it_is_handed_in(desk: Desk) -> None:
    case, one, other = await desk.at_support(), desk.market.staff, await desk.staff(Role.SUPPORT)
    service = desk.cases.desk
    assert code(await service.save_draft(one, case.ref, TYPED)) is Refusal.FIRST_VIEW_NEEDED
    seen(await desk.ladder.first_view(one, case.ref, FIRST_VIEW))
    assert code(await service.save_draft(one, case.ref, {"facts": "字" * 4001})) is Refusal.INVALID_FIELDS
    assert code(await service.save_draft(desk.market.buyer, case.ref, TYPED)) is Refusal.NOT_FOUND
    assert not isinstance(await service.save_draft(one, case.ref, TYPED), Refused)
    view = await beside(desk, one, case)
    assert view.draft is not None
    assert (view.draft.typed, view.draft.stage) == (TYPED, "support")
    assert view.own_view is not None
    assert view.own_view.sentence == FIRST_VIEW.sentence
    assert (await beside(desk, other, case)).draft is None
    seen(await desk.ladder.rule(one, case.ref, REFUND_ALL))
    seen(await desk.ladder.take_back(one, case.ref))
    desk.pass_time(HANDED_IN)
    assert (await beside(desk, one, case)).draft is not None, "what was taken back is there to be mended"
    seen(await desk.ladder.rule(one, case.ref, REFUND_ALL))
    desk.pass_time(HANDED_IN)
    await desk.cases.tick()
    assert (await beside(desk, one, case)).draft is None
    assert code(await service.save_draft(one, case.ref, TYPED)) is Refusal.ALREADY_RULED


async def test_expired_drafts_are_cleared_and_one_can_be_thrown_away(desk: Desk) -> None:
    case, one, other = await desk.at_support(), desk.market.staff, await desk.staff(Role.SUPPORT)
    for staff in (one, other):
        seen(await desk.ladder.first_view(staff, case.ref, FIRST_VIEW))
    await desk.cases.desk.save_draft(one, case.ref, TYPED)
    desk.pass_time(timedelta(days=30))
    await desk.cases.desk.save_draft(other, case.ref, TYPED)
    assert await desk.database.fetchval("SELECT count(*) FROM ruling_draft") == 1
    assert await desk.cases.desk.drop_draft(other, case.ref) is None
    assert code(await desk.cases.desk.drop_draft(desk.market.buyer, case.ref)) is Refusal.NOT_FOUND
    assert await desk.database.fetchval("SELECT count(*) FROM ruling_draft") == 0


async def test_of_two_who_rule_at_once_one_wins_and_the_other_keeps_the_draft(desk: Desk) -> None:
    case, staff = await desk.at_support(), (desk.market.staff, await desk.staff(Role.SUPPORT))
    for one in staff:
        seen(await desk.ladder.first_view(one, case.ref, FIRST_VIEW))
        await desk.cases.desk.save_draft(one, case.ref, TYPED)
    answers = await race(*(desk.ladder.rule(one, case.ref, REFUND_ALL) for one in staff))
    assert winners(answers) == 1
    [loser] = [one for one, answer in zip(staff, answers, strict=True) if isinstance(answer, Refused)]
    assert {code(answer) for answer in answers if isinstance(answer, Refused)} == {Refusal.ALREADY_RULED}
    desk.pass_time(HANDED_IN)
    await desk.cases.tick()
    kept = (await beside(desk, loser, case)).draft
    assert kept is not None
    assert kept.typed == TYPED


async def test_a_summary_goes_with_a_case_to_the_panel_and_both_sides_read_it(desk: Desk) -> None:
    case, staff = await desk.at_support(), desk.market.staff
    assert code(await desk.ladder.pass_on(staff, case.ref, " ")) is Refusal.INVALID_FIELDS
    seen(await desk.ladder.pass_on(staff, case.ref, "拆封时间已核对，进货凭证没有。"))
    for party in (desk.market.buyer, desk.market.owner):
        told = seen(await desk.cases.case(party, case.ref)).timeline
        assert [line.said for line in told if line.who == "support" and line.said] == ["拆封时间已核对，进货凭证没有。"]


async def test_a_panel_tells_how_many_have_voted_and_nothing_of_how(desk: Desk) -> None:
    panel = [await desk.staff(Role.PANEL) for _ in range(3)]
    case = await desk.at_support(WISH, quantity=6)
    seen(await desk.ladder.pass_on(desk.market.staff, case.ref))
    seats = (await beside(desk, panel[0], case)).seats
    assert seats is not None
    assert (seats.needed, seats.drawn, seats.voted, seats.mine in {1, 2, 3}) == (3, 3, 0, True)
    seen(await desk.ladder.first_view(panel[1], case.ref, FIRST_VIEW))
    vote = CastVote(upholds=True, refund_minor=1, shares=MERCHANTS, facts="暗号", reasons="暗号", differs_reason="暗号")
    seen(await desk.ladder.vote(panel[1], case.ref, vote))
    view = await beside(desk, panel[0], case)
    assert view.seats is not None
    assert view.seats.voted == 1
    assert "暗号" not in repr(view)
    assert "暗号" not in repr(seen(await desk.cases.case(panel[0], case.ref)))
    outsider = await beside(desk, desk.market.staff, case)
    assert outsider.seats is not None
    assert outsider.seats.mine is None


async def test_the_clock_that_a_question_stops_is_shown(desk: Desk) -> None:
    case, staff = await desk.at_support(), desk.market.staff
    view = await beside(desk, staff, case)
    assert view.pausing is not None
    assert (view.pausing.until, view.pausing.left) == (None, 12 * HOUR)
    seen(await desk.ladder.ask(staff, case.ref, Side.BUYER, "截图？"))
    view = await beside(desk, staff, case)
    assert view.pausing is not None
    assert (view.pausing.until, view.pausing.left) == (desk.clock.at + 12 * HOUR, timedelta())


async def test_who_ruled_before_is_recused_and_keeps_no_draft(desk: Desk) -> None:
    staff = await desk.staff(Role.SUPPORT, Role.PANEL)
    case = await desk.ruled(await desk.at_support(), REFUND_ALL, staff)
    assert (await beside(desk, staff, case)).is_recused
    assert not (await beside(desk, desk.market.staff, case)).is_recused
    seen(await desk.ladder.ask_review(desk.market.owner, case.ref, "不服"))
    assert code(await desk.cases.desk.save_draft(staff, case.ref, TYPED)) in {Refusal.NOT_YOUR_TURN, Refusal.RECUSED}


async def test_a_late_case_is_not_a_duty_officers_own_where_he_may_not_decide_it(desk: Desk) -> None:
    """Who left a seat on the panel, or spoke as a party, sees that it waits and is not told that it waits for him."""
    left, free = await desk.staff(Role.PANEL, Role.DUTY), await desk.staff(Role.DUTY)
    case = await desk.at_support()
    seen(await desk.ladder.pass_on(desk.market.staff, case.ref, "争议大。"))
    await desk.cases.tick()
    assert await desk.ladder.recuse(left, case.ref, "认识店主。") is None
    desk.pass_time(72 * HOUR)
    await desk.cases.tick()
    for officer, mine in ((left, []), (free, [case.ref])):
        assert await refs(desk, officer, QueueWish(lane=Lane.MINE)) == mine
        assert await refs(desk, officer, QueueWish(lane=Lane.TEAM)) == [case.ref]
    said = (desk.market.shop_id, case.order.order_id, free.account_id, desk.clock.at)
    await desk.database.execute(
        """INSERT INTO message (shop_id, order_id, message_id, author_id, author_role, body, digest, at)
           VALUES ($1, $2, 1, $3, 'merchant', '在', sha256('x'), $4)""",
        *said,
    )
    assert await refs(desk, free, QueueWish(lane=Lane.MINE)) == []
