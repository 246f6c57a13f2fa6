"""What those who decide may read, of a ruling before their own first view too, and who decides nothing any more."""

from pathlib import Path

import pytest

from dispute import BUYERS, FIRST_VIEW, HOUR, Desk, code, seen
from kabao.cases import CaseView, CastVote, OpenCase, Outcome, Remedy, Rule, Side, Stage
from kabao.identity import Person, Role
from kabao.kernel import Refusal
from kabao.orders import OrderView
from kabao.postgres import Database

VOTE = CastVote(upholds=False, refund_minor=9650, shares=BUYERS, facts="事实。", reasons="不成立。")
OWN = Rule(
    outcome=Outcome.NO_REFUND,
    shares=BUYERS,
    facts="事实。",
    reasons="理由。",
    differs_reason="规则说退，记录却不支持。",
)
CERTAIN = OpenCase(claim="changed_mind", demand=Remedy.FULL_REFUND, statement="不想要了，还没拆封。")


@pytest.fixture
async def desk(database: Database, tmp_path: Path) -> Desk:
    return await Desk.ready(database, tmp_path)


async def test_a_panellist_and_the_duty_officer_read_no_order_but_where_they_decide(desk: Desk) -> None:
    case = await desk.at_support()
    first, officer = await desk.staff(Role.PANEL), await desk.staff(Role.DUTY)

    async def reads(staff: Person) -> bool:
        """Tell whether the order is open to somebody, which is where its case is."""
        answer = await desk.orders.order(staff, case.order.ref)
        assert isinstance(answer, OrderView) or answer.code is Refusal.NOT_FOUND
        assert isinstance(answer, OrderView) is isinstance(await desk.cases.case(staff, case.ref), CaseView)
        return isinstance(answer, OrderView)

    assert await reads(desk.market.staff)
    assert not await reads(first)
    assert not await reads(officer)
    seen(await desk.ladder.pass_on(desk.market.staff, case.ref))
    second = await desk.staff(Role.PANEL)
    assert (await reads(first), await reads(second), await reads(officer)) == (True, False, False)
    assert await desk.ladder.recuse(first, case.ref, "认识店主。") is None
    assert (await reads(first), await reads(second), await reads(officer)) == (False, True, False)
    desk.pass_time(72 * HOUR)
    assert await desk.cases.tick() == 1
    assert (await reads(second), await reads(officer)) == (True, True)


async def test_who_sat_in_a_case_reads_its_order_except_while_others_review_it(desk: Desk) -> None:
    case = await desk.at_support()
    sits = await desk.staff(Role.PANEL)
    seen(await desk.ladder.pass_on(desk.market.staff, case.ref))
    seen(await desk.ladder.first_view(sits, case.ref, FIRST_VIEW))
    seen(await desk.ladder.vote(sits, case.ref, VOTE))
    desk.pass_time(HOUR)
    assert await desk.cases.tick() == 1
    assert isinstance(await desk.orders.order(sits, case.order.ref), OrderView), "what he ruled on is still his to read"
    seen(await desk.ladder.ask_review(desk.market.owner, case.ref, "再看看。"))
    assert code(await desk.orders.order(sits, case.order.ref)) is Refusal.NOT_FOUND
    officer = await desk.staff(Role.DUTY)
    desk.pass_time(200 * HOUR)
    await desk.cases.tick()
    seen(await desk.ladder.first_view(officer, case.ref, FIRST_VIEW))
    assert code(await desk.orders.order(sits, case.order.ref)) is Refusal.NOT_FOUND
    desk.pass_time(400 * HOUR)
    await desk.cases.tick()
    assert seen(await desk.cases.case(desk.market.owner, case.ref)).closed_at is not None
    other = await desk.staff(Role.PANEL)
    assert isinstance(await desk.orders.order(sits, case.order.ref), OrderView)
    assert code(await desk.orders.order(other, case.order.ref)) is Refusal.NOT_FOUND


async def test_a_reviewer_reads_in_no_ruling_what_the_rules_suggest_before_saying_his_own(desk: Desk) -> None:
    await desk.rulebook.begin()
    ruled, silent = await desk.at_support(), await desk.case(CERTAIN, opened=False)
    support, member = await desk.staff(Role.SUPPORT), await desk.staff(Role.PANEL)
    await desk.ruled(ruled, OWN)
    assert silent.stage is Stage.GREEN
    for case in (ruled, silent):
        own = seen(await desk.cases.case(desk.market.buyer, case.ref)).rulings[0]
        idle = seen(await desk.cases.case(support, case.ref)).rulings[0]
        assert (idle.differs_reason, idle.reasons == own.reasons) == ("", case is ruled)
        seen(await desk.ladder.ask_review(desk.market.owner, case.ref, "再看看。"))
        before = seen(await desk.cases.case(member, case.ref)).rulings[0]
        assert before.differs_reason == ""
        assert (before.facts == own.facts) is (case is ruled)
        assert (before.reasons == own.reasons) is (case is ruled)
        assert before.label == own.label
        assert seen(await desk.cases.case(desk.market.owner, case.ref)).rulings[0] == own
        after = seen(await desk.ladder.first_view(member, case.ref, FIRST_VIEW))
        assert after.rulings[0] == own


async def test_who_left_his_seat_decides_nothing_as_duty_officer_either(desk: Desk) -> None:
    both = await desk.staff(Role.PANEL, Role.DUTY)
    case = await desk.at_support()
    seen(await desk.ladder.pass_on(desk.market.staff, case.ref))
    assert await desk.ladder.recuse(both, case.ref, "认识店主。") is None
    desk.pass_time(72 * HOUR)
    await desk.cases.tick()
    assert seen(await desk.cases.case(both, case.ref)).viewer is Side.DUTY
    assert code(await desk.ladder.first_view(both, case.ref, FIRST_VIEW)) is Refusal.RECUSED
    assert code(await desk.ladder.ask(both, case.ref, Side.BUYER, "有截图吗？")) is Refusal.RECUSED


async def test_who_judged_a_case_at_support_reviews_it_in_no_role_but_may_rule_where_the_panel_did_not(
    desk: Desk,
) -> None:
    """In a review time alone ends the case; above support nobody else may be there who could rule on the money."""
    both = await desk.staff(Role.SUPPORT, Role.DUTY)
    case = await desk.at_support()
    seen(await desk.ladder.first_view(both, case.ref, FIRST_VIEW))
    await desk.ruled(case, OWN)
    seen(await desk.ladder.ask_review(desk.market.owner, case.ref, "再看看。"))
    other = await desk.at_support()
    seen(await desk.ladder.first_view(both, other.ref, FIRST_VIEW))
    seen(await desk.ladder.pass_on(both, other.ref))
    desk.pass_time(72 * HOUR)
    assert await desk.cases.tick() == 2
    assert code(await desk.ladder.first_view(both, case.ref, FIRST_VIEW)) is Refusal.RECUSED
    assert code(await desk.ladder.rule(both, other.ref, OWN)) is Refusal.FIRST_VIEW_NEEDED
    seen(await desk.ladder.first_view(both, other.ref, FIRST_VIEW))
    seen(await desk.ladder.rule(both, other.ref, OWN))
