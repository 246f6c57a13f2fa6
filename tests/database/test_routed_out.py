"""A case that an authority has: how it comes there, what stands still meanwhile, and how its money is ruled on."""

from pathlib import Path
from typing import Any

import pytest

from dispute import FIRST_VIEW, HANDED_IN, HOUR, MERCHANTS, Desk, code, seen
from kabao.cases import (
    Action,
    CaseView,
    CastVote,
    DecisionService,
    MakeOffer,
    Outcome,
    Remedy,
    Rule,
    SayFact,
    Stage,
    Turn,
)
from kabao.figures import store as figure_store
from kabao.identity import Role
from kabao.kernel import IdSource, Refusal
from kabao.postgres import Database

CRIME = SayFact(fact="crime_suspected", shows=True, kind="police_record", confidence=97)
MONTH = 720 * HOUR
PRICE = 9650
WHY = "公安已立案，见证据一。"
ALL = Rule(outcome=Outcome.FULL_REFUND, shares=MERCHANTS, facts="事实。", reasons="理由。", differs_reason="已有结论。")
VOTE = CastVote(
    upholds=True, refund_minor=PRICE, shares=MERCHANTS, facts="事实。", reasons="成立。", differs_reason="已有结论。"
)


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    desk = await Desk.ready(database, tmp_path, keys=7)
    await desk.rulebook.begin()
    return desk


async def suspected(desk: Desk, case: CaseView) -> None:
    decisions = DecisionService(
        database=desk.database,
        clock=desk.clock,
        ids=IdSource(),
        cases=desk.cases,
        evidence=desk.evidence,
        rulebook=desk.rulebook,
    )
    assert await decisions.say_fact(desk.market.staff, case.ref, CRIME) is None


async def routed(desk: Desk) -> CaseView:
    case, staff = await desk.at_support(), desk.market.staff
    await suspected(desk, case)
    seen(await desk.ladder.first_view(staff, case.ref, FIRST_VIEW))
    assert await desk.ladder.route_out(staff, case.ref, WHY) is None
    return seen(await desk.cases.case(staff, case.ref))


async def counts(desk: Desk) -> dict[tuple[str, str], Any]:
    async with desk.database.connection() as conn:
        found = await figure_store.public_counts(conn, desk.clock.at)
    return {(one.section, one.key): (one.cases, one.value) for one in found if one.month is None}


async def test_a_case_is_routed_out_after_a_first_view_where_the_rules_say_so(desk: Desk) -> None:
    case, staff, buyer = await desk.at_support(), desk.market.staff, desk.market.buyer
    seen(await desk.cases.offer(desk.market.owner, case.ref, MakeOffer(kind=Remedy.PARTIAL_REFUND, refund_minor=100)))
    assert code(await desk.ladder.route_out(buyer, case.ref, WHY)) is Refusal.NOT_ALLOWED
    assert code(await desk.ladder.route_out(staff, case.ref, WHY)) is Refusal.FIRST_VIEW_NEEDED
    seen(await desk.ladder.first_view(staff, case.ref, FIRST_VIEW))
    assert code(await desk.ladder.route_out(staff, case.ref, WHY)) is Refusal.NOT_ROUTED_OUT
    await suspected(desk, case)
    assert code(await desk.ladder.route_out(staff, case.ref, " ")) is Refusal.INVALID_FIELDS
    assert await desk.ladder.route_out(staff, case.ref, WHY) is None
    out = seen(await desk.cases.case(staff, case.ref))
    assert (out.stage, out.turn, out.due_at, out.is_overdue) == (
        Stage.ROUTED_OUT,
        Turn.DUTY,
        desk.clock.at + MONTH,
        False,
    )
    assert out.open_offer is None
    for person in (buyer, desk.market.owner):
        view = seen(await desk.cases.case(person, case.ref))
        assert (view.timeline[-1].kind, view.timeline[-1].said) == ("routed_out", WHY)
        assert view.allowed == {Action.SAY, Action.ADD_FILE}
        assert any("转有关部门" in subject for subject in await desk.subjects(person))
    assert (await counts(desk))["open", "routed_out"] == (1, None)
    assert (await counts(desk))["deadlines", "support"] == (1, 1)


async def test_its_money_stays_frozen_and_nobody_settles_or_decides(desk: Desk) -> None:
    case, officer = await routed(desk), await desk.staff(Role.DUTY)
    buyer, owner = desk.market.buyer, desk.market.owner
    assert code(await desk.cases.withdraw(buyer, case.ref)) is Refusal.ROUTED_OUT
    assert code(await desk.cases.accept_demand(owner, case.ref)) is Refusal.ROUTED_OUT
    assert code(await desk.cases.offer(owner, case.ref, MakeOffer(kind=Remedy.FULL_REFUND))) is Refusal.ROUTED_OUT
    assert code(await desk.ladder.rule(officer, case.ref, ALL)) is Refusal.ROUTED_OUT
    assert code(await desk.ladder.first_view(officer, case.ref, FIRST_VIEW)) is Refusal.ROUTED_OUT
    desk.pass_time(MONTH - HOUR)
    assert await desk.cases.tick() == 0
    assert await desk.escrow(case) == ("disputed", 0, 0, 0)


async def test_after_thirty_days_a_panel_has_to_rule_and_it_is_routed_out_no_more(desk: Desk) -> None:
    case, member = await routed(desk), await desk.staff(Role.PANEL)
    desk.pass_time(MONTH)
    assert (await desk.cases.tick(), await desk.cases.tick()) == (1, 0)
    back = seen(await desk.cases.case(desk.market.buyer, case.ref))
    assert (back.stage, back.turn, back.due_at) == (Stage.PANEL, Turn.PANEL, desk.clock.at + 72 * HOUR)
    assert any("30 天" in line.text for line in back.timeline[-2:])
    assert await desk.escrow(case) == ("disputed", 0, 0, 0)
    seen(await desk.ladder.first_view(member, case.ref, FIRST_VIEW))
    assert code(await desk.ladder.route_out(member, case.ref, WHY)) is Refusal.ROUTED_OUT
    assert code(await desk.cases.withdraw(desk.market.buyer, case.ref)) is Refusal.ROUTED_OUT
    seen(await desk.ladder.vote(member, case.ref, VOTE))
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    desk.pass_time(168 * HOUR)
    assert await desk.cases.tick() == 1
    assert (await desk.escrow(case))[:2] == ("refunded", PRICE)


async def test_the_duty_officer_calls_the_panel_which_votes_anew(desk: Desk) -> None:
    case = await desk.at_support(quantity=6)
    members = [await desk.staff(Role.PANEL) for _ in range(3)]
    officer, late = await desk.staff(Role.DUTY), await desk.staff(Role.DUTY)
    await suspected(desk, case)
    seen(await desk.ladder.pass_on(desk.market.staff, case.ref))
    first, second, third = members
    for one in (first, second):
        seen(await desk.ladder.first_view(one, case.ref, FIRST_VIEW))
    seen(await desk.ladder.vote(first, case.ref, VOTE))
    desk.pass_time(72 * HOUR)
    assert await desk.cases.tick() == 1
    seen(await desk.ladder.first_view(late, case.ref, FIRST_VIEW))
    assert code(await desk.ladder.route_out(second, case.ref, WHY)) is Refusal.NOT_YOUR_TURN
    assert await desk.ladder.route_out(late, case.ref, WHY) is None
    assert code(await desk.ladder.route_back(officer, case.ref, " ")) is Refusal.INVALID_FIELDS
    assert Action.ROUTE_BACK in seen(await desk.cases.case(officer, case.ref)).allowed
    assert await desk.ladder.route_back(officer, case.ref, "公安不予立案，见证据二。") is None
    back = seen(await desk.cases.case(first, case.ref))
    assert (back.stage, back.turn) == (Stage.PANEL, Turn.PANEL)
    assert any(line.said == "公安不予立案，见证据二。" for line in back.timeline)
    assert code(await desk.ladder.route_back(officer, case.ref, WHY)) is Refusal.NOT_FOUND
    seen(await desk.ladder.first_view(third, case.ref, FIRST_VIEW))
    for one in (second, third):
        assert seen(await desk.ladder.vote(one, case.ref, VOTE)).pending is None
    # The vote from before is void, so whoever cast it votes again, and only then there is a ruling.
    assert seen(await desk.ladder.vote(first, case.ref, VOTE)).pending is not None
    desk.pass_time(HANDED_IN)
    assert await desk.cases.tick() == 1
    # The first time the panel was late, the second it was not.
    assert (await counts(desk))["deadlines", "panel"] == (2, 1)
